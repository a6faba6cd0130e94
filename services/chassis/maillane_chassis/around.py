"""Interceptors that are one context manager around an rpc, whichever of the four kinds it is."""

from __future__ import annotations

import abc
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass
from typing import Any, TypeAlias

import grpc

Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
_Behaviour: TypeAlias = Callable[[Any, Context], Any]


@dataclass(frozen=True, slots=True)
class Rpc:
    """One call: its method (`/package.Service/Method`), whether either side streams, and gRPC's context."""

    method: str
    request_streaming: bool
    response_streaming: bool
    context: Context


class AroundInterceptor(grpc.aio.ServerInterceptor, abc.ABC):
    """Runs `around` about every rpc, request and response messages unseen.

    A method's handler never changes while a server runs, so each is wrapped once. The outermost interceptor of a server
    answers from its table and asks those within it no more: one look-up an rpc, however many interceptors there are.
    """

    def __init__(self) -> None:
        # Bounded by the number of methods that are served: what is not served is not kept.
        self._wrapped: dict[str, Handler] = {}

    @abc.abstractmethod
    def around(self, rpc: Rpc) -> AbstractAsyncContextManager[None]:
        """What happens before and after one rpc; errors of the rpc are raised where the body stands."""

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        """Gives the method's handler with `around` about it, or None where nobody serves the method."""
        method = handler_call_details.method
        wrapped = self._wrapped.get(method)
        if wrapped is None:
            handler = await continuation(handler_call_details)
            if handler is None:
                return None
            wrapped = self._wrapped[method] = self._wrap(method, handler)
        return wrapped

    def _wrap(self, method: str, handler: Handler) -> Handler:
        behaviour, make = _parts(handler)
        request_streaming, response_streaming = bool(handler.request_streaming), bool(handler.response_streaming)
        around = self.around

        async def answer(request: Any, context: Context) -> Any:
            async with around(Rpc(method, request_streaming, response_streaming, context)):
                return await behaviour(request, context)

        async def generate(request: Any, context: Context) -> AsyncIterator[Any]:
            async with (
                around(Rpc(method, request_streaming, response_streaming, context)),
                aclosing(behaviour(request, context)) as responses,
            ):
                async for response in responses:
                    yield response

        # A streaming method is a generator, or a coroutine that calls context.write; only the first is iterated.
        wrapped = generate if inspect.isasyncgenfunction(behaviour) else answer
        return make(
            wrapped,
            request_deserializer=handler.request_deserializer,
            response_serializer=handler.response_serializer,
        )


def _parts(handler: Handler) -> tuple[_Behaviour, Callable[..., Handler]]:
    sides = (handler.request_streaming, handler.response_streaming)
    kind = "_".join("stream" if streaming else "unary" for streaming in sides)
    return getattr(handler, kind), getattr(grpc, f"{kind}_rpc_method_handler")
