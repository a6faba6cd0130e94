"""Server streams of google.api.HttpBody as files: the bytes as they are, not JSON.

A call that fails once the file has begun cuts the connection, so that no client takes half a file for the whole.
"""

import asyncio
from contextlib import suppress
from typing import Any

import grpc
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from maillane_gateway.transcode.binding import Binding
from maillane_gateway.transcode.stream import gone, send_in_time

HTTP_BODY = "google.api.HttpBody"


class Interrupted(Exception):
    """The call failed in the middle of a file; the server closes the connection."""


def is_download(binding: Binding) -> bool:
    """Whether what a binding answers with is a file."""
    field = binding.method.output_type.fields_by_name.get(binding.response_body)
    message = field.message_type if field is not None else None
    return message is not None and message.full_name == HTTP_BODY


def file_name(binding: Binding, content_type: str) -> str:
    """What a browser saves it as: after the collection, `messages.csv` of `/v1/messages:export`."""
    collection = binding.template.text.rpartition(":")[0].rpartition("/")[2]
    return f"{collection}.{content_type.partition(';')[0].rpartition('/')[2]}"


class Download(Response):
    """Sends a call's bodies until it ends, the client leaves, or the gateway stops; the call never outlives it."""

    def __init__(self, call: Any, first: Any, stopping: asyncio.Event, binding: Binding) -> None:
        part = getattr(first, binding.response_body) if first is not grpc.aio.EOF else None
        kind = part.content_type if part is not None else "application/octet-stream"
        name = file_name(binding, kind)
        headers = {"cache-control": "no-store", "content-disposition": f'attachment; filename="{name}"'}
        super().__init__(headers=headers, media_type=kind)
        # A stream has no length.
        del self.headers["content-length"]
        self._call = call
        self._message = first
        self._stopping = stopping
        self._field = binding.response_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's signature
        """Runs the download to its end.

        Raises:
            Interrupted: the call failed, or the gateway stops, before its end.
        """
        left = asyncio.ensure_future(gone(receive))
        stopped = asyncio.ensure_future(self._stopping.wait())
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            while self._message is not grpc.aio.EOF:
                data = getattr(self._message, self._field).data
                await send_in_time(send, {"type": "http.response.body", "body": data, "more_body": True})
                # Read on only once that was sent: a slow client slows the call, by HTTP/2 flow control.
                if not await self._read({left, stopped}):
                    return
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._call.cancel()
            left.cancel()
            stopped.cancel()
            await asyncio.gather(left, stopped, return_exceptions=True)

    async def _read(self, ends: set[asyncio.Future[Any]]) -> bool:
        """Takes the next part; False: the client left."""
        reading = asyncio.ensure_future(self._call.read())
        done, _ = await asyncio.wait({reading, *ends}, return_when=asyncio.FIRST_COMPLETED)
        if reading not in done:
            reading.cancel()
            with suppress(asyncio.CancelledError, grpc.aio.AioRpcError):
                await reading
            if self._stopping.is_set():
                raise Interrupted("the gateway stops")
            return False
        try:
            self._message = reading.result()
        except grpc.aio.AioRpcError as error:
            raise Interrupted(error.code().name) from None
        return True
