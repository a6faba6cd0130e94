"""Reading request bodies within bounds of size and time."""

import asyncio
from collections.abc import AsyncIterator

from google.rpc import code_pb2
from starlette.requests import Request
from starlette.types import Receive

from maillane_gateway.http.problem import HttpFailure

MAX_SHOWN_CHARS = 40
"""Of a header's value in a refusal."""

MAX_DRAINED_BYTES = 64 * 1024 * 1024
MAX_DRAIN_S = 2.0
"""How much, and how long, is still read of a body that was refused: who is cut off while writing often never sees the
answer."""


async def chunks(request: Request, *, limit_bytes: int, idle_s: float) -> AsyncIterator[bytes]:
    """The body as it comes.

    Raises:
        HttpFailure: 415, it is compressed; 413, it is longer than `limit_bytes`, said or found; 408, nothing came for
            `idle_s`.
        ClientDisconnect: the client went away.
    """
    _refuse_encoding(request)
    said = request.headers.get("content-length", "0")
    if said.isdigit() and int(said) > limit_bytes:
        raise too_large(limit_bytes)
    stream, taken = request.stream(), 0
    while True:
        try:
            async with asyncio.timeout(idle_s):
                chunk = await anext(stream, None)
        except TimeoutError:
            message = f"nothing came for {idle_s:g} s"
            raise HttpFailure(408, code_pb2.DEADLINE_EXCEEDED, message) from None
        if chunk is None:
            return
        taken += len(chunk)
        if taken > limit_bytes:
            raise too_large(limit_bytes)
        if chunk:
            yield chunk


async def read(request: Request, *, limit_bytes: int, within_s: float) -> bytes:
    """The whole of a small body.

    Raises:
        HttpFailure: 415 or 413, or 408 where it was not whole in time.
        ClientDisconnect: the client went away.
    """
    taken = bytearray()
    try:
        async with asyncio.timeout(within_s):
            async for chunk in chunks(request, limit_bytes=limit_bytes, idle_s=within_s):
                taken += chunk
    except TimeoutError:
        message = f"the body was not whole within {within_s:g} s"
        raise HttpFailure(408, code_pb2.DEADLINE_EXCEEDED, message) from None
    return bytes(taken)


async def drain(receive: Receive) -> None:
    """Reads on, within bounds, and forgets it; for bodies that are refused before their end."""
    left = MAX_DRAINED_BYTES
    try:
        async with asyncio.timeout(MAX_DRAIN_S):
            while left > 0:
                message = await receive()
                left -= len(message.get("body", b""))
                if message["type"] == "http.disconnect" or not message.get("more_body", False):
                    return
    except TimeoutError:
        return


def too_large(limit_bytes: int) -> HttpFailure:
    """The refusal of a body that is longer than `limit_bytes`."""
    size = f"{limit_bytes // 1024**2} MiB" if limit_bytes >= 1024**2 else f"{limit_bytes // 1024} KiB"
    return HttpFailure(413, code_pb2.INVALID_ARGUMENT, f"the body is larger than {size}")


def _refuse_encoding(request: Request) -> None:
    """Refuses what would have to be unpacked first, which a few KiB could make gigabytes of (RFC 9110 §15.5.16)."""
    encodings = ", ".join(request.headers.getlist("content-encoding")).strip().lower()
    if encodings not in {"", "identity"}:
        message = f"content-encoding {encodings[:MAX_SHOWN_CHARS]} is not supported; send the body as it is"
        raise HttpFailure(
            415,
            code_pb2.INVALID_ARGUMENT,
            message,
            {"accept-encoding": "identity"},
            reason="CONTENT_ENCODING_UNSUPPORTED",
        )
