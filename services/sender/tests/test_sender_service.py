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
from .scripted import Do, Script, Scripted, scripted
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


def mailbox(port: int, **changes: Any) -> pb.VerifyMailboxRequest:
    return pb.VerifyMailboxRequest(**{"host": "127.0.0.1", "port": port, "security": pb.SECURITY_NONE, **changes})


async def test_a_mailbox_is_verified() -> None:
    """A server that lets us in is verified, and is sent nothing."""
    async with asked() as (smtp, _fake, _run, stub):
        answer = await stub.VerifyMailbox(mailbox(smtp.port))

        assert answer == pb.VerifyMailboxResponse(verified=True)
        assert smtp.verbs == ["EHLO", "QUIT"]


async def test_what_a_server_refuses() -> None:
    """The step that failed is named in words for a person, with the server's own beside them."""
    async with asked({"EHLO": ["550 5.7.1 not from there", "550 5.7.1 not from there"]}) as (smtp, _fake, _run, stub):
        answer = await stub.VerifyMailbox(mailbox(smtp.port))

    assert (answer.verified, answer.failed_step) == (False, pb.STEP_HELLO)
    assert answer.reason == "the server refused to talk to this host"
    assert answer.reply.startswith("550")


async def test_nobody_listens_there() -> None:
    """Without a server there are only our words."""
    async with scripted() as gone:
        pass
    async with asked(smtp_ports=str(gone.port)) as (_smtp, _fake, _run, stub):
        answer = await stub.VerifyMailbox(mailbox(gone.port))

    assert (answer.failed_step, answer.reason, answer.reply) == (pb.STEP_CONNECT, "Connection refused", "")


@pytest.mark.parametrize(
    "changes",
    [
        {"host": ""},
        {"host": "x" * 254},
        {"port": 0},
        {"port": 70_000},
        {"port": 22},
        {"security": pb.SECURITY_UNSPECIFIED},
        {"username": "u" * 321},
        {"password": "a\nb"},
        {"host": "169.254.169.254"},
        {"host": "8.8.8.8"},
    ],
)
async def test_what_may_not_be_verified(changes: dict[str, Any]) -> None:
    """A field that is out of range, or a host, port or security that is not allowed, is an error of the call."""
    async with asked() as (smtp, _fake, _run, stub):
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await stub.VerifyMailbox(mailbox(**{"port": smtp.port, **changes}))

    assert error.value.code() is grpc.StatusCode.INVALID_ARGUMENT


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
