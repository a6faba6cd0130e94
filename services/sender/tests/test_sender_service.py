"""What operators and the gateway ask of a sender, over gRPC."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2
from maillane.sender.v1 import sender_service_pb2 as pb
from maillane.sender.v1.sender_service_pb2_grpc import SenderServiceStub
from maillane_chassis.channel import open_channel

from .fake_scheduler import FakeScheduler, message
from .running import Running
from .scripted import Do, Script, Scripted
from .test_dispatch import reached, world

CHECK = "/grpc.health.v1.Health/Check"


@contextlib.asynccontextmanager
async def asked(
    script: Script | None = None, **changes: Any
) -> AsyncIterator[tuple[Scripted, FakeScheduler, Running, SenderServiceStub]]:
    async with world(script, **changes) as (smtp, fake, run):
        # A sender claims once it listens.
        await fake.until(lambda: bool(fake.calls))
        async with open_channel(f"127.0.0.1:{run.sender.server.port}", run.sender.settings) as channel:
            yield smtp, fake, run, SenderServiceStub(channel)


async def test_the_status() -> None:
    """It names the sender, and counts what it holds and does."""
    async with asked({"CONTENT": [Do.WAIT]}, sender_concurrency=1) as (smtp, fake, run, stub):
        await fake.put(message(1))
        await reached(smtp, "CONTENT")
        status = await stub.GetStatus(pb.GetStatusRequest())

    assert (status.sender_id, status.incarnation) == ("s1", run.sender.scheduler.incarnation)
    assert (status.held, status.sending, status.connections, status.draining) == (1, 1, 1, False)


async def test_a_drain() -> None:
    """It hands back what waits, says so, and the process is up but serves no more."""
    async with asked({"DATA": [Do.WAIT]}) as (smtp, fake, run, stub):
        await fake.put(message(1))
        await reached(smtp, "DATA")
        drained = await stub.Drain(pb.DrainRequest())
        status = await stub.GetStatus(pb.GetStatusRequest())
        async with open_channel(f"127.0.0.1:{run.sender.server.port}", run.sender.settings) as channel:
            check = channel.unary_unary(
                CHECK,
                request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
                response_deserializer=health_pb2.HealthCheckResponse.FromString,
            )
            health = await check(health_pb2.HealthCheckRequest())

    assert drained == pb.DrainResponse(returned=1)
    assert (status.draining, status.held) == (True, 0)
    assert health.status == health_pb2.HealthCheckResponse.NOT_SERVING


async def test_a_drain_whose_caller_goes_away() -> None:
    """It goes on, and another call hears its end."""
    async with asked({"CONTENT": [Do.WAIT]}) as (smtp, fake, _run, stub):
        await fake.put(message(1))
        await reached(smtp, "CONTENT")
        with pytest.raises(grpc.aio.AioRpcError):
            await stub.Drain(pb.DrainRequest(), timeout=0.2)
        again = asyncio.ensure_future(stub.Drain(pb.DrainRequest()))
        smtp.released.set()

        assert await again == pb.DrainResponse()


async def test_a_limit_out_of_range() -> None:
    """A drain waits for a minute at most."""
    async with asked() as (_smtp, _fake, run, stub):
        request = pb.DrainRequest()
        request.limit.FromSeconds(61)
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await stub.Drain(request)

        assert error.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert not run.sender.dispatch.draining
