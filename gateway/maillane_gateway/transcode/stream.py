"""Server streams as server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html).

Each message is an event without a name, whose data is its JSON. An error is an event named `error`, whose data is what
the body of an error would be. A comment every HEARTBEAT_S keeps proxies from closing the connection.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import grpc
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from maillane_gateway.http.problem import error_json, status_of
from maillane_gateway.transcode.answer import to_json

HEARTBEAT_S = 15.0
"""Proxies cut idle connections after 30 s or more."""

SEND_S = 30.0
"""A client that takes nothing for so long is gone or hangs."""

_HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}


class EventStream(Response):
    """Sends a call's messages until it ends, the client leaves, or the gateway stops; the call never outlives it."""

    def __init__(self, call: Any, first: asyncio.Future[Any], stopping: asyncio.Event, response_body: str = "") -> None:
        super().__init__(headers=_HEADERS, media_type="text/event-stream")
        # A stream has no length.
        del self.headers["content-length"]
        self._call = call
        self._next = first
        self._stopping = stopping
        self._response_body = response_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's signature
        """Runs the stream to its end."""
        ends: set[asyncio.Future[Any]] = {
            asyncio.ensure_future(gone(receive)),
            asyncio.ensure_future(self._stopping.wait()),
        }
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            async with aclosing(self._events(ends)) as events:
                async for event in events:
                    await send_in_time(send, {"type": "http.response.body", "body": event, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._call.cancel()
            for waiting in (*ends, self._next):
                waiting.cancel()
            await asyncio.gather(*ends, self._next, return_exceptions=True)

    async def _events(self, ends: set[asyncio.Future[Any]]) -> AsyncGenerator[bytes, None]:
        while True:
            done, _ = await asyncio.wait({self._next, *ends}, timeout=HEARTBEAT_S, return_when=asyncio.FIRST_COMPLETED)
            if done & ends:
                return
            if not done:
                yield b": heartbeat\n\n"
                continue
            try:
                message = self._next.result()
            except grpc.aio.AioRpcError as error:
                yield b"event: error\n" + _data(error_json(status_of(error)))
                return
            if message is grpc.aio.EOF:
                return
            yield _data(to_json(getattr(message, self._response_body) if self._response_body else message))
            # Read on only once that was sent: a slow client slows the call, by HTTP/2 flow control.
            self._next = asyncio.ensure_future(self._call.read())


def _data(line: bytes) -> bytes:
    """An event's data: JSON on one line, for json.dumps escapes line breaks."""
    return b"data: " + line + b"\n\n"


async def send_in_time(send: Send, message: Message) -> None:
    """Sends a part of an answer.

    Raises:
        ClientDisconnect: the client took nothing for SEND_S.
    """
    try:
        async with asyncio.timeout(SEND_S):
            await send(message)
    except TimeoutError:
        raise ClientDisconnect from None


async def gone(receive: Receive) -> None:
    """Returns once the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass
