"""Whether a part of the system is ready to work."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable

import grpc.aio
import httpx
from grpc_health.v1 import health_pb2

from maillane_local.ports import LOOPBACK

LOOK_S = 2.0
"""How long one look may take."""

CHECK = "/grpc.health.v1.Health/Check"
"""Called by its name, for the stub's types do not know its method."""

Look = Callable[[], Awaitable[bool]]
"""Looks once: whether the part is ready."""


def grpc_health(port: int, credentials: grpc.ChannelCredentials | None = None) -> Look:
    """Looks at the gRPC health service of a process on this machine."""

    async def look() -> bool:
        target = f"{LOOPBACK}:{port}"
        channel = grpc.aio.secure_channel(target, credentials) if credentials else grpc.aio.insecure_channel(target)
        async with channel:
            check = channel.unary_unary(
                CHECK,
                request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
                response_deserializer=health_pb2.HealthCheckResponse.FromString,
            )
            try:
                answer = await check(health_pb2.HealthCheckRequest(), timeout=LOOK_S)
            except grpc.aio.AioRpcError:
                return False
            return answer.status == health_pb2.HealthCheckResponse.SERVING

    return look


def http_ready(url: str) -> Look:
    """Looks whether a URL answers 200."""

    async def look() -> bool:
        async with httpx.AsyncClient(timeout=LOOK_S, trust_env=False) as client:
            try:
                return (await client.get(url)).is_success
            except httpx.TransportError:
                return False

    return look


def tcp_accepts(port: int) -> Look:
    """Looks whether somebody accepts connections there."""

    async def look() -> bool:
        try:
            _, writer = await asyncio.wait_for(asyncio.open_connection(LOOPBACK, port), LOOK_S)
        except (OSError, TimeoutError, ssl.SSLError):
            return False
        writer.close()
        return True

    return look
