"""The seams that are easy to get wrong, a test each.

| seam | proved by |
| --- | --- |
| a settle later than its lease | test_dispatch: a late settle says what really happened |
| a resend while the first try could still succeed | test_resending: a resend waits by both clocks |
| two schedulers with one claim id | test_dispatch: two schedulers that meet over one claim id answer alike |
| a refund repeated | here: a refund counts once, also across a wipe; the limiter's test_rate_limit |
| a refund into a later window or epoch | the limiter's test_limiter: a refund after every window; test_losses |
| a permit used after its window | test_two_schedulers: a claim that waited past its permit's window is refused |
| Pause and Resume that overtake each other | here: a pause that is told late does not undo a resume |
| a retry under a cancelled or completed campaign | here: what is handed back; test_resending: retries |
| a start during an import | the API's test_imports: an import holds its campaign open; here: a start during an import |
| a mailbox deleted and made again | here: an address has no fresh quota in another mailbox |
| a lane with a gap, served in turns | test_dispatch: a gap lets one message go at a time; the queue's test_fairness |
| a claim refused, for each reason, with no hot loop | here: a refused claim is not met again and again |
| a compare-and-set that waited while a restore, pause or stop went by | here; test_two_schedulers |
| a scheduler killed between commit and script, on each verb | test_cut_off |
| a claim answered only after its lease | here: a claim that is answered after its lease |
| a late settle against a resend | test_resending: a late settle tells the truth of a resend |
| two clocks that disagree about the window | test_parks: a limiter whose clock is behind is not asked again and again |
| a mailbox whose sender was killed with its cap full | here: a full mailbox goes on when its sender is gone |
"""

import asyncio
import time
from collections.abc import AsyncIterator

import psycopg
import pytest
import structlog
from maillane_chassis.errors import FailedPrecondition
from maillane_scheduler.dispatch.dispatcher import HandOut
from maillane_scheduler.handover import Ask
from maillane_scheduler.scheduler import Scheduler
from maillane_scheduler.store import lanes

from .world import World, settings, world


@pytest.fixture
async def worlds(database_url: str, redis_url: str, limiter_target: str) -> AsyncIterator[tuple[World, World]]:
    """One tenant, two schedulers."""
    async with (
        world(database_url, redis_url, limiter_target) as one,
        Scheduler(settings(database_url, redis_url, limiter_target)) as second,
    ):
        yield one, World(second, database_url, one.workspace, one.addresses)


async def test_a_raised_limit_counts_at_a_scheduler_that_remembers_the_old_one(worlds: tuple[World, World]) -> None:
    """The old limit grants it nothing, so no compare-and-set could refuse: the mailbox is not parked all the same."""
    one, two = worlds
    mailbox = one.mailbox(hourly=5)
    one.campaign([mailbox], 20)
    await one.sweep()
    await two.claim(2)
    await one.claim(10)
    one.sql("UPDATE mailboxes SET hourly_limit = 8, revision = revision + 1")
    one.sql("DELETE FROM parks")
    await one.scheduler.sync.mailboxes([mailbox])

    hand_out = await two.claim(10, wait_s=4)

    assert len(hand_out.rows) == 3


async def test_a_claim_that_reaches_a_scheduler_late_takes_nothing_from_its_sender(worlds: tuple[World, World]) -> None:
    """Its repeat was answered elsewhere and is being sent; the campaign was paused since: all of it stays SENDING."""
    one, two = worlds
    campaign = one.campaign([one.mailbox()], 5)
    await one.sweep()
    held = await one.claim(5, claim_id=7)
    one.sql("UPDATE campaigns SET state = 3, revision = revision + 1")

    await two.claim(5, claim_id=7)

    assert len(held.rows) == 5
    assert one.counts(campaign) == {"SENDING": 5}


