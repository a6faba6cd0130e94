"""From due to settled, and back: the seam of scheduler, queue and limiter on real stores."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest
from maillane.scheduler.v1 import dispatch_service_pb2 as pb
from maillane_chassis.violations import Violations
from maillane_scheduler.dispatch import dispatcher
from maillane_scheduler.dispatch.limiter import Granted, Wanted
from maillane_scheduler.handover import Ask, Finished
from maillane_scheduler.states import MessageState
from maillane_scheduler.store.claims import ClaimedRow
from maillane_scheduler.validation.dispatch import report
from psycopg.errors import UniqueViolation

from .world import World, world


async def test_what_is_due_is_handed_out_in_campaign_order(here: World) -> None:
    """A lane of 30, claimed in three turns of ten, leaves in the order of its import."""
    here.campaign([here.mailbox()], 30)
    await here.sweep()

    turns = [await here.claim(10) for _ in range(3)]

    ids = [row.message for turn in turns for row in turn.rows]
    assert ids == sorted(ids)
    assert len(ids) == 30


async def test_a_settle_ends_it(here: World) -> None:
    """What was sent is SENT, counted, out of flight, and its campaign completed by the next sweep."""
    mailbox = here.mailbox()
    campaign = here.campaign([mailbox], 5)
    await here.sweep()

    settled = await here.settle(await here.claim(10))
    await here.sweep()

    assert settled == 5
    assert here.counts(campaign) == here.states() == {"SENT": 5}
    assert await here.scheduler.queue.flight(mailbox) == []
    assert here.sql("SELECT state FROM campaigns") == [(4,)]


async def test_a_settle_rides_with_the_next_claim(here: World) -> None:
    """One call settles what the last one brought and brings more."""
    campaign = here.campaign([here.mailbox()], 6)
    await here.sweep()
    first = await here.claim(3)

    second = await here.claim(
        3, finished=[Finished(row.message, first.token, MessageState.SENT, 250, "ok") for row in first.rows]
    )

    assert len(second.rows) == 3
    assert here.counts(campaign) == {"SENT": 3, "SENDING": 3}


async def test_what_a_claim_settled_leaves_flight(here: World) -> None:
    """Though no other claim comes to take it along."""
    mailbox = here.mailbox()
    here.campaign([mailbox], 6)
    await here.sweep()
    first = await here.claim(3)
    await here.claim(
        3, finished=[Finished(row.message, first.token, MessageState.SENT, 250, "ok") for row in first.rows]
    )

    async with asyncio.timeout(5):
        while len(await here.scheduler.queue.flight(mailbox)) > 3:
            await asyncio.sleep(0.01)


async def test_a_repeated_claim_id_brings_the_same(here: World) -> None:
    """The answer was lost, the sender repeats: the same messages under the same token, and nothing new."""
    here.campaign([here.mailbox()], 20)
    await here.sweep()
    first = await here.claim(5, claim_id=7)

    again = await here.claim(5, claim_id=7)

    assert again.token == first.token
    assert sorted(row.message for row in again.rows) == sorted(row.message for row in first.rows)
    assert here.states() == {"SENDING": 5, "PENDING": 15}


async def test_two_schedulers_that_meet_over_one_claim_id_answer_alike(here: World) -> None:
    """The loser of the unique row answers with the winner's, and what it had taken is back in the lane."""
    mailbox = here.mailbox()
    campaign = here.campaign([mailbox], 20)
    await here.sweep()

    one, two = await asyncio.gather(here.claim(5, claim_id=7), here.claim(5, claim_id=7))

    assert one.token == two.token
    assert here.states() == {"SENDING": 5, "PENDING": 15}
    assert await here.scheduler.queue.lane_size(mailbox, campaign) == 15


