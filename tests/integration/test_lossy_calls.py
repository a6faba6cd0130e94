"""A network that loses answers and delivers requests twice, between sender, scheduler and limiter."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any

import grpc

from .test_sender import Inbox, inbox, mailbox, sending, serving, until
from .world import World

__all__ = ["inbox", "serving"]

SEED = 20_261_124
HARM = 0.3
"""Of calls, by each way of going wrong."""


class LossyStub:
    """Calls over gRPC of which some arrive and are not answered, and some arrive once more, at once or late."""

    def __init__(self, stub: Any, chance: random.Random) -> None:
        self._stub = stub
        self._chance = chance
        self.harmed: Counter[str] = Counter()
        self._late: set[asyncio.Task[Any]] = set()

    def __getattr__(self, rpc: str) -> Callable[..., Coroutine[Any, Any, Any]]:
        async def call(request: Any, timeout: float) -> Any:
            method = getattr(self._stub, rpc)
            if self._chance.random() < HARM:
                self.harmed["repeated"] += 1
                self._repeat(self._again(method, request, timeout, self._chance.uniform(0, 0.2)))
            answer = await method(request, timeout=timeout)
            if self._chance.random() < HARM:
                self.harmed["lost"] += 1
                nothing = grpc.aio.Metadata()
                raise grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, nothing, nothing, "the answer is lost")
            return answer

        return call

    async def done(self) -> None:
        """Waits for what arrives late."""
        if self._late:
            await asyncio.wait(self._late)

    def _repeat(self, again: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.get_running_loop().create_task(again)
        self._late.add(task)
        task.add_done_callback(self._late.discard)

    @staticmethod
    async def _again(method: Any, request: Any, timeout: float, after_s: float) -> None:
        """The same request once more; nobody hears its answer."""
        await asyncio.sleep(after_s)
        await asyncio.wait([asyncio.ensure_future(method(request, timeout=timeout))])


async def test_each_message_is_sent_once_over_a_lossy_network(serving: World, inbox: Inbox) -> None:
    """Three in ten answers are lost, three in ten requests come twice: all 300 arrive once, and are SENT."""
    chance = random.Random(SEED)
    campaign = serving.campaign([mailbox(serving, inbox), mailbox(serving, inbox)], 150)
    limiter = LossyStub(serving.scheduler.limiter._stub, chance)
    serving.scheduler.limiter._stub = limiter  # type: ignore[assignment]
    async with sending(serving, inbox) as (sender, _):
        scheduler = LossyStub(sender.scheduler._stub, chance)
        sender.scheduler._stub = scheduler  # type: ignore[assignment]
        await until(serving, SENT=300)
        await scheduler.done()
    await limiter.done()

    assert min(scheduler.harmed.values()) > 10
    assert len(set(inbox.recipients)) == len(inbox.recipients) == 300
    assert serving.counts(campaign) == {"SENT": 300}


async def test_a_limit_holds_over_a_lossy_network(serving: World, inbox: Inbox) -> None:
    """Reservations and refunds whose answers are lost, or that come twice, give away nothing: at most 40 leave."""
    chance = random.Random(SEED)
    limited = mailbox(serving, inbox)
    serving.sql("UPDATE mailboxes SET hourly_limit = 40, revision = revision + 1")
    serving.campaign([limited], 100)
    limiter = LossyStub(serving.scheduler.limiter._stub, chance)
    serving.scheduler.limiter._stub = limiter  # type: ignore[assignment]
    async with sending(serving, inbox) as (sender, _):
        scheduler = LossyStub(sender.scheduler._stub, chance)
        sender.scheduler._stub = scheduler  # type: ignore[assignment]
        async with asyncio.timeout(20):
            while not serving.sql("SELECT 1 FROM parks WHERE reason = 1") or serving.states().get("SENDING"):
                await asyncio.sleep(0.02)
        await scheduler.done()
    await limiter.done()

    assert 0 < len(inbox.recipients) <= 40
    assert len(set(inbox.recipients)) == len(inbox.recipients)
