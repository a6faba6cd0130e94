"""Bytes that are no message are refused as any other bad request, in a log line and a metric."""

import grpc
import pytest
from structlog.testing import capture_logs

from .conftest import bearer
from .echo import METHODS, Text, call, path

GARBAGE = b"\x0a\xff\xff\xff\xff\x0fx"
UNARY = ["View", "Count"]
STREAMING = ["Gather", "Talk"]


async def refusal(channel, method, *raw, token="viewer"):
    """Sends raw bytes, and gives the error that comes back."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await _send(channel, method, raw, bearer(token))
    return caught.value


async def _send(channel, method, raw, credential):
    _, streams, streams_back = METHODS[method]
    kind = "_".join("stream" if side else "unary" for side in (streams, streams_back))
    answer = getattr(channel, kind)(path(method))(iter(raw) if streams else raw[0], **credential)
    if not streams_back:
        return await answer
    return [message async for message in answer]


@pytest.mark.parametrize("method", [*UNARY, *STREAMING])
async def test_bytes_that_are_no_message(serve, connect, method):
    """INVALID_ARGUMENT, for all four kinds."""
    error = await refusal(connect(await serve()), method, GARBAGE)

    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "no message of this method's type" in error.details()


@pytest.mark.parametrize("method", STREAMING)
async def test_bytes_that_are_no_message_in_the_middle_of_a_stream(serve, connect, method):
    """The stream ends there, in the same way."""
    good = Text(value="a").SerializeToString()
    error = await refusal(connect(await serve()), method, good, GARBAGE, good)

    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_who_may_not_call_is_told_that_first(serve, connect):
    """Garbage from nobody is UNAUTHENTICATED."""
    error = await refusal(connect(await serve()), "View", GARBAGE, token="none")

    assert error.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_it_is_logged(serve, connect):
    """One line, with its code."""
    server = await serve()
    with capture_logs() as entries:
        await refusal(connect(server), "View", GARBAGE)
        await server.stop(5)

    assert [entry["code"] for entry in entries if entry["event"] == "rpc"] == ["INVALID_ARGUMENT"]
    assert not [entry for entry in entries if entry["event"] == "rpc_crashed"]


async def test_messages_pass(serve, connect):
    """What is one reaches the method as it is."""
    assert await call(connect(await serve()), "View", "hello", **bearer("viewer")) == "hello"
