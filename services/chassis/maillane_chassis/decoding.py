"""Requests that are no messages of their method's type: refused as any other bad request.

gRPC parses a request before any interceptor runs. Where that fails it answers UNKNOWN by itself, to anybody, without a
log line or a metric; and the parts of a stream raise where they are read, as if the method had failed. Hence what
cannot be parsed becomes a mark here, which is refused innermost, after access, log and metrics had their say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import grpc
from google.protobuf.message import DecodeError

from maillane_chassis.around import behaviour_of, with_behaviour
from maillane_chassis.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from maillane_chassis.around import Context, Handler

_UNDECODABLE: Final = object()


class DecodingInterceptor(grpc.aio.ServerInterceptor):
    """Stands innermost: what it lets through is a message of the method's type."""

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        """Gives the method's handler, which now raises InvalidArgument for a request that cannot be parsed."""
        handler = await continuation(handler_call_details)
        if handler is None or handler.request_deserializer is None:
            return handler
        behaviour = behaviour_of(handler)
        check = _each_checked if handler.request_streaming else _checked

        async def answer(request: Any, context: Context) -> Any:
            return await behaviour(check(request), context)

        return with_behaviour(handler, answer, _marking(handler.request_deserializer))


def _marking(deserialize: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    def read(raw: bytes) -> Any:
        try:
            return deserialize(raw)
        except DecodeError:
            return _UNDECODABLE

    return read


def _checked(request: Any) -> Any:
    if request is _UNDECODABLE:
        raise InvalidArgument([], message="the request is no message of this method's type", reason="UNDECODABLE")
    return request


async def _each_checked(requests: AsyncIterator[Any]) -> AsyncIterator[Any]:
    async for request in requests:
        yield _checked(request)
