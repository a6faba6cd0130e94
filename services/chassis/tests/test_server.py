"""The life of a server and of its process."""

import asyncio
import os
import signal
import sys
import time
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from maillane_chassis.health import MAX_WATCHES
from maillane_chassis.server import ListenError

from .conftest import KEY, bearer
from .echo import NAME, call

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
UNKNOWN = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
VIEWER = bearer("viewer")


def health(channel) -> Any:
    return health_pb2_grpc.HealthStub(channel)


def watch(channel, service=""):
    return health(channel).Watch(health_pb2.HealthCheckRequest(service=service))


@pytest.mark.parametrize("service", ["", NAME])
async def test_health_follows_the_service(serve, connect, service):
    """Not serving after start, serving when told, for the whole and for each service."""
    server = await serve()
    states = watch(connect(server), service)

    seen = [(await states.read()).status]
    for serving in (True, False):
        server.set_serving(serving)
        seen.append((await states.read()).status)

    assert seen == [NOT_SERVING, SERVING, NOT_SERVING]


async def test_health_of_an_unknown_service_is_not_found(serve, connect):
    """As the protocol has it."""
    stub = health(connect(await serve()))

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.Check(health_pb2.HealthCheckRequest(service="no.such.Service"))

    assert caught.value.code() == grpc.StatusCode.NOT_FOUND


async def test_a_watch_of_an_unknown_service_stays_open(serve, connect):
    """As the protocol has it: it says so once, and does not end."""
    states = watch(connect(await serve()), "no.such.Service")

    assert (await states.read()).status == UNKNOWN
    assert not states.done()


async def test_watches_are_bounded(serve, connect):
    """Nobody needs a credential to watch, so nobody may take all places."""
    channel = connect(await serve())
    watches = [watch(channel) for _ in range(MAX_WATCHES)]
    for open_watch in watches:
        await open_watch.read()

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await watch(channel).read()

    assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_a_stop_ends_watches_first(serve):
    """An open health watch is told and ended, and does not hold the stop for its grace."""
    server = await serve()
    server.set_serving(True)
    seen: list[int] = []

    def read():
        # Not by grpc.aio, whose clients read nothing more once they know that the call is over.
        with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            seen.extend(answer.status for answer in watch(channel))

    reader = asyncio.ensure_future(asyncio.to_thread(read))
    async with asyncio.timeout(5):
        while not seen:
            await asyncio.sleep(0.01)
    began = time.monotonic()
    await server.stop(30)
    await reader

    assert seen == [SERVING, NOT_SERVING]
    assert time.monotonic() - began < 5


async def test_a_stop_waits_for_open_calls(serve, connect):
    """What was asked before the stop is answered."""
    began, go_on = asyncio.Event(), asyncio.Event()

    async def act(text, context):
        began.set()
        await go_on.wait()
        return "answered"

    server = await serve(act)
    channel = connect(server)
    states = watch(channel)
    answer = asyncio.ensure_future(call(channel, "View", **VIEWER))
    await began.wait()
    stopping = asyncio.ensure_future(server.stop(30))
    # The watch ends when the stop has begun.
    while await states.read() is not grpc.aio.EOF:
        pass
    go_on.set()
    await stopping

    assert await answer == "answered"


async def test_a_stop_cancels_what_outlasts_its_grace(serve, connect):
    """A call that does not end is ended."""
    began, ended = asyncio.Event(), asyncio.Event()

    async def act(text, context):
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return text

    server = await serve(act)
    answer = asyncio.ensure_future(call(connect(server), "View", **VIEWER))
    await began.wait()
    await server.stop(0.05)
    await asyncio.wait([answer])

    assert ended.is_set()


async def test_a_port_in_use_is_said(serve):
    """Two servers never share a port by mistake."""
    first = await serve()

    with pytest.raises(ListenError, match=f"cannot listen on 127.0.0.1:{first.port}"):
        await serve(port=first.port)


async def test_processes_may_share_a_port_on_purpose(serve):
    """With reuse_port on both sides the kernel spreads connections."""
    first = await serve(reuse_port=True)

    second = await serve(port=first.port, reuse_port=True)

    assert second.port == first.port


async def test_calls_beyond_the_cap_are_refused(serve, connect):
    """At once, instead of piling up."""
    began, go_on = asyncio.Event(), asyncio.Event()

    async def act(text, context):
        began.set()
        await go_on.wait()
        return text

    channel = connect(await serve(act, max_concurrent=1))
    first = asyncio.ensure_future(call(channel, "View", **VIEWER))
    await began.wait()

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call(channel, "View", **VIEWER)
    go_on.set()
    await first

    assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_messages_beyond_the_limit_are_refused(serve, connect, settings):
    """A request larger than the setting never reaches the method."""
    small = settings.model_copy(update={"max_message_bytes": 64 * 1024})
    channel = connect(await serve(settings=small))

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call(channel, "View", "x" * 70_000, **VIEWER)

    assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_reflection_lists_what_is_served(serve, connect):
    """The service, and what every server has."""
    stub: Any = reflection_pb2_grpc.ServerReflectionStub(connect(await serve()))
    asked = iter([reflection_pb2.ServerReflectionRequest(list_services="")])

    [answer] = [answer async for answer in stub.ServerReflectionInfo(asked, **VIEWER)]

    assert sorted(service.name for service in answer.list_services_response.service) == [
        "grpc.channelz.v1.Channelz",
        "grpc.health.v1.Health",
        "grpc.reflection.v1alpha.ServerReflection",
        NAME,
    ]


PROCESS = """
import asyncio, sys
from maillane_chassis.server import Server, run
from maillane_chassis.settings import ServiceSettings, load

async def main(stop):
    server = Server(load(ServiceSettings), int(sys.argv[1]), [])
    await server.start()
    print(server.port, flush=True)
    await stop.wait()
    print("stopping", flush=True)
    await asyncio.sleep(float(sys.argv[2]))
    await server.stop(1)

run(main)
"""


async def start_process(port=0, takes_s=0.0):
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROCESS, str(port), str(takes_s),
        env={"PATH": os.environ["PATH"], "MAILLANE_SERVICE_KEY": KEY},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_stops_a_process_in_order(number):
    """It runs its own end, and its exit code is 0."""
    process = await start_process()
    await process.stdout.readline()
    process.send_signal(number)
    output, errors = await process.communicate()

    assert (process.returncode, output, errors) == (0, b"stopping\n", b"")


async def test_a_second_signal_ends_a_process_at_once():
    """Who asks twice does not wait for the drain."""
    process = await start_process(takes_s=600)
    await process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    await process.stdout.readline()
    process.send_signal(signal.SIGTERM)

    assert await process.wait() == 128 + signal.SIGTERM


async def test_a_process_whose_port_is_taken_says_so_in_one_line(serve):
    """No traceback, exit code 1."""
    server = await serve()
    process = await start_process(port=server.port)
    _, errors = await process.communicate()

    line = f"cannot listen on 127.0.0.1:{server.port}: in use, or not an address of this machine\n"
    assert (process.returncode, errors.decode()) == (1, line)
