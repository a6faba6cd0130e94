"""How a sender stops: what is in content is finished, what is not begun goes back, nothing is stranded."""

from __future__ import annotations

import asyncio
import time

from maillane.scheduler.v1 import dispatch_service_pb2 as pb
from maillane_sender.dispatch import Drained
from maillane_sender.dispatch.dispatch import TELL_S

from .fake_scheduler import FakeScheduler, message, messages, serving
from .running import running
from .scripted import Do
from .test_dispatch import reached, world


async def test_content_is_finished_and_the_rest_goes_back() -> None:
    """The message in content is sent, those that wait are handed back at once."""
    async with world({"CONTENT": [Do.WAIT]}, sender_concurrency=1) as (smtp, fake, run):
        await fake.put(*messages(3))
        await reached(smtp, "CONTENT")
        drain = asyncio.create_task(run.sender.dispatch.drain(10))
        await fake.until(lambda: {2, 3} <= set(fake.settled))
        smtp.released.set()
        drained = await drain

        assert drained == Drained(returned=2, unanswered=0, untold=0)
        assert [fake.settled[n].outcome for n in (1, 2, 3)] == [pb.OUTCOME_SENT, *[pb.OUTCOME_RETURNED] * 2]


async def test_an_envelope_is_broken_off() -> None:
    """A message whose content has not begun is not waited for."""
    async with world({"DATA": [Do.WAIT]}) as (smtp, fake, run):
        await fake.put(message(1))
        await reached(smtp, "DATA")
        drained = await run.sender.dispatch.drain(10)

    assert drained == Drained(returned=1, unanswered=0, untold=0)
    assert smtp.messages == []


async def test_the_limit() -> None:
    """What is not answered within the limit is left, and told to be unconfirmed."""
    async with world({"CONTENT": [Do.WAIT]}) as (smtp, fake, run):
        await fake.put(message(1))
        await reached(smtp, "CONTENT")
        drained = await run.sender.dispatch.drain(0.05)

    assert drained == Drained(returned=0, unanswered=1, untold=0)
    assert fake.settled[1].outcome == pb.OUTCOME_UNCONFIRMED


async def test_the_shortest_limit_holds() -> None:
    """Draining again changes nothing but a limit that was longer, and answers the same."""
    async with world({"CONTENT": [Do.WAIT]}) as (smtp, fake, run):
        await fake.put(message(1))
        await reached(smtp, "CONTENT")
        first = asyncio.create_task(run.sender.dispatch.drain(60))
        second = await run.sender.dispatch.drain(0.05)

        assert await first == second == Drained(returned=0, unanswered=1, untold=0)


async def test_an_open_claim_is_closed() -> None:
    """The claim that is open is repeated with its id and without slots."""
    async with world() as (_, fake, run):
        await fake.until(lambda: len(fake.of(pb.ClaimMessagesRequest)) == 1)
        await run.sender.dispatch.drain(10)

    asked = [(call.claim_id, call.slots) for call in fake.of(pb.ClaimMessagesRequest)]
    assert asked == [(asked[0][0], 15), (asked[0][0], 0)]


async def test_what_an_open_claim_had_brought_goes_back() -> None:
    """Messages of a claim whose answer never came are handed back unsent."""
    async with world() as (smtp, fake, run):
        fake.fail["ClaimMessages"] = 2
        await fake.put(*messages(3))
        await fake.until(lambda: fake.fail["ClaimMessages"] < 2)
        drained = await run.sender.dispatch.drain(10)

    assert (drained.returned, len(smtp.messages)) == (3, 0)
    assert {settle.outcome for settle in fake.settled.values()} == {pb.OUTCOME_RETURNED}


async def test_nothing_is_claimed_after_a_drain() -> None:
    """The process stays up and takes nothing more."""
    async with world() as (_, fake, run):
        await run.sender.dispatch.drain(10)
        asked = len(fake.of(pb.ClaimMessagesRequest))
        await fake.put(message(1))

        assert run.sender.dispatch.draining
        assert len(fake.of(pb.ClaimMessagesRequest)) == asked


async def test_a_scheduler_that_is_gone() -> None:
    """Draining ends all the same, a little after its limit, and says how many outcomes could not be told."""
    async with world({"CONTENT": [Do.WAIT]}, drain_s=0) as (smtp, _fake, _run):
        fake = FakeScheduler()
        fake.mailbox(smtp.port)
        fake.campaign()
        async with serving(fake):
            run = running(fake.port, smtp.port, drain_s=0)
            at_work = await run.__aenter__()
            await fake.put(*messages(1))
            await reached(smtp, "CONTENT")
        began = time.monotonic()
        drained = await at_work.sender.dispatch.drain(0.1)
        await run.__aexit__(None, None, None)

    assert (drained.unanswered, drained.untold) == (1, 1)
    assert time.monotonic() - began < 0.1 + TELL_S + 1.5
