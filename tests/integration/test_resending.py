"""What is made of messages of which nobody knows whether they arrived, and of those that failed."""

import time
from datetime import UTC, datetime

import pytest
from maillane_chassis.errors import FailedPrecondition
from maillane_scheduler.dispatch.dispatcher import HandOut
from maillane_scheduler.handover import Finished
from maillane_scheduler.states import MessageState
from maillane_scheduler.steadiness import SteadyClock
from maillane_scheduler.store import resolutions, retries
from maillane_scheduler.store.audit import Actor
from maillane_scheduler.validation.messages import RetryFilters

from .world import World

WAIT_S = 670.0


def watched(here: World, seconds: float) -> None:
    """The sweep has watched Postgres's clock for so long, and saw it go on steadily."""
    ours, theirs = time.monotonic(), datetime.now(UTC).timestamp()
    here.scheduler.sweeper.steady = SteadyClock()
    here.scheduler.sweeper.steady.look(theirs - seconds, ours - seconds, ours - seconds)


async def lost(here: World, number: int = 1, *, ago: str = "1 hour", **more: int) -> tuple[int, HandOut]:
    """A campaign whose messages all became unconfirmed so long ago; and the hand-out that they are of."""
    campaign = here.campaign([here.mailbox(**more)], number)
    await here.sweep()
    hand_out = await here.claim(number)
    here.sql("UPDATE claims SET lease_until = now() - interval '1 s'")
    await here.sweep()
    here.sql("UPDATE attempts SET settle_time = now() - %s::interval", ago)
    return campaign, hand_out


async def resend(here: World, message: int) -> None:
    actor = Actor(here.workspace, None, "test")
    async with here.scheduler.engine.begin() as connection:
        campaign = await resolutions.resend(connection, actor, message, WAIT_S)
    await here.scheduler.sync.campaign(campaign)


async def test_a_resend_leaves_once_its_first_try_can_no_longer_succeed(here: World) -> None:
    """By Postgres's clock, which the sweep has watched for as long."""
    campaign, hand_out = await lost(here)
    watched(here, WAIT_S + 5)
    await resend(here, hand_out.rows[0].message)
    await here.sweep()

    again = await here.claim(5, wait_s=5)

    assert [row.attempt for row in again.rows] == [2]
    assert here.counts(campaign) == {"SENDING": 1}
    assert here.sql("SELECT * FROM resends") == []


@pytest.mark.parametrize(("ago", "seen_s"), [("1 min", 3600.0), ("1 hour", 60.0)])
async def test_a_resend_waits_by_both_clocks(here: World, ago: str, seen_s: float) -> None:
    """Neither Postgres's clock alone lets it go, which may have jumped, nor the sweep's."""
    _, hand_out = await lost(here, ago=ago)
    watched(here, seen_s)
    await resend(here, hand_out.rows[0].message)
    await here.sweep()

    assert (await here.claim(5)).rows == []
    assert here.states() == {"PENDING": 1}


async def test_a_resend_waits_through_a_rebuild(here: World) -> None:
    """The queue's new generation does not let it go either."""
    _, hand_out = await lost(here)
    await resend(here, hand_out.rows[0].message)
    await here.scheduler.redis.flushall()
    await here.sweep()
    await here.sweep()

    assert (await here.claim(5)).rows == []


async def test_a_late_settle_tells_the_truth_of_a_resend(here: World) -> None:
    """The first try was sent after all: nothing is sent again."""
    campaign, hand_out = await lost(here)
    watched(here, WAIT_S + 5)
    await resend(here, hand_out.rows[0].message)

    assert await here.settle(hand_out) == 1
    await here.sweep()
    assert (await here.claim(5)).rows == []
    assert here.counts(campaign) == here.states() == {"SENT": 1}


