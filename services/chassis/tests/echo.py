"""A service of the tests: a method for each access and each kind of streaming, whose behaviour a test passes in."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any, cast

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, wrappers_pb2
from maillane.options.v1 import access_pb2
from maillane_chassis.server import Registration

if TYPE_CHECKING:
    from google.protobuf.descriptor import ServiceDescriptor

NAME = "maillane.test.v1.EchoService"
Text = wrappers_pb2.StringValue
Act = Callable[[str, Any], Awaitable[str]]

# Method: its access, whether its requests and its responses stream.
METHODS: dict[str, tuple[int, bool, bool]] = {
    "View": (access_pb2.ACCESS_VIEWER, False, False),
    "Edit": (access_pb2.ACCESS_EDITOR, False, False),
    "Administer": (access_pb2.ACCESS_ADMIN, False, False),
    "Serve": (access_pb2.ACCESS_SERVICE, False, False),
    "Greet": (access_pb2.ACCESS_OPEN, False, False),
    "Forgotten": (access_pb2.ACCESS_UNSPECIFIED, False, False),
    "Count": (access_pb2.ACCESS_VIEWER, False, True),
    "Gather": (access_pb2.ACCESS_VIEWER, True, False),
    "Talk": (access_pb2.ACCESS_VIEWER, True, True),
}


async def same(text: str, context: Any) -> str:
    """What Echo does if a test says nothing else."""
    return text


class Echo:
    """Answers each request by `act`; Count yields its answer three times."""

    def __init__(self, act: Act = same) -> None:
        self.act = act

    async def one(self, request: Text, context: Any) -> Text:
        return Text(value=await self.act(request.value, context))

    async def count(self, request: Text, context: Any) -> AsyncIterator[Text]:
        for number in range(3):
            yield Text(value=await self.act(f"{request.value}{number}", context))

    async def gather(self, requests: AsyncIterator[Text], context: Any) -> Text:
        return Text(value=await self.act("+".join([request.value async for request in requests]), context))

    async def talk(self, requests: AsyncIterator[Text], context: Any) -> AsyncIterator[Text]:
        async for request in requests:
            yield Text(value=await self.act(request.value, context))


def path(method: str) -> str:
    return f"/{NAME}/{method}"


def registration(act: Act = same) -> Registration[Echo]:
    return Registration(_descriptor(), _add, Echo(act))


async def call(channel: grpc.aio.Channel, method: str, text: str = "", **kwargs: Any) -> str:
    """Calls one of the unary methods."""
    ask = channel.unary_unary(
        path(method), request_serializer=Text.SerializeToString, response_deserializer=Text.FromString
    )
    return (await ask(Text(value=text), **kwargs)).value


def stream(channel: grpc.aio.Channel, method: str, *texts: str, **kwargs: Any) -> Any:
    """Begins one of the streaming methods."""
    _, request_streaming, response_streaming = METHODS[method]
    kind = "_".join("stream" if side else "unary" for side in (request_streaming, response_streaming))
    begin = getattr(channel, kind)(
        path(method), request_serializer=Text.SerializeToString, response_deserializer=Text.FromString
    )
    requests = [Text(value=text) for text in texts]
    return begin(iter(requests) if request_streaming else requests[0], **kwargs)


@functools.cache
def _descriptor() -> ServiceDescriptor:
    pool = descriptor_pool.Default()
    file = descriptor_pb2.FileDescriptorProto(
        name="maillane/test/v1/echo_service.proto",
        package="maillane.test.v1",
        syntax="proto3",
        dependency=["google/protobuf/wrappers.proto", "maillane/options/v1/access.proto"],
    )
    service = file.service.add(name="EchoService")
    for name, (access, request_streaming, response_streaming) in METHODS.items():
        method = service.method.add(
            name=name,
            input_type=".google.protobuf.StringValue",
            output_type=".google.protobuf.StringValue",
            client_streaming=request_streaming,
            server_streaming=response_streaming,
        )
        if access != access_pb2.ACCESS_UNSPECIFIED:
            method.options.Extensions[access_pb2.access] = cast(Any, access)
    pool.AddSerializedFile(file.SerializeToString())
    return pool.FindServiceByName(NAME)


def _add(echo: Echo, server: grpc.aio.Server) -> None:
    streaming = {"Count": echo.count, "Gather": echo.gather, "Talk": echo.talk}
    handlers = {}
    for name, (_, request_streaming, response_streaming) in METHODS.items():
        kind = "_".join("stream" if side else "unary" for side in (request_streaming, response_streaming))
        make = getattr(grpc, f"{kind}_rpc_method_handler")
        handlers[name] = make(
            streaming.get(name, echo.one),
            request_deserializer=Text.FromString,
            response_serializer=Text.SerializeToString,
        )
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(NAME, handlers),))