async def test_a_scheduler_that_stalls_before_it_answers_takes_nothing_back_that_was_told(
    database_url: str, redis_url: str, limiter_target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another one told the sender of it; the window of its permits has ended: the messages stay the sender's."""
    async with (
        world(database_url, redis_url, limiter_target, hour_s=1) as one,
        Scheduler(settings(database_url, redis_url, limiter_target, hour_s=1)) as second,
    ):
        two = World(second, database_url, one.workspace, one.addresses)
        one.campaign([one.mailbox()], 5)
        await one.sweep()
        told: list[HandOut] = []
        answer = one.scheduler.dispatcher._answer

        async def stalled(ask, granted, token, taken, claimed):
            # Nothing is claimed where the permits were void already: windows are short here.
            if claimed:
                told.append(await two.claim(5, claim_id=7))
                await asyncio.sleep(max(0.0, granted[0].good_until - time.monotonic()))
            return await answer(ask, granted, token, taken, claimed)

        monkeypatch.setattr(one.scheduler.dispatcher, "_answer", stalled)
        await one.claim(5, claim_id=7, wait_s=5)

        assert len(told[0].rows) == 5
        assert one.states() == {"SENDING": 5}


async def test_a_claim_that_was_answered_too_late_for_its_window_is_taken_back(
    database_url: str, redis_url: str, limiter_target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody was told of it: all is PENDING again, with no attempt spent, for the window that is now."""
    async with world(database_url, redis_url, limiter_target, hour_s=1) as here:
        here.campaign([here.mailbox()], 5)
        await here.sweep()
        answer = here.scheduler.dispatcher._answer
        ends: list[tuple[int, HandOut | None]] = []

        async def stalled(ask, granted, token, taken, claimed):
            await asyncio.sleep(max(0.0, granted[0].good_until - time.monotonic()))
            ends.append((len(claimed), await answer(ask, granted, token, taken, claimed)))
            return HandOut(0, [])

        monkeypatch.setattr(here.scheduler.dispatcher, "_answer", stalled)
        while not ends or ends[-1][0] == 0:
            await here.claim(5)

        assert ends[-1] == (5, None)
        assert here.states() == {"PENDING": 5}


async def test_an_old_snapshot_hands_out_nothing_twice(here: World) -> None:
    """Redis goes back behind a claim, and nobody notices: Postgres refuses what the queue offers again."""
    here.campaign([here.mailbox()], 5)
    await here.sweep()
    redis = here.scheduler.redis
    queue_keys = await redis.keys("q:*")
    snapshot = {key: await redis.dump(key) or b"" for key in queue_keys}
    first = await here.claim(5)
    for key, value in snapshot.items():
        await redis.restore(key, 0, value, replace=True)

    again = await here.claim(5)

    assert len(first.rows) == 5
    assert again.rows == []


async def test_what_another_run_of_the_server_holds_is_left(here: World) -> None:
    """Redis came back with data of an earlier hour: a new generation begins, and is loaded from Postgres."""
    here.campaign([here.mailbox()], 5)
    await here.sweep()
    await here.scheduler.redis.hset("q:{0}:sentinel", "run_id", "of before")
    here.scheduler.generation.reached("another")

    await here.sweep()

    assert here.sql("SELECT generation FROM queue_shards") == [(2,)]


async def test_a_settle_under_an_old_token_changes_nothing(here: World) -> None:
    """A message that was handed back and claimed anew is not settled by who held it before."""
    here.campaign([here.mailbox()], 1)
    await here.sweep()
    before = await here.claim(1)
    await here.give_back(before, spent=False)
    await here.claim(1)

    assert await here.settle(before) == 0
    assert here.states() == {"SENDING": 1}


async def test_a_replaced_sender_gets_nothing(here: World) -> None:
    """Another process has its name, which this scheduler has not heard of: Postgres refuses, and it is told so."""
    here.campaign([here.mailbox()], 5)
    await here.sweep()
    await here.claim(1, incarnation="one")
    await here.claim(1, incarnation="two")

    with pytest.raises(FailedPrecondition, match="another incarnation"):
        await here.scheduler.dispatcher.claim(Ask("s1", "one", 7, 5, 0), [])
    assert here.states() == {"SENDING": 2, "PENDING": 3}


async def test_a_rebuild_counts_what_is_in_flight_under_the_cap(here: World) -> None:
    """A mailbox at its cap is so in the next generation as well."""
    here.campaign([here.mailbox(cap=3)], 6)
    await here.sweep()
    await here.claim(5)
    await here.scheduler.redis.flushall()
    await here.sweep()

    assert (await here.claim(5)).rows == []


async def test_a_refund_counts_once_also_across_a_wipe(here: World) -> None:
    """Of five permits two come back, told twice; then Redis is lost: two more leave, and no third."""
    here.campaign([here.mailbox(hourly=5)], 20)
    await here.sweep()
    await here.claim(3)
    handed = await here.claim(2)
    await here.give_back(handed, spent=False)
    await here.give_back(handed, spent=False)
    await here.scheduler.redis.flushall()

    rows = []
    for _ in range(3):
        await here.sweep()
        rows += (await here.claim(10)).rows

    assert len(rows) == 2


async def test_a_pause_that_is_told_late_does_not_undo_a_resume(worlds: tuple[World, World]) -> None:
    """The scheduler that paused reaches the queue behind the one that resumed: claims go on."""
    one, two = worlds
    mailbox = one.mailbox()
    campaign = one.campaign([mailbox], 5)
    await one.sweep()
    one.sql("UPDATE campaigns SET state = 3, revision = revision + 1")
    [paused] = await lanes.flags(one.scheduler.pool, [campaign])
    one.sql("UPDATE campaigns SET state = 2, revision = revision + 1")
    await two.scheduler.sync.campaign(campaign)

    await one.scheduler.sync._tell_campaign(paused)

    assert len((await one.claim(5)).rows) == 5


@pytest.mark.parametrize(("state", "becomes"), [(5, "CANCELLED"), (4, "PENDING")])
async def test_what_is_handed_back_follows_its_campaign(here: World, state: int, becomes: str) -> None:
    """In a cancelled campaign it is cancelled; a completed one is open again, for it."""
    campaign = here.campaign([here.mailbox()], 1)
    await here.sweep()
    handed = await here.claim(1)
    here.sql("UPDATE campaigns SET state = %s, revision = revision + 1", state)

    await here.give_back(handed, spent=False)

    assert here.counts(campaign) == here.states() == {becomes: 1}
    assert here.sql("SELECT state FROM campaigns") == [(5 if state == 5 else 2,)]


async def test_a_start_during_an_import_sends_what_comes_later(here: World) -> None:
    """The campaign is not completed while the import is open, though all that it had is sent."""
    here.campaign([here.mailbox()], 3)
    here.sql("INSERT INTO imports (campaign_id, expire_time) SELECT id, now() + interval '1 min' FROM campaigns")
    await here.sweep()
    await here.settle(await here.claim(5))

    await here.sweep()

    assert here.sql("SELECT state FROM campaigns") == [(2,)]


async def test_an_address_has_no_fresh_quota_in_another_mailbox(here: World) -> None:
    """A mailbox is deleted and made again: what it sent counts still, also after its counters were lost."""
    first = here.mailbox(hourly=5)
    here.campaign([first], 4)
    await here.sweep()
    await here.settle(await here.claim(5))
    [(key,)] = here.sql("SELECT address_key FROM mailboxes")
    here.sql("UPDATE mailboxes SET delete_time = now(), revision = revision + 1")
    again = here.mailbox(hourly=5)
    here.sql("UPDATE mailboxes SET address_key = %s WHERE id = %s", key, again)
    here.campaign([again], 4)
    await here.scheduler.redis.flushall()
    await here.sweep()

    assert len((await here.claim(5)).rows) == 1


_REFUSED = {
    "campaign paused": "UPDATE campaigns SET state = 3, revision = revision + 1",
    "campaign cancelled": "UPDATE campaigns SET state = 5, revision = revision + 1",
    "mailbox paused": "UPDATE mailboxes SET state = 2, revision = revision + 1",
    "mailbox deleted": "UPDATE mailboxes SET delete_time = now(), revision = revision + 1",
    "workspace stopped": "UPDATE workspaces SET stopped = true",
    "not pending": "UPDATE messages SET state = 7",
    "suppressed": "INSERT INTO suppressions SELECT 1, email, 1, now() FROM messages",
    "due later": "UPDATE lanes SET base = now() + interval '1 hour'",
}
_SCRIPTS_OF_ONE_REFUSAL = 40
"""Runs of scripts: a claim, its refusal, and a look or two. A loop makes hundreds in the time."""


@pytest.mark.parametrize("statement", _REFUSED.values(), ids=_REFUSED)
async def test_a_refused_claim_is_not_met_again_and_again(here: World, statement: str) -> None:
    """Postgres refuses, the queue knew nothing of it: it is told, and a long poll waits for something else."""
    here.campaign([here.mailbox()], 5)
    await here.sweep()
    here.sql(statement.replace("SELECT 1,", f"SELECT {here.workspace},"))
    before = await _scripts_run(here)

    with structlog.testing.capture_logs() as said:
        hand_out = await here.claim(5, wait_s=0.5)

    assert hand_out.rows == []
    assert [line["event"] for line in said].count("claim_refused") == 1
    assert await _scripts_run(here) - before <= _SCRIPTS_OF_ONE_REFUSAL


async def test_a_claim_that_waited_behind_a_restore_is_refused(here: World) -> None:
    """Its permits are of the counters' epoch before, whose sums do not have them: they are void."""
    campaign = here.campaign([here.mailbox()], 5)
    await here.sweep()
    await here.settle(await here.claim(1))
    async with await psycopg.AsyncConnection.connect(here.database_url) as restorer:
        await restorer.execute("SELECT pg_advisory_xact_lock(2, %s)", (here.workspace,))
        claim = asyncio.create_task(here.claim(5))
        await here.somebody_waits("advisory")
        await restorer.execute("UPDATE counters SET epoch = epoch + 1 WHERE workspace_id = %s", (here.workspace,))
        await restorer.commit()

        assert (await claim).rows == []
    assert here.counts(campaign) == {"SENT": 1, "PENDING": 4}


async def test_a_claim_that_waited_behind_a_stop_is_refused(here: World) -> None:
    """It takes its snapshot after the lock, so it sees that its workspace is stopped."""
    campaign = here.campaign([here.mailbox()], 5)
    await here.sweep()
    async with await psycopg.AsyncConnection.connect(here.database_url) as stopper:
        await stopper.execute("SELECT pg_advisory_xact_lock(1, %s)", (here.workspace,))
        claim = asyncio.create_task(here.claim(5))
        await here.somebody_waits("advisory")
        await stopper.execute("UPDATE workspaces SET stopped = true")
        await stopper.commit()

        assert (await claim).rows == []
    assert here.counts(campaign) == {"PENDING": 5}


async def test_a_claim_that_is_answered_after_its_lease_is_on_a_fresh_one(here: World) -> None:
    """Its answer was lost, its lease ran out, the sender repeats it: it began nothing, so all of it is its own."""
    campaign = here.campaign([here.mailbox()], 5)
    await here.sweep()
    await here.claim(5, claim_id=7)
    here.sql("UPDATE claims SET lease_until = now() - interval '1 s'")
    await here.sweep()

    again = await here.claim(5, claim_id=7)
    await here.sweep()

    assert len(again.rows) == 5
    assert here.counts(campaign) == {"SENDING": 5}


async def test_what_a_vanished_sender_held_is_not_handed_out_again(here: World) -> None:
    """It may have been sent: once its lease is over it is UNCONFIRMED, also after Redis was lost."""
    here.campaign([here.mailbox()], 5)
    await here.sweep()
    await here.claim(5)
    here.sql("UPDATE claims SET lease_until = now() - interval '1 s'")
    await here.sweep()
    await here.scheduler.redis.flushall()
    await here.sweep()

    again = await here.claim(5, sender="s2")

    assert again.rows == []
    assert here.states() == {"UNCONFIRMED": 5}


async def test_a_full_mailbox_goes_on_when_its_sender_is_gone(here: World) -> None:
    """A sender dies with the mailbox's cap full: once its leases are over, the places are free."""
    here.campaign([here.mailbox(cap=3)], 6)
    await here.sweep()
    await here.claim(5)
    full = await here.claim(5, sender="s2")
    here.sql("UPDATE claims SET lease_until = now() - interval '1 s'")
    await here.sweep()

    freed = await here.claim(5, sender="s2")

    assert (len(full.rows), len(freed.rows)) == (0, 3)


async def _scripts_run(here: World) -> int:
    stats = await here.scheduler.redis.info("commandstats")
    return sum(stats[name]["calls"] for name in ("cmdstat_evalsha", "cmdstat_eval") if name in stats)
