"""What a channel adds to the calls that are made on it."""

import asyncio
from contextlib import asynccontextmanager

import grpc
import pytest
from maillane_chassis.access import identity
from maillane_chassis.channel import open_channel
from maillane_chassis.errors import Unavailable

from .conftest import bearer
from .echo import call, path, stream


async def name_of_caller(text, context):
    return identity(context).name


class Flaky:
    """Is unavailable for the first calls."""

    def __init__(self, failures):
        self.calls = 0
        self._failures = failures

    async def __call__(self, text, context):
        self.calls += 1
        if self.calls <= self._failures:
            raise Unavailable("not yet")
        return "at last"


async def test_a_channel_brings_the_credential_of_services(serve, connect):
    """Callers need not know it."""
    channel = connect(await serve(name_of_caller), service=True)

    assert await call(channel, "Serve") == "service"


async def test_a_callers_own_credential_goes_before(serve, connect):
    """The gateway forwards a user's token on the same channel, and never adds its own rights to it."""
    channel = connect(await serve(name_of_caller), service=True)

    assert await call(channel, "View", **bearer("viewer")) == "viewer"


async def test_streams_bring_it_too(serve, connect):
    """Access is checked for the stream as a whole; a service opens no method of workspaces."""
    channel = connect(await serve(), service=True)

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stream(channel, "Gather", "a")

    assert caught.value.code() == grpc.StatusCode.PERMISSION_DENIED


async def test_a_channel_for_users_brings_none(serve, connect):
    """service=False sends nothing by itself."""
    channel = connect(await serve())

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call(channel, "Serve")

    assert caught.value.code() == grpc.StatusCode.UNAUTHENTICATED


async def test_an_idempotent_method_is_repeated(serve, connect):
    """While the answer is UNAVAILABLE, within the tries of the policy."""
    flaky = Flaky(failures=2)
    channel = connect(await serve(flaky), service=True, idempotent=[path("Serve")])

    assert await call(channel, "Serve") == "at last"


async def test_another_method_is_not_repeated(serve, connect):
    """What may have had an effect is for its caller to repeat."""
    flaky = Flaky(failures=2)
    channel = connect(await serve(flaky), service=True, idempotent=[path("View")])

    with pytest.raises(grpc.aio.AioRpcError):
        await call(channel, "Serve")

    assert flaky.calls == 1


async def test_a_call_has_a_deadline(serve, connect):
    """The server sees one although the caller gave none."""
    seen = []

    async def act(text, context):
        seen.append(context.time_remaining())
        return text

    channel = connect(await serve(act), service=True, timeout_s=7)
    await call(channel, "Serve")
    await call(channel, "Serve", timeout=100)

    assert [round(remaining, -1) for remaining in seen] == [10, 100]


async def test_a_stream_has_none(serve, connect):
    """How long a watch goes on is its caller's affair."""
    seen = []

    async def act(text, context):
        seen.append(context.time_remaining())
        return text

    channel = connect(await serve(act), timeout_s=7)
    await stream(channel, "Gather", "a", **bearer("viewer"))

    assert seen == [None]


async def test_a_channel_finds_a_server_that_comes_back(serve, settings):
    """A restart on the same port costs a second or two, not gRPC's two minutes."""
    first = await serve()
    async with open_channel(f"127.0.0.1:{first.port}", settings, idempotent=[path("Serve")]) as channel:
        await call(channel, "Serve", "a")
        await first.stop(0)
        await serve(port=first.port)

        assert await call(channel, "Serve", "b") == "b"


async def test_a_server_that_is_slow_to_say_hello_is_waited_for(serve, settings):
    """Far away, or on a machine with a lot to do: the first call finds it all the same."""
    server = await serve()
    async with slow_door(server.port, 0.5) as port, open_channel(f"127.0.0.1:{port}", settings) as channel:
        assert await call(channel, "Serve", "a") == "a"


@asynccontextmanager
async def slow_door(target, wait_s):
    """A port behind which a server is, once one has waited there."""

    async def carry(reader, writer):
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    async def accept(reader, writer):
        await asyncio.sleep(wait_s)
        its_reader, its_writer = await asyncio.open_connection("127.0.0.1", target)
        await asyncio.gather(carry(reader, its_writer), carry(its_reader, writer))

    async with await asyncio.start_server(accept, "127.0.0.1", 0) as door:
        yield door.sockets[0].getsockname()[1]
