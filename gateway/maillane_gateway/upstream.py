"""The service behind the gateway: calls to any of its methods, by descriptor."""

import asyncio
from typing import Any

import grpc
from google.protobuf import message_factory
from google.protobuf.descriptor import MethodDescriptor
from maillane_chassis.errors import Unavailable
from maillane_chassis.forwarding import ORIGIN
from starlette.requests import Request

from maillane_gateway.http.exchange import REQUEST_ID_HEADER

CONNECT_S = 1.5
"""How long a request waits for a connection: a restart is over by then, and an outage is said within two seconds."""


class Upstream:
    """One channel, whose methods take any request message."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.channel = channel

    def unary_unary(self, method: MethodDescriptor) -> Any:
        """A callable as grpc.aio makes it."""
        return self.channel.unary_unary(method_path(method), **_codecs(method))

    def unary_stream(self, method: MethodDescriptor) -> Any:
        """A callable as grpc.aio makes it."""
        return self.channel.unary_stream(method_path(method), **_codecs(method))

    def stream_unary(self, method: MethodDescriptor) -> Any:
        """A callable as grpc.aio makes it."""
        return self.channel.stream_unary(method_path(method), **_codecs(method))

    async def connected(self) -> None:
        """Waits until there is a connection: as nothing was sent yet, this carries writes too over a restart.

        Raises:
            Unavailable: there is none after CONNECT_S.
        """
        try:
            async with asyncio.timeout(CONNECT_S):
                while (state := self.channel.get_state(try_to_connect=True)) is not grpc.ChannelConnectivity.READY:
                    await self.channel.wait_for_state_change(state)
        except TimeoutError:
            raise Unavailable("the service does not answer; try again", retry_after_s=CONNECT_S) from None


def method_path(method: MethodDescriptor) -> str:
    """As gRPC names it on the wire: `/package.Service/Method`."""
    return f"/{method.containing_service.full_name}/{method.name}"


def metadata(request: Request) -> tuple[tuple[str, str], ...]:
    """What a call carries of a request: whose it is, by which id to find it in the logs, and from where it came.

    The last is the other end of the connection, or what proxies say that are known; never what just any header says.
    """
    return (("authorization", request.state.authorization), *origin_metadata(request))


def origin_metadata(request: Request) -> tuple[tuple[str, str], ...]:
    """What a call carries of a request that needs no account: by which id to find it, and from where it came."""
    carried = ((REQUEST_ID_HEADER, request.state.request_id),)
    return carried if request.client is None else (*carried, (ORIGIN, _peer(*request.client)))


def _peer(host: str, port: int) -> str:
    return f"ipv6:[{host}]:{port}" if ":" in host else f"ipv4:{host}:{port}"


def _codecs(method: MethodDescriptor) -> dict[str, Any]:
    request, response = (message_factory.GetMessageClass(each) for each in (method.input_type, method.output_type))
    return {"request_serializer": request.SerializeToString, "response_deserializer": response.FromString}
