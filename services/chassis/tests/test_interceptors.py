"""What happens around every rpc: log lines, metrics, deadlines, for all four kinds."""

import asyncio

import grpc
import pytest
from maillane_chassis.errors import NotFound, Unavailable
from maillane_chassis.interceptors import PATIENCE_S
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from .conftest import KEY, bearer
from .echo import NAME, call, path, stream

VIEWER = bearer("viewer")


def lines(entries):
    return [entry for entry in entries if entry["event"] == "rpc"]


def handled(method, code):
    labels = {"grpc_service": NAME, "grpc_method": method, "grpc_code": code}
    return REGISTRY.get_sample_value("grpc_server_handled_total", labels) or 0


def in_flight(method):
    return REGISTRY.get_sample_value("grpc_server_in_flight", {"grpc_service": NAME, "grpc_method": method}) or 0


async def until_stopped(server):
    """Waits until each rpc of the server has ended, its log line and metrics included."""
    await server.stop(5)


async def test_a_client_stream_is_answered(serve, connect):
    """Requests reach the method in order."""
    channel = connect(await serve())

    answer = await stream(channel, "Gather", "a", "b", "c", **VIEWER)

    assert answer.value == "a+b+c"


async def test_a_server_stream_is_read(serve, connect):
    """Responses arrive in order."""
    channel = connect(await serve())

    answers = [answer.value async for answer in stream(channel, "Count", "n", **VIEWER)]

    assert answers == ["n0", "n1", "n2"]


async def test_a_conversation_alternates(serve, connect):
    """Each response leaves before the next request is needed."""
    channel = connect(await serve())
    conversation = stream(channel, "Talk", "a", "b", **VIEWER)

    assert [answer.value async for answer in conversation] == ["a", "b"]


async def test_a_client_that_leaves_ends_the_generator(serve, connect):
    """A watch notices at once that nobody watches, and cleans up behind itself."""
    began, ended = asyncio.Event(), asyncio.Event()

    async def act(text, context):
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return text

    watch = stream(connect(await serve(act)), "Count", "n", **VIEWER)
    await began.wait()
    watch.cancel()

    async with asyncio.timeout(5):
        await ended.wait()


@pytest.mark.parametrize("method", ["View", "Count", "Gather", "Talk"])
async def test_each_rpc_is_one_line(serve, connect, method):
    """Method, code, duration, caller and workspace; nothing of what it held, no address, no credential."""
    server = await serve()
    channel = connect(server)
    with capture_logs() as entries:
        if method in {"Count", "Talk"}:
            assert [answer async for answer in stream(channel, method, "ann@example.com", **VIEWER)]
        elif method == "Gather":
            await stream(channel, method, "ann@example.com", **VIEWER)
        else:
            await call(channel, method, "ann@example.com", **VIEWER)
        await until_stopped(server)

    [line] = entries
    assert line.pop("ms") >= 0
    assert line == {
        "event": "rpc",
        "log_level": "info",
        "method": path(method),
        "code": "OK",
        "caller": "token",
        "workspace_id": 7,
    }


async def test_a_refused_caller_is_logged_as_nobody(serve, connect):
    """The line has the final code, and no trace of the credential."""
    server = await serve()
    with capture_logs() as entries:
        with pytest.raises(grpc.aio.AioRpcError):
            await call(connect(server), "View", **bearer(KEY))
        await until_stopped(server)

    [line] = lines(entries)
    assert (line["code"], line["caller"], KEY in str(entries)) == ("UNAUTHENTICATED", "nobody", False)


@pytest.mark.parametrize(("fails", "level"), [(False, "debug"), (True, "info")])
async def test_a_quiet_method_is_heard_when_it_fails(serve, connect, fails, level):
    """A long poll that ends as it should is a line at debug; its errors are as loud as others."""

    async def act(text, context):
        if fails:
            raise NotFound("gone")
        return text

    server = await serve(act, quiet=[path("View")])
    with capture_logs() as entries:
        await asyncio.gather(call(connect(server), "View", **VIEWER), return_exceptions=True)
        await until_stopped(server)

    assert [line["log_level"] for line in lines(entries)] == [level]


