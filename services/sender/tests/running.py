"""A sender in the test's own process."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from maillane_chassis.clock import SYSTEM_CLOCK, Clock
from maillane_sender.dispatch import End, Pace
from maillane_sender.sender import Sender
from maillane_sender.settings import Settings

from .fake_scheduler import SERVICE_KEY

BRISK = Pace(renew_every_s=0.05, retry_first_s=0.02, retry_most_s=0.1)
"""For tests that wait for what usually takes seconds."""


@dataclass
class Running:
    """A sender at work, and how to stop it."""

    sender: Sender
    stopping: asyncio.Event
    task: asyncio.Task[End | None]

    async def stop(self) -> End | None:
        self.stopping.set()
        return await self.task


def sender_settings(scheduler_port: int, smtp_port: int, **changes: Any) -> Settings:
    values: dict[str, Any] = {
        "service_key": SERVICE_KEY,
        "sender_port": 0,
        "sender_id": "s1",
        "scheduler_target": f"127.0.0.1:{scheduler_port}",
        "smtp_allow_private": True,
        "smtp_ports": str(smtp_port),
        "drain_s": 5,
        "log_format": "json",
    }
    return Settings.model_validate({**values, **changes})


@contextlib.asynccontextmanager
async def running(
    scheduler_port: int, smtp_port: int, *, pace: Pace = BRISK, clock: Clock = SYSTEM_CLOCK, **changes: Any
) -> AsyncIterator[Running]:
    sender = Sender(sender_settings(scheduler_port, smtp_port, **changes), pace=pace, clock=clock)
    stopping = asyncio.Event()
    run = Running(sender, stopping, asyncio.create_task(sender.serve(stopping)))
    try:
        yield run
    finally:
        stopping.set()
        await run.task