async def test_a_completed_campaign_is_open_again(here: World) -> None:
    """Until its resend is settled."""
    _, hand_out = await lost(here)
    await here.sweep()
    before = here.sql("SELECT state FROM campaigns")
    watched(here, WAIT_S + 5)
    await resend(here, hand_out.rows[0].message)
    during = here.sql("SELECT state FROM campaigns")
    await here.sweep()
    await here.settle(await here.claim(5, wait_s=5))
    await here.sweep()

    assert (before, during, here.sql("SELECT state FROM campaigns")) == ([(4,)], [(2,)], [(4,)])


async def test_a_cancelled_campaign_sends_nothing_again(here: World) -> None:
    """It is refused."""
    _, hand_out = await lost(here)
    here.sql("UPDATE campaigns SET state = 5")

    with pytest.raises(FailedPrecondition) as refusal:
        await resend(here, hand_out.rows[0].message)
    assert refusal.value.reason == "CAMPAIGN_ENDED"


async def test_a_deleted_mailbox_sends_nothing_again(here: World) -> None:
    """There is nothing to send it from."""
    _, hand_out = await lost(here)
    here.sql("UPDATE mailboxes SET delete_time = now()")

    with pytest.raises(FailedPrecondition) as refusal:
        await resend(here, hand_out.rows[0].message)
    assert refusal.value.reason == "MAILBOX_DELETED"


async def test_a_policy_sends_again_what_has_tries_left(here: World) -> None:
    """At once PENDING, so that the campaign does not complete; what used up its tries is left to a person."""
    campaign = here.campaign([here.mailbox()], 2)
    here.sql("UPDATE campaigns SET unconfirmed_policy = 2")
    await here.sweep()
    await here.claim(2)
    here.sql("UPDATE messages SET attempt = 5 WHERE ordinal = 1")
    here.sql("UPDATE claims SET lease_until = now() - interval '1 s'")
    await here.sweep()

    assert here.counts(campaign) == here.states() == {"PENDING": 1, "UNCONFIRMED": 1}
    assert here.sql("SELECT state FROM campaigns") == [(2,)]


async def test_without_a_policy_nothing_is_sent_again(here: World) -> None:
    """Whatever time passes."""
    campaign, _ = await lost(here)
    watched(here, 10 * WAIT_S)
    await here.sweep()

    assert here.counts(campaign) == {"UNCONFIRMED": 1}


async def failed(here: World, *outcomes: tuple[int, str]) -> int:
    """A campaign whose messages failed with these replies."""
    campaign = here.campaign([here.mailbox()], len(outcomes))
    await here.sweep()
    hand_out = await here.claim(len(outcomes))
    await here.scheduler.settler.finish(
        [
            Finished(row.message, hand_out.token, MessageState.FAILED, code, reply)
            for row, (code, reply) in zip(hand_out.rows, outcomes, strict=True)
        ]
    )
    await here.sweep()
    return campaign


async def retry(here: World, campaign: int, code: int = 0, reply: str = "") -> int:
    actor = Actor(here.workspace, None, "test")
    async with here.scheduler.engine.begin() as connection:
        batch = await retries.retry(connection, actor, campaign, RetryFilters(code, reply), 0)
    await here.scheduler.sync.campaign(campaign)
    await here.scheduler.sync.enqueue(campaign, batch.added.marks, batch.added.messages())
    return batch.number


async def test_a_retry_sends_what_failed_and_reopens_its_campaign(here: World) -> None:
    """At once, and under no token of before."""
    campaign = await failed(here, (550, "no"), (550, "no"))

    assert await retry(here, campaign) == 2
    again = await here.claim(5, wait_s=5)
    assert [row.attempt for row in again.rows] == [2, 2]
    assert here.counts(campaign) == {"SENDING": 2}
    assert here.sql("SELECT state, end_time FROM campaigns") == [(2, None)]


