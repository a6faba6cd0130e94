"""Whether the process is up, and whether it can do its work."""

from typing import cast

import grpc
from google.protobuf.descriptor import MethodDescriptor
from grpc_health.v1 import health_pb2
from maillane_chassis.errors import Unavailable
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from maillane_gateway.upstream import Upstream

_CHECK = health_pb2.DESCRIPTOR.services_by_name["Health"].methods_by_name["Check"]

READY_S = 1.0
"""A probe's own time-out is usually a second or two."""


async def healthz(_request: Request, _variables: dict[str, str]) -> Response:
    """The process answers."""
    return JSONResponse({"status": "SERVING"})


class Readyz:
    """Asks the scheduler's health: without it nothing here works."""

    def __init__(self, upstream: Upstream) -> None:
        self._check = upstream.unary_unary(cast(MethodDescriptor, _CHECK))

    async def __call__(self, _request: Request, _variables: dict[str, str]) -> Response:
        """Answers 200, or raises Unavailable with the reason."""
        try:
            health = await self._check(health_pb2.HealthCheckRequest(), timeout=READY_S)
        except grpc.aio.AioRpcError as error:
            raise Unavailable(f"the scheduler does not answer ({error.code().name})", reason="NOT_READY") from None
        if health.status != health_pb2.HealthCheckResponse.SERVING:
            state = health_pb2.HealthCheckResponse.ServingStatus.Name(health.status)
            raise Unavailable(f"the scheduler says {state}", reason="NOT_READY")
        return JSONResponse({"status": "SERVING"})
