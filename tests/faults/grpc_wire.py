"""The least of a gRPC client: bytes out, the code of the answer back."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

import grpc

from .malformed_grpc import Call

CALL_S: Final = 20.0
LONG_S: Final = 0.3
LONG: Final = frozenset({"ClaimMessages", "VerifyMailbox"})
"""These wait, for as long as they are asked to, or for a mail server: not so long here."""
STREAM_S: Final = 0.3
"""How long a stream of answers is listened to: a watch goes on for as long as anybody does."""

CUT_OFF: Final = "CUT_OFF"
NOT_SENT: Final = "NOT_SENT"
_WROTE_TOO_LATE: Final = "Internal error from Core"
"""What the client makes, by itself, of a large part that it was still writing when the server had answered."""


async def outcome(channel: grpc.aio.Channel, call: Call) -> tuple[str, str]:
    """Makes a call; the name of its code and its words. A stream that was still open counts as OK."""
    kind = "_".join("stream" if side else "unary" for side in (call.streams, call.stream_back))
    make: Any = getattr(channel, kind)(call.path)
    request = _each(call.messages) if call.streams else call.messages[0]
    patience_s = LONG_S if call.path.rpartition("/")[2] in LONG else CALL_S
    try:
        answer = make(request, metadata=call.metadata, timeout=patience_s)
        await (_listen(answer) if call.stream_back else answer)
    except grpc.aio.AioRpcError as error:
        words = error.details() or ""
        return (CUT_OFF if words == _WROTE_TOO_LATE else error.code().name), words
    except (ValueError, grpc.aio.UsageError, grpc.aio.InternalError) as error:
        return NOT_SENT, str(error)
    return "OK", ""


async def _listen(stream: Any) -> None:
    try:
        async with asyncio.timeout(STREAM_S):
            async for _ in stream:
                pass
    except TimeoutError:
        stream.cancel()


async def _each(messages: tuple[bytes, ...]) -> AsyncIterator[bytes]:
    for message in messages:
        yield message