async def test_only_a_used_claim_id_is_a_claim_that_is_taken(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another row that there may be only one of is a failure, and nobody's claim to answer with."""
    here.campaign([here.mailbox()], 4)
    await here.sweep()
    hand_out = await here.claim(2)
    monkeypatch.setattr(dispatcher, "_token", lambda: hand_out.token)

    with pytest.raises(UniqueViolation, match="pkey"):
        await here.claim(2)


async def test_permits_that_brought_nothing_do_not_make_a_claim_late(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mailbox at its limit, whose window is over by the end of the claim, takes nothing from another's hand-out."""
    here.campaign([here.mailbox(hourly=1), here.mailbox()], 5)
    await here.sweep()
    await here.claim(2)
    limiter = here.scheduler.limiter
    reserve = limiter.reserve

    async def over(name: str, wanted: Sequence[Wanted]) -> list[Granted]:
        granted = await reserve(name, wanted)
        return [grant if grant.count else replace(grant, good_until=0.0) for grant in granted]

    monkeypatch.setattr(limiter, "reserve", over)
    await here.scheduler.dispatcher.quiet()
    rows = (await here.claim(10)).rows

    assert len(rows) == 4


async def test_a_claim_without_slots_leaves_a_tombstone(here: World) -> None:
    """A sender that drains asks with no slots: the claim id never brings anything after that."""
    here.campaign([here.mailbox()], 5)
    await here.sweep()

    drained = await here.scheduler.dispatcher.recall(_ask(7), [])
    late = await here.claim(5, claim_id=7)

    assert drained.rows == late.rows == []
    assert here.states() == {"PENDING": 5}


async def test_a_long_poll_is_answered_when_something_comes_due(here: World) -> None:
    """A poll that waits gets a message that comes due meanwhile, well before its wait is over."""
    here.campaign([here.mailbox()], 1, start="300 ms")
    await here.sweep()

    async with asyncio.timeout(5):
        hand_out = await here.claim(5, wait_s=30)

    assert len(hand_out.rows) == 1


async def test_a_limit_holds_and_parks_the_mailbox(here: World) -> None:
    """Of 50 due messages and 7 permits, 7 leave; the mailbox is parked to the end of the hour, in a few commands."""
    mailbox = here.mailbox(hourly=7)
    here.campaign([mailbox], 50)
    await here.sweep()

    rows = [row for _ in range(3) for row in (await here.claim(20)).rows]

    assert len(rows) == 7
    assert here.sql("SELECT mailbox_id, reason, detail FROM parks") == [(mailbox, 1, "its limit of 7 a hour")]


async def test_a_campaign_limit_holds_over_its_mailboxes(here: World) -> None:
    """Two mailboxes and a campaign limit of 5: five leave."""
    here.campaign([here.mailbox(), here.mailbox()], 10, hourly=5)
    await here.sweep()

    rows = [row for _ in range(3) for row in (await here.claim(20)).rows]

    assert len(rows) == 5


async def test_limits_survive_a_wipe(here: World) -> None:
    """After FLUSHALL the counters are restored from what was handed out: 3 of 7 are left."""
    here.campaign([here.mailbox(hourly=7)], 50)
    await here.sweep()
    first = await here.claim(4)
    await here.settle(first)

    await here.scheduler.redis.flushall()
    rows = await _claim_all(here)

    assert len(rows) == 3


async def test_a_wiped_queue_is_rebuilt(here: World) -> None:
    """After FLUSHALL everything pending is handed out, once each, and what was in flight stays so."""
    campaign = here.campaign([here.mailbox(), here.mailbox()], 20)
    await here.sweep()
    held = await here.claim(10)

    await here.scheduler.redis.flushall()
    rows = await _claim_all(here)

    assert len({row.message for row in rows}) == len(rows) == 30
    assert not {row.message for row in rows} & {row.message for row in held.rows}
    assert here.counts(campaign) == {"SENDING": 40}


async def test_a_pause_stops_claims(here: World) -> None:
    """No claim that starts after the pause succeeds, though the queue was never told of it."""
    campaign = here.campaign([here.mailbox()], 5)
    await here.sweep()
    here.sql("UPDATE campaigns SET state = 3, revision = revision + 1")

    hand_out = await here.claim(5)

    assert hand_out.rows == []
    assert here.counts(campaign) == {"PENDING": 5}


async def test_a_resumed_campaign_goes_on(here: World) -> None:
    """What a refused claim put back is handed out after the resume."""
    campaign = here.campaign([here.mailbox()], 5)
    await here.sweep()
    here.sql("UPDATE campaigns SET state = 3, revision = revision + 1")
    await here.claim(5)

    here.sql("UPDATE campaigns SET state = 2, revision = revision + 1")
    await here.scheduler.sync.campaign(campaign)

    assert len((await here.claim(5)).rows) == 5


async def test_a_suppressed_recipient_is_left_out(here: World) -> None:
    """A recipient suppressed after the import gets nothing; the others do."""
    campaign = here.campaign([here.mailbox()], 3)
    await here.sweep()
    here.sql("INSERT INTO suppressions SELECT %s, email, 1, now() FROM messages WHERE ordinal = 1", here.workspace)

    await here.claim(5)

    assert here.counts(campaign) == {"SENDING": 2, "SUPPRESSED": 1}


async def test_changed_limits_void_permits(here: World) -> None:
    """A claim under terms that were cached before a change is refused, and made anew under the new ones."""
    mailbox = here.mailbox()
    here.campaign([mailbox], 30)
    await here.sweep()
    await here.claim(5)
    here.sql("UPDATE mailboxes SET hourly_limit = 8, revision = revision + 1")

    rows = await _claim_all(here)

    assert len(rows) == 3


async def test_an_unsent_message_returns_with_no_attempt_spent(here: World) -> None:
    """Handed back, it is pending again at its old place, its permit refunded."""
    mailbox = here.mailbox(hourly=5)
    campaign = here.campaign([mailbox], 5)
    await here.sweep()
    first = await here.claim(5)

    await here.give_back(first, spent=False)
    again = await here.claim(5)

    assert [row.message for row in again.rows] == [row.message for row in first.rows]
    assert {row.attempt for row in again.rows} == {1}
    assert here.counts(campaign) == {"SENDING": 5}


async def test_what_the_server_saw_keeps_its_permit(here: World) -> None:
    """A server that throttles after the content has counted it: the message goes back, its permit does not."""
    mailbox = here.mailbox(hourly=5)
    here.campaign([mailbox], 10)
    await here.sweep()
    first = await here.claim(5)

    await here.give_back(first, spent=False, permit_spent=True)

    assert (await here.claim(5)).rows == []
    assert here.sql("SELECT sum(permits - refunded)::int FROM permits") == [(5,)]


async def test_a_refused_recipient_is_tried_again_later(database_url: str, redis_url: str, limiter_target: str) -> None:
    """A temporary refusal spends an attempt, and the next one comes after a while."""
    async with world(database_url, redis_url, limiter_target, retry_first_s=1.5) as here:
        here.campaign([here.mailbox()], 1)
        await here.sweep()
        await here.give_back(await here.claim(5), spent=True)

        now = await here.claim(5)
        later = await here.claim(5, wait_s=20)

    assert now.rows == []
    assert [row.attempt for row in later.rows] == [2]


@pytest.mark.parametrize("here_max_attempts", [5])
async def test_after_its_last_attempt_a_message_is_failed(here: World, here_max_attempts: int) -> None:
    """Five temporary refusals, and it is FAILED."""
    campaign = here.campaign([here.mailbox()], 1)
    await here.sweep()

    for _ in range(here_max_attempts):
        await here.give_back(await here.claim(5, wait_s=20), spent=True)

    assert here.counts(campaign) == {"FAILED": 1}


async def test_a_strained_mailbox_rests(here: World) -> None:
    """A server that asks for patience parks its mailbox; five messages that heard it raise the back-off once."""
    mailbox = here.mailbox()
    here.campaign([mailbox], 10)
    await here.sweep()

    await here.give_back(await here.claim(5), spent=False, strained="421 slow down")

    assert (await here.claim(5)).rows == []
    assert here.sql("SELECT backoff_level FROM mailboxes") == [(1,)]


async def test_a_lease_that_runs_out_leaves_its_messages_unconfirmed(here: World) -> None:
    """The sender vanished: nobody knows, and nothing is sent again."""
    mailbox = here.mailbox()
    campaign = here.campaign([mailbox], 5)
    await here.sweep()
    await here.claim(5)
    here.sql("UPDATE claims SET lease_until = now() - interval '1 s'")

    await here.sweep()

    assert here.counts(campaign) == {"UNCONFIRMED": 5}
    assert await here.scheduler.queue.flight(mailbox) == []


async def test_a_late_settle_says_what_really_happened(here: World) -> None:
    """A settle after the lease, under the same token, turns UNCONFIRMED into SENT."""
    campaign = here.campaign([here.mailbox()], 5)
    await here.sweep()
    hand_out = await here.claim(5)
    here.sql("UPDATE claims SET lease_until = now() - interval '1 s'")
    await here.sweep()

    assert await here.settle(hand_out) == 5
    assert here.counts(campaign) == here.states() == {"SENT": 5}


async def test_a_settle_repeated_changes_nothing(here: World) -> None:
    """The second time nothing takes effect, and counts stay."""
    campaign = here.campaign([here.mailbox()], 5)
    await here.sweep()
    hand_out = await here.claim(5)

    assert [await here.settle(hand_out), await here.settle(hand_out, MessageState.FAILED)] == [5, 0]
    assert here.counts(campaign) == {"SENT": 5}


async def test_a_new_incarnation_ends_the_leases_of_the_one_before(here: World) -> None:
    """A sender that comes back frees at once what it held, and its former self gets nothing more."""
    campaign = here.campaign([here.mailbox()], 10)
    await here.sweep()
    await here.claim(5, incarnation="one")

    await here.claim(3, incarnation="two")
    await here.sweep()

    assert here.counts(campaign) == {"UNCONFIRMED": 5, "SENDING": 3, "PENDING": 2}


async def test_a_crash_between_script_and_commit_loses_nothing(here: World) -> None:
    """What the queue had moved to flight returns to its lane once the hand-over lease is over."""
    from maillane_scheduler.queue.values import Grant

    mailbox = here.mailbox()
    campaign = here.campaign([mailbox], 5)
    await here.sweep()
    await here.scheduler.queue.claim(99, 1, [Grant(mailbox, campaign, 5)])

    await here.sweep()

    assert len((await here.claim(5)).rows) == 5


async def test_a_crash_between_commit_and_queue_frees_the_flight(here: World) -> None:
    """Settled in Postgres only, a message leaves the flight when its lease there is over."""
    mailbox = here.mailbox()
    here.campaign([mailbox], 5)
    await here.sweep()
    await here.claim(5)
    here.sql("UPDATE messages SET state = 3")
    flying = [(mailbox, one.message) for one in await here.scheduler.queue.flight(mailbox)]
    await here.scheduler.queue.extend(flying, 0)

    await here.sweep()

    assert await here.scheduler.queue.flight(mailbox) == []


async def test_ten_claimers_never_pass_a_limit(here: World) -> None:
    """Ten senders race for 40 permits over two mailboxes."""
    here.campaign([here.mailbox(hourly=20), here.mailbox(hourly=20)], 100)
    await here.sweep()

    async def drain(number: int) -> int:
        taken = 0
        for _ in range(8):
            taken += len((await here.claim(5, sender=f"s{number}")).rows)
        return taken

    assert sum(await asyncio.gather(*map(drain, range(10)))) == 40


async def test_a_claim_over_more_lanes_than_the_limiter_takes_at_once(here: World) -> None:
    """250 mailboxes with a message each are due, and a large sender asks for all of them: they leave in a few turns."""
    first = here.mailbox()
    here.sql(
        """INSERT INTO mailboxes (workspace_id, address, address_key, display_name, host, port, security, username,
           hourly_limit, min_gap_us)
           SELECT workspace_id, n || address, 'k' || n, '', host, port, security, '', 100, 0
           FROM mailboxes, generate_series(1, 249) n"""
    )
    campaign = here.campaign([first], 1)
    here.sql(
        """INSERT INTO lanes (campaign_id, mailbox_id, position, base, size)
           SELECT %s::bigint, b.id, b.id, l.base, 1 FROM mailboxes b, lanes l WHERE b.id <> l.mailbox_id""",
        campaign,
    )
    here.sql(
        """INSERT INTO messages (id, campaign_id, mailbox_id, ordinal, line, email, variables)
           SELECT m.id + b.id, m.campaign_id, b.id, 0, b.id, b.id || m.email, '{}' FROM mailboxes b, messages m
           WHERE b.id <> m.mailbox_id"""
    )
    here.sql("DELETE FROM marks")
    for mailbox, message in here.sql("SELECT mailbox_id, id FROM messages"):
        await here.scheduler.queue.enqueue(mailbox, campaign, [(message, 1)])

    turns = [await here.claim(1_000) for _ in range(3)]

    assert sum(len(turn.rows) for turn in turns) == 250


async def test_what_was_lost_comes_back_beside_what_was_not_sent(here: World) -> None:
    """One report of two kinds: a connection that broke, after which a message waits, and one handed back at once."""
    here.campaign([here.mailbox()], 2)
    await here.sweep()
    held = await here.claim(2)
    ids = [row.message for row in held.rows]
    lost = pb.Settle(message_id=ids[0], token=held.token, outcome=pb.OUTCOME_RETURNED, reply="connection lost")
    lost.scope = pb.OUTCOME_SCOPE_CONNECTION
    back = pb.Settle(message_id=ids[1], token=held.token, outcome=pb.OUTCOME_RETURNED)

    assert await here.scheduler.settler.release(report(Violations(), [lost, back])) == 2
    assert [row.message for row in (await here.claim(2)).rows] == ids[1:]


async def test_a_gap_lets_one_message_go_at_a_time(here: World) -> None:
    """A lane with a delay hands out one message, and the next only after it."""
    here.campaign([here.mailbox()], 3, delay_us=300_000, start="-1 hour")
    await here.sweep()

    first, second = await here.claim(5), await here.claim(5)
    third = await here.claim(5, wait_s=2)

    assert [len(turn.rows) for turn in (first, second, third)] == [1, 0, 1]


async def _claim_all(here: World) -> list[ClaimedRow]:
    """Claims until three turns in a row bring nothing, with a sweep between: what can leave now has left."""
    rows, idle = [], 0
    while idle < 3:
        await here.sweep()
        hand_out = await here.claim(20)
        rows += hand_out.rows
        idle = 0 if hand_out.rows else idle + 1
    return rows


def _ask(claim_id: int):
    from .world import INCARNATION

    return Ask("s1", INCARNATION, claim_id, 0, 0)
