"""Parks: never longer than what they stand for holds, and never missing, whoever comes in between."""

import asyncio
import time

import psycopg
import pytest
from maillane_chassis.errors import Unavailable
from maillane_scheduler.handover import Finished
from maillane_scheduler.states import MessageState, ParkReason
from maillane_scheduler.store import parks
from maillane_scheduler.store.parks import GATE
from structlog.testing import capture_logs

from .world import World, limiter_at, world


async def test_permits_that_were_not_used_lift_the_park_that_they_had_caused(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One claim is granted all that is left; before it takes any, another finds nothing and parks the mailbox."""
    here.campaign([here.mailbox(hourly=5)], 20)
    await here.sweep()
    queue = here.scheduler.queue
    claim = queue.claim

    async def late(*arguments):
        monkeypatch.setattr(queue, "claim", claim)
        await here.claim(5)
        return await claim(*arguments)

    monkeypatch.setattr(queue, "claim", late)
    first = await here.claim(5)
    await here.scheduler.dispatcher.close()

    second = await here.claim(5)

    assert len(first.rows + second.rows) == 5


async def test_a_park_that_comes_after_the_refund_is_lifted(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A claim finds no permits; before it parks the mailbox, all of them come back."""
    here.campaign([here.mailbox(hourly=5)], 20)
    await here.sweep()
    held = await here.claim(5)
    queue = here.scheduler.queue
    park = queue.park_gate

    async def late(*arguments):
        monkeypatch.setattr(queue, "park_gate", park)
        await here.give_back(held, spent=False)
        await park(*arguments)

    monkeypatch.setattr(queue, "park_gate", late)
    assert (await here.claim(5)).rows == []
    await here.scheduler.dispatcher.close()

    again = await here.claim(5)

    assert len(again.rows) == 5


async def test_a_refund_lifts_the_campaigns_park_in_all_its_mailboxes(here: World) -> None:
    """The campaign's limit parks its lanes in both mailboxes; what one returns the other may use."""
    one, other = here.mailbox(), here.mailbox()
    here.campaign([one, other], 10, hourly=5)
    await here.sweep()
    turns = [await here.claim(1) for _ in range(7)]
    here.sql("UPDATE mailboxes SET state = 2, revision = revision + 1 WHERE id = %s", one)
    await here.scheduler.sync.mailboxes([one])
    returned = [turn for turn in turns if turn.rows and turn.rows[0].mailbox == one]
    for turn in returned:
        await here.give_back(turn, spent=False)
    await here.scheduler.dispatcher.close()

    again = [row for _ in range(5) for row in (await here.claim(1)).rows]

    assert [row.mailbox for row in again] == [other] * len(returned)


async def test_a_limiter_whose_clock_is_behind_is_not_asked_again_and_again(
    database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its window ends in the past of the queue's clock: the mailbox is parked for as long as the window has left."""
    async with (
        limiter_at(redis_url, now_us=_two_hours_ago_us) as target,
        world(database_url, redis_url, target) as here,
    ):
        here.campaign([here.mailbox(hourly=5)], 50)
        await here.sweep()
        await here.claim(5)
        asked = 0
        reserve = here.scheduler.limiter.reserve

        async def counted(*arguments):
            nonlocal asked
            asked += 1
            return await reserve(*arguments)

        monkeypatch.setattr(here.scheduler.limiter, "reserve", counted)
        assert (await here.claim(5, wait_s=1)).rows == []

    assert asked <= 2


async def test_what_is_finished_is_settled_though_the_limiter_is_away(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing new can be handed out, but what was sent is known to be."""
    campaign = here.campaign([here.mailbox()], 4)
    await here.sweep()
    first = await here.claim(2)

    async def away(*_):
        raise Unavailable("the limiter does not answer")

    monkeypatch.setattr(here.scheduler.limiter, "reserve", away)
    finished = [Finished(row.message, first.token, MessageState.SENT, 250, "ok") for row in first.rows]
    with pytest.raises(Unavailable):
        await here.claim(2, finished=finished)

    assert here.counts(campaign) == {"SENT": 2, "PENDING": 2}


async def test_permits_of_a_claim_that_the_queue_did_not_answer_come_back(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Redis fails between the reservation and the claim: nothing was handed out, and nothing counts."""
    here.campaign([here.mailbox(hourly=5)], 20)
    await here.sweep()
    queue = here.scheduler.queue
    claim = queue.claim

    async def away(*_):
        monkeypatch.setattr(queue, "claim", claim)
        raise TimeoutError

    monkeypatch.setattr(queue, "claim", away)
    with pytest.raises(TimeoutError):
        await here.claim(5)
    await here.scheduler.dispatcher.close()

    assert len((await here.claim(5)).rows) == 5


async def test_permits_that_cannot_come_back_are_told_of(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for their return, so that nobody else would hear that it failed."""
    here.campaign([here.mailbox()], 5)
    await here.sweep()
    queue = here.scheduler.queue

    async def away(*_):
        raise TimeoutError("away")

    monkeypatch.setattr(queue, "claim", away)
    monkeypatch.setattr(here.scheduler.settler, "lift", away)
    with capture_logs() as said:
        with pytest.raises(TimeoutError):
            await here.claim(5)
        await here.scheduler.dispatcher.close()

    assert [entry["error"] for entry in said if entry["event"] == "return_failed"] == ["TimeoutError"]


async def test_a_rest_that_the_queue_does_not_know_is_told_with_the_next_strain(here: World) -> None:
    """Who sent the mailbox to rest died before the queue knew: the next refusal does not come back at once."""
    mailbox = here.mailbox()
    here.campaign([mailbox], 10)
    await here.sweep()
    await here.give_back(await here.claim(5), spent=False, strained="421 slow down")
    here.sql("UPDATE parks SET until_time = now() + interval '1 hour'")
    await here.scheduler.queue.park_gate(mailbox, "backoff", 0)
    await here.give_back(await here.claim(5), spent=False, strained="421 slow down")

    assert (await here.claim(5)).rows == []


async def test_a_park_that_is_lifted_while_the_queue_is_told_of_it_stays_lifted(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was read before it was gone, and is told after it was lifted."""
    mailbox = here.mailbox(hourly=5)
    here.campaign([mailbox], 20)
    await here.sweep()
    await here.claim(5)
    assert (await here.claim(5)).rows == []
    queue = here.scheduler.queue
    configure = queue.configure_gate

    async def late(*arguments):
        monkeypatch.setattr(queue, "configure_gate", configure)
        await here.scheduler.settler.lift(ParkReason.LIMIT, [(mailbox, GATE)])
        return await configure(*arguments)

    monkeypatch.setattr(queue, "configure_gate", late)
    await here.scheduler.sync.mailboxes([mailbox])

    assert (await queue.due(5)).offers


async def test_a_park_that_is_told_while_it_is_lifted_is_lifted(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told after the queue lifted it, and before Postgres forgot it."""
    mailbox = here.mailbox(hourly=5)
    here.campaign([mailbox], 20)
    await here.sweep()
    await here.claim(5)
    assert (await here.claim(5)).rows == []
    forget = parks.lift

    async def late(*arguments):
        await here.scheduler.sync.mailboxes([mailbox])
        return await forget(*arguments)

    monkeypatch.setattr(parks, "lift", late)
    await here.scheduler.settler.lift(ParkReason.LIMIT, [(mailbox, GATE)])

    assert (await here.scheduler.queue.due(5)).offers


async def test_a_mailbox_that_is_resumed_while_it_is_sent_to_rest_does_not_rest(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the row of its rest and the queue's park, a person resumes it: the row is gone, and so is the park."""
    mailbox = here.mailbox()
    here.campaign([mailbox], 10)
    await here.sweep()
    queue = here.scheduler.queue
    park = queue.park_gate

    async def late(*arguments):
        monkeypatch.setattr(queue, "park_gate", park)
        here.sql("DELETE FROM parks")
        await here.scheduler.sync.mailboxes([mailbox])
        await park(*arguments)

    held = await here.claim(5)
    monkeypatch.setattr(queue, "park_gate", late)
    await here.give_back(held, spent=False, strained="421 slow down")

    assert (await here.claim(5)).rows


async def test_one_strain_told_to_two_schedulers_is_one_rest(here: World) -> None:
    """Both are about to raise the back-off when neither has: the second finds the mailbox resting."""
    mailbox = here.mailbox()
    with psycopg.connect(here.database_url) as connection:
        connection.execute("SELECT FROM mailboxes WHERE id = %s FOR UPDATE", (mailbox,))
        both = [asyncio.ensure_future(parks.back_off(here.scheduler.pool, mailbox, 30, 60, "421")) for _ in range(2)]
        async with asyncio.timeout(5):
            while len(here.sql("SELECT 1 FROM pg_locks WHERE NOT granted")) < 2:
                await asyncio.sleep(0.01)
    rests = await asyncio.gather(*both)

    assert sorted(rest.is_new for rest in rests) == [False, True]
    assert here.sql("SELECT backoff_level FROM mailboxes") == [(1,)]


async def test_a_strain_that_is_told_after_the_rest_that_it_was_part_of_is_no_second(here: World) -> None:
    """What was in flight when the mailbox went to rest tells nothing new, however late; what was claimed since does."""
    mailbox = here.mailbox()
    here.campaign([mailbox], 10)
    await here.sweep()
    prompt, late = await here.claim(5), await here.claim(5)
    levels = []
    for held in (prompt, late, None):
        assert await here.give_back(held or await here.claim(10), spent=False, strained="421 slow down")
        levels += here.sql("SELECT backoff_level FROM mailboxes")
        async with asyncio.timeout(5):
            while not here.sql("SELECT 1 FROM parks WHERE until_time <= now()"):
                await asyncio.sleep(0.01)

    assert levels == [(1,), (1,), (2,)]


def _two_hours_ago_us() -> int:
    return time.time_ns() // 1000 - 7_200_000_000
