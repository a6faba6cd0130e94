"""Between two steps: what one store did and the other did not yet, and who comes in between."""

import asyncio

import psycopg
from maillane_scheduler.queue.values import Settled
from maillane_scheduler.store import leases

from .world import INCARNATION, World


async def test_a_message_that_the_queue_had_given_up_comes_back_when_it_is_released(here: World) -> None:
    """Its flight was gone (the commit took longer than the hand-over lease): its mark brings it back into its lane."""
    mailbox = here.mailbox()
    here.campaign([mailbox], 1)
    await here.sweep()
    hand_out = await here.claim(1)
    await here.scheduler.queue.settle([Settled(mailbox, hand_out.rows[0].message, hand_out.token)])
    await here.give_back(hand_out, spent=False)
    here.sql("UPDATE marks SET create_time = now() - interval '1 hour'")

    await here.sweep()

    assert len((await here.claim(1)).rows) == 1


async def test_an_import_after_a_wipe_does_not_open_a_lane_before_its_flags_are_known(here: World) -> None:
    """New recipients reach an empty generation first: its lanes keep their gap all the same."""
    mailbox = here.mailbox()
    campaign = here.campaign([mailbox], 5, delay_us=60_000_000, start="-1 hour")
    await here.sweep()
    messages = [(message, 1) for (message,) in here.sql("SELECT id FROM messages ORDER BY id")]
    await here.scheduler.redis.flushall()

    await here.scheduler.sync.enqueue(campaign, [], {mailbox: messages})

    assert len((await here.claim(5)).rows) <= 1


async def test_a_refused_claim_costs_its_lane_no_gap(here: World) -> None:
    """A claim is refused because of a pause; once resumed, the campaign goes on at once, not after a whole delay."""
    campaign = here.campaign([here.mailbox(gap_us=3_600_000_000)], 3, delay_us=3_600_000_000, start="-1 min")
    await here.sweep()
    here.sql("UPDATE campaigns SET state = 3, revision = revision + 1")
    await here.claim(1)

    here.sql("UPDATE campaigns SET state = 2, revision = revision + 1")
    await here.scheduler.sync.campaign(campaign)
    turns = [await here.claim(1) for _ in range(3)]

    assert sum(len(turn.rows) for turn in turns) == 1


async def test_what_a_repeated_claim_brings_after_a_pause_is_revoked_at_once(here: World) -> None:
    """Its first answer was lost, then the campaign was paused: the sender is told, and asks, to hand all of it back.

    Nothing takes it from the sender: a call that was stalled, while its repeat was answered, looks the same.
    """
    campaign = here.campaign([here.mailbox()], 5)
    await here.sweep()
    await here.claim(3, claim_id=7)
    here.sql("UPDATE campaigns SET state = 3, revision = revision + 1")

    again = await here.claim(3, claim_id=7)
    renewal = await leases.renew(here.scheduler.pool, [again.token], "s1", INCARNATION, 60)

    assert sorted(again.revoked) == sorted(renewal.revoked) == [row.message for row in again.rows]
    assert here.counts(campaign) == {"PENDING": 2, "SENDING": 3}


async def test_a_replay_that_meets_the_lease_sweep_brings_everything(here: World) -> None:
    """It waits for the sweep, and takes back what that has called UNCONFIRMED a moment before."""
    campaign = here.campaign([here.mailbox()], 5)
    await here.sweep()
    await here.claim(5, claim_id=7)
    here.sql("UPDATE claims SET lease_until = now() - interval '1 s'")
    async with await psycopg.AsyncConnection.connect(here.database_url, cursor_factory=psycopg.AsyncRawCursor) as other:
        await other.execute(leases._SWEEP)
        replay = asyncio.create_task(here.claim(5, claim_id=7))
        await here.somebody_waits()
        await other.commit()

        again = await replay

    assert len(again.rows) == 5
    assert here.counts(campaign) == here.states() == {"SENDING": 5}


async def test_a_release_that_meets_the_lease_sweep_takes_effect(here: World) -> None:
    """The sender says that nothing was sent while the sweep calls it UNCONFIRMED: the sender is believed."""
    campaign = here.campaign([here.mailbox()], 5)
    await here.sweep()
    hand_out = await here.claim(5)
    here.sql("UPDATE claims SET lease_until = now() - interval '1 s'")
    async with await psycopg.AsyncConnection.connect(here.database_url, cursor_factory=psycopg.AsyncRawCursor) as other:
        await other.execute(leases._SWEEP)
        release = asyncio.create_task(here.give_back(hand_out, spent=False))
        await here.somebody_waits()
        await other.commit()

        assert await release == 5
    assert here.counts(campaign) == here.states() == {"PENDING": 5}