async def test_a_call_whose_client_left_is_logged_as_cancelled(serve, connect):
    """Not as OK: nobody got the answer."""
    began = asyncio.Event()

    async def act(text, context):
        began.set()
        await asyncio.Event().wait()
        return text

    server = await serve(act)
    with capture_logs() as entries:
        caller = asyncio.ensure_future(call(connect(server), "View", **VIEWER))
        await began.wait()
        caller.cancel()
        # The server hears of it in its own time, also after it has stopped.
        async with asyncio.timeout(10):
            while not lines(entries):
                await asyncio.sleep(0.01)
        await until_stopped(server)

    assert [line["code"] for line in lines(entries)] == ["CANCELLED"]


async def test_rpcs_are_counted_by_code(serve, connect):
    """One OK and one NOT_FOUND are one of each, and none is in flight after."""

    async def act(text, context):
        if text == "missing":
            raise NotFound("gone")
        return text

    server = await serve(act)
    channel = connect(server)
    before = [handled("Edit", code) for code in ("OK", "NOT_FOUND")]
    await asyncio.gather(
        *(call(channel, "Edit", text, **bearer("editor")) for text in ("there", "missing")), return_exceptions=True
    )
    await until_stopped(server)

    counted = [handled("Edit", code) - old for code, old in zip(("OK", "NOT_FOUND"), before, strict=True)]
    assert (counted, in_flight("Edit")) == ([1, 1], 0)


async def test_an_open_rpc_is_in_flight(serve, connect):
    """The gauge counts a call while it runs."""
    seen = []

    async def act(text, context):
        seen.append(in_flight("Administer"))
        return text

    await call(connect(await serve(act)), "Administer", **bearer("admin"))

    assert seen == [1]


async def forever(text, context):
    await asyncio.Event().wait()
    return text


async def raw_call(server, timeout=None):
    """A call by a client that is not ours, and sets no deadline unless told to."""
    async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        return await call(channel, "View", timeout=timeout, **VIEWER)


async def test_a_call_without_a_deadline_gets_one(serve):
    """A client that would wait for ever is told that its time is up."""
    server = await serve(forever, deadline_s=0.05)

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await raw_call(server)

    assert caught.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED


async def test_a_method_may_have_its_own_deadline(serve):
    """deadlines_s goes before the default."""
    server = await serve(forever, deadlines_s={path("View"): 0.05})

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await raw_call(server)

    assert caught.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED


async def test_a_clients_own_deadline_stands(serve):
    """Who says how long it waits may wait longer than our default: long polls do."""

    async def act(text, context):
        await asyncio.sleep(0.1)
        return "in time"

    server = await serve(act, deadline_s=0.01)

    assert await raw_call(server, timeout=5) == "in time"


async def test_a_time_out_within_a_method_is_no_deadline(serve):
    """TimeoutError of the method's own doing is an error like others."""

    async def act(text, context):
        raise TimeoutError

    server = await serve(act)

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await raw_call(server)

    assert caught.value.code() == grpc.StatusCode.INTERNAL


async def test_a_call_that_waits_for_what_hangs_is_answered(serve, connect):
    """What hangs raises nothing: the probe says so, and the caller learns it within two seconds."""

    async def hang(text, context):
        await asyncio.Event().wait()

    async def probe():
        return Unavailable("the store does not answer", reason="STORE_UNAVAILABLE")

    channel = connect(await serve(hang, probe=probe))

    async with asyncio.timeout(2):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call(channel, "View", **VIEWER)

    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_a_call_that_is_only_slow_is_waited_for(serve, connect):
    """Where everything answers, looking around changes nothing."""
    looked = asyncio.Event()

    async def slow(text, context):
        await looked.wait()
        return "late"

    async def probe():
        looked.set()

    channel = connect(await serve(slow, probe=probe))

    with capture_logs() as entries:
        answer = await call(channel, "View", **VIEWER)

    assert answer == "late"
    assert [line["caller"] for line in lines(entries)] == ["token"]


async def test_a_patient_method_is_not_looked_at(serve, connect):
    """A long poll waits by design, whatever the probe would say."""

    async def slow(text, context):
        await asyncio.sleep(PATIENCE_S * 1.5)
        return "late"

    async def probe():
        return Unavailable("never asked", reason="NEVER")

    channel = connect(await serve(slow, probe=probe, patient=[path("View")]))

    assert await call(channel, "View", **VIEWER) == "late"
