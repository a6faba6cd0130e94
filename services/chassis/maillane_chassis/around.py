"""Interceptors that are one coroutine around an rpc, whichever of the four kinds it is."""

from __future__ import annotations

import abc
import inspect
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, TypeAlias

import grpc

Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
Proceed: TypeAlias = Callable[[], Awaitable[Any]]
Behaviour: TypeAlias = Callable[[Any, Context], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Method:
    """A method that is served: its path (`/package.Service/Method`), and whether either side streams."""

    path: str
    request_streaming: bool
    response_streaming: bool


class AroundInterceptor(grpc.aio.ServerInterceptor, abc.ABC):
    """Runs `around` about every rpc, request and response messages unseen.

    A method's handler never changes while a server runs, so each is wrapped once. The outermost interceptor of a server
    answers from its table and asks those within it no more: one look-up an rpc, however many interceptors there are.
    """

    def __init__(self) -> None:
        # Bounded by the number of methods that are served: what is not served is not kept.
        self._wrapped: dict[str, Handler] = {}

    @abc.abstractmethod
    async def around(self, method: Method, context: Context, proceed: Proceed) -> Any:
        """Does what comes before, gives what `await proceed()` gives, and does what comes after.

        `proceed` raises what the rpc raises, and ends when the rpc has: of a stream, after the last response was sent.
        """

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        """Gives the method's handler with `around` about it, or None where nobody serves the method."""
        path = handler_call_details.method
        wrapped = self._wrapped.get(path)
        if wrapped is None:
            handler = await continuation(handler_call_details)
            if handler is None:
                return None
            wrapped = self._wrapped[path] = self._wrap(path, handler)
        return wrapped

    def _wrap(self, path: str, handler: Handler) -> Handler:
        method = Method(path, bool(handler.request_streaming), bool(handler.response_streaming))
        behaviour = behaviour_of(handler)
        around = self.around

        async def answer(request: Any, context: Context) -> Any:
            return await around(method, context, lambda: behaviour(request, context))

        return with_behaviour(handler, answer)


def behaviour_of(handler: Handler) -> Behaviour:
    """What a handler does, as a coroutine, whichever of the four kinds it is."""
    return _as_coroutine(getattr(handler, _kind(handler)))


def with_behaviour(
    handler: Handler, behaviour: Behaviour, request_deserializer: Callable[[bytes], Any] | None = None
) -> Handler:
    """The handler, doing something else, and reading its requests otherwise where a deserializer is given."""
    make: Callable[..., Handler] = getattr(grpc, f"{_kind(handler)}_rpc_method_handler")
    return make(
        behaviour,
        request_deserializer=request_deserializer or handler.request_deserializer,
        response_serializer=handler.response_serializer,
    )


def _kind(handler: Handler) -> str:
    sides = (handler.request_streaming, handler.response_streaming)
    return "_".join("stream" if side else "unary" for side in sides)


def _as_coroutine(behaviour: Callable[[Any, Context], Any]) -> Behaviour:
    """A method that yields its responses, as one that writes them: what a coroutine can be put around.

    (Async generators in each layer would do too, but each costs more than all that the layers do.)
    """
    if not inspect.isasyncgenfunction(behaviour):
        return behaviour

    async def write_all(request: Any, context: Context) -> None:
        async with aclosing(behaviour(request, context)) as responses:
            async for response in responses:
                await context.write(response)

    return write_all