@pytest.mark.parametrize(
    ("code", "reply", "tried"), [(550, "", 1), (0, "POLICY", 2), (552, "policy", 1), (550, "policy", 0), (0, "", 3)]
)
async def test_a_retry_takes_what_its_filters_leave(here: World, code: int, reply: str, tried: int) -> None:
    """By the code and the words of the last reply."""
    campaign = await failed(here, (550, "no such user"), (554, "Policy"), (552, "too big by policy"))

    assert await retry(here, campaign, code, reply) == tried
    assert here.states().get("FAILED", 0) == 3 - tried


async def test_the_last_reply_counts(here: World) -> None:
    """What failed otherwise before is not meant."""
    campaign = await failed(here, (550, "no"))
    await retry(here, campaign)
    hand_out = await here.claim(5, wait_s=5)
    await here.scheduler.settler.finish(
        [Finished(hand_out.rows[0].message, hand_out.token, MessageState.FAILED, 554, "policy")]
    )

    assert await retry(here, campaign, 550) == 0
    assert await retry(here, campaign, 554) == 1


async def test_a_settle_repeated_after_a_retry_changes_nothing(here: World) -> None:
    """Its token was forgotten."""
    campaign = await failed(here, (550, "no"))
    [(message, token)] = here.sql("SELECT m.id, m.token FROM messages m")
    await retry(here, campaign)

    assert await here.scheduler.settler.finish([Finished(message, token, MessageState.FAILED, 550, "no")]) == 0
    assert here.counts(campaign) == {"PENDING": 1}


async def rejected(here: World, number: int, *, taken: int = 0) -> None:
    """So many refusals because of what the campaign sends, one after the other, each beside some that are taken."""
    for _ in range(number):
        # The first claim after a campaign has changed is refused, for its permit is of before.
        hand_out = await here.claim(1 + taken, wait_s=5)
        first, *others = hand_out.rows
        finished = [Finished(first.message, hand_out.token, MessageState.FAILED, 550, "5.7.1 spam", of_campaign=True)]
        finished += [Finished(row.message, hand_out.token, MessageState.SENT, 250, "ok") for row in others]
        await here.scheduler.settler.finish(finished)


async def test_refusals_in_a_row_pause_a_campaign_and_say_why(here: World) -> None:
    """The twentieth does, in Postgres and in the queue, with an audit row; resumed, it has twenty more."""
    campaign = here.campaign([here.mailbox()], 60)
    await here.sweep()
    await rejected(here, 20)
    paused = here.sql("SELECT state, state_reason FROM campaigns")
    offers = (await here.scheduler.queue.due(10)).offers
    here.sql("UPDATE campaigns SET state = 2, revision = revision + 1")
    await here.scheduler.sync.campaign(campaign)
    await rejected(here, 19)

    reason = "too many messages are refused because of what the campaign sends: 5.7.1 spam"
    assert (paused, offers) == ([(3, reason)], [])
    assert here.sql("SELECT state FROM campaigns") == [(2,)]
    assert here.sql("SELECT verb, detail FROM audit") == [("campaign.pause", {"reason": reason})]


async def test_a_fifth_refused_pauses_a_campaign(here: World) -> None:
    """Not in a row, but again and again: more than what is taken makes up for."""
    here.campaign([here.mailbox()], 250)
    await here.sweep()
    await rejected(here, 33, taken=4)
    before = here.sql("SELECT state FROM campaigns")

    await rejected(here, 1, taken=4)

    assert (before, here.sql("SELECT state FROM campaigns")) == ([(2,)], [(3,)])


async def test_one_in_twenty_refused_pauses_nothing(here: World) -> None:
    """Ten that are taken make up for one; other refusals are not counted."""
    here.campaign([here.mailbox()], 900)
    await here.sweep()
    await rejected(here, 25, taken=19)
    await here.settle(await here.claim(30), MessageState.FAILED)

    assert here.sql("SELECT state FROM campaigns") == [(2,)]
    assert here.sql("SELECT score FROM rejections") == [(0,)]
