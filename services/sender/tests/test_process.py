"""The sender as a process: how it starts, and how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import sys
import time
from collections.abc import AsyncIterator

from maillane.scheduler.v1 import dispatch_service_pb2 as pb

from .fake_scheduler import SERVICE_KEY, FakeScheduler, messages, serving
from .scripted import Do, Scripted, scripted
from .test_dispatch import reached

START_S = 20
"""For a process on a busy machine."""


@contextlib.asynccontextmanager
async def process(fake: FakeScheduler, smtp: Scripted, **settings: str) -> AsyncIterator[asyncio.subprocess.Process]:
    environment = {
        **os.environ,
        "MAILLANE_SERVICE_KEY": SERVICE_KEY,
        "MAILLANE_SENDER_PORT": "0",
        "MAILLANE_SCHEDULER_TARGET": f"127.0.0.1:{fake.port}",
        "MAILLANE_SMTP_ALLOW_PRIVATE": "true",
        "MAILLANE_SMTP_PORTS": str(smtp.port),
        "MAILLANE_LOG_FORMAT": "json",
        **settings,
    }
    started = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "maillane_sender", env=environment, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
            await started.wait()


@contextlib.asynccontextmanager
async def two_at_work(script: list[Do]) -> AsyncIterator[tuple[Scripted, FakeScheduler]]:
    """An SMTP server that does this after content, and a scheduler with two messages for one connection."""
    async with scripted({"CONTENT": script}) as smtp, serving(FakeScheduler()) as fake:
        fake.mailbox(smtp.port, max_connections=1)
        fake.campaign()
        await fake.put(*messages(2))
        yield smtp, fake


async def output(of: asyncio.subprocess.Process) -> str:
    assert of.stdout is not None
    return (await of.stdout.read()).decode()


async def test_sigterm_finishes_what_is_in_content() -> None:
    """What is in content is sent, what is not goes back, both are told, and the process ends well."""
    async with two_at_work([Do.WAIT]) as (smtp, fake), process(fake, smtp) as sender:
        async with asyncio.timeout(START_S):
            await reached(smtp, "CONTENT")
        sender.send_signal(signal.SIGTERM)
        await fake.until(lambda: 2 in fake.settled)
        smtp.released.set()
        log = await output(sender)

        assert await sender.wait() == 0
        assert [fake.settled[n].outcome for n in (1, 2)] == [pb.OUTCOME_SENT, pb.OUTCOME_RETURNED]
        assert '"untold": 0' in log


async def test_sigterm_is_over_in_time() -> None:
    """A server that does not answer holds the process for its drain limit and no longer; its message is unconfirmed."""
    async with two_at_work([Do.WAIT]) as (smtp, fake), process(fake, smtp, MAILLANE_DRAIN_S="0.5") as sender:
        await reached(smtp, "CONTENT")
        began = time.monotonic()
        sender.send_signal(signal.SIGTERM)
        await output(sender)

        assert await sender.wait() == 0
        assert time.monotonic() - began < 0.5 + 2
        assert fake.settled[1].outcome == pb.OUTCOME_UNCONFIRMED


async def test_a_replaced_process_ends() -> None:
    """Its exit code says so, so that nobody starts it again at once; its log says so in words."""
    async with two_at_work([]) as (smtp, fake), process(fake, smtp) as sender:
        fake.replaced = True
        log = await output(sender)

        assert await sender.wait() == 3
        assert "another process has this sender's name" in log


async def test_a_port_in_use() -> None:
    """The process says so and ends."""
    async with two_at_work([]) as (smtp, fake), process(fake, smtp, MAILLANE_SENDER_PORT=str(fake.port)) as sender:
        await output(sender)

        assert await sender.wait() == 1


async def test_logs_name_no_address() -> None:
    """There is one line a delivery, with ids, and nothing of the recipient or the message."""
    async with two_at_work([]) as (smtp, fake), process(fake, smtp) as sender:
        await fake.all_settled(2)
        sender.send_signal(signal.SIGTERM)
        log = await output(sender)

    assert len(re.findall('"event": "delivery"', log)) == 2
    assert not re.search(r"example|Hello|acme", log)
