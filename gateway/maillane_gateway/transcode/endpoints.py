"""What answers a transcoded route: unary rpcs with JSON, server-streaming ones with events."""

import asyncio
from collections.abc import Iterable, Iterator
from typing import Any

import grpc
from google.protobuf.descriptor import ServiceDescriptor
from maillane_chassis.errors import DeadlineExceeded
from starlette.requests import Request
from starlette.responses import Response

from maillane_gateway.http.problem import respond, status_of
from maillane_gateway.http.routing import Endpoint, Route
from maillane_gateway.transcode.answer import to_json
from maillane_gateway.transcode.binding import Binding, bindings
from maillane_gateway.transcode.download import Download, is_download
from maillane_gateway.transcode.naming import rename_fields
from maillane_gateway.transcode.request import read_request
from maillane_gateway.transcode.stream import EventStream
from maillane_gateway.upstream import Upstream, metadata, method_path

UNARY_S = 10.0
"""The deadline of a unary call; each of them takes milliseconds in good health."""

FIRST_EVENT_S = 2.0
"""How long a stream's first message may take to decide what the answer is; after that it is a stream."""


def routes(
    services: Iterable[ServiceDescriptor], upstream: Upstream, stopping: asyncio.Event, *, unary_s: float = UNARY_S
) -> Iterator[Route]:
    """A route for every binding of these services; `unary_s` is the deadline of unary calls."""
    for binding in bindings(services):
        yield Route(binding.verb, binding.template, _endpoint(binding, upstream, stopping, unary_s))


def repeatable(services: Iterable[ServiceDescriptor]) -> set[str]:
    """The methods that change nothing, for the channel may repeat them: those that are a GET."""
    return {method_path(binding.method) for binding in bindings(services) if binding.verb == "GET"}


def _endpoint(binding: Binding, upstream: Upstream, stopping: asyncio.Event, unary_s: float) -> Endpoint:
    if not binding.method.server_streaming:
        return UnaryEndpoint(binding, upstream, unary_s)
    if is_download(binding):
        return DownloadEndpoint(binding, upstream, stopping)
    return StreamEndpoint(binding, upstream, stopping)


class UnaryEndpoint:
    """One request, one answer."""

    def __init__(self, binding: Binding, upstream: Upstream, deadline_s: float) -> None:
        self._binding = binding
        self._upstream = upstream
        self._deadline_s = deadline_s
        self._method = upstream.unary_unary(binding.method)

    async def __call__(self, request: Request, variables: dict[str, str]) -> Response:
        """Calls the rpc and answers with its response, or the part of it that the rule names."""
        message = await read_request(self._binding, request, variables)
        await self._upstream.connected()
        try:
            response = await self._method(message, metadata=metadata(request), timeout=self._deadline_s)
        except grpc.aio.AioRpcError as error:
            return respond(rename_fields(status_of(error), self._binding))
        part = getattr(response, self._binding.response_body) if self._binding.response_body else response
        return Response(to_json(part), media_type="application/json")


class StreamEndpoint:
    """One request, a stream of events (text/event-stream)."""

    def __init__(self, binding: Binding, upstream: Upstream, stopping: asyncio.Event) -> None:
        self._binding = binding
        self._upstream = upstream
        self._stopping = stopping
        self._method = upstream.unary_stream(binding.method)

    async def __call__(self, request: Request, variables: dict[str, str]) -> Response:
        """Starts the call. One that fails before its first message is answered as a unary one would be."""
        message = await read_request(self._binding, request, variables)
        if request.method == "HEAD":
            return Response(media_type="text/event-stream")
        await self._upstream.connected()
        call: Any = self._method(message, metadata=metadata(request))
        first = asyncio.ensure_future(call.read())
        try:
            await asyncio.wait({first}, timeout=FIRST_EVENT_S)
            if first.done() and first.exception() is not None:
                await first
        except grpc.aio.AioRpcError as error:
            return respond(rename_fields(status_of(error), self._binding))
        except BaseException:
            first.cancel()
            call.cancel()
            raise
        return EventStream(call, first, self._stopping, self._binding.response_body)


class DownloadEndpoint:
    """One request, a file."""

    def __init__(self, binding: Binding, upstream: Upstream, stopping: asyncio.Event) -> None:
        self._binding = binding
        self._upstream = upstream
        self._stopping = stopping
        self._method = upstream.unary_stream(binding.method)

    async def __call__(self, request: Request, variables: dict[str, str]) -> Response:
        """Starts the call, and waits for its first part, which says what the file is."""
        message = await read_request(self._binding, request, variables)
        if request.method == "HEAD":
            return Response()
        await self._upstream.connected()
        call: Any = self._method(message, metadata=metadata(request))
        try:
            async with asyncio.timeout(UNARY_S):
                first = await call.read()
        except grpc.aio.AioRpcError as error:
            return respond(rename_fields(status_of(error), self._binding))
        except TimeoutError:
            call.cancel()
            raise DeadlineExceeded("the file did not begin in time") from None
        except BaseException:
            call.cancel()
            raise
        return Download(call, first, self._stopping, self._binding)
