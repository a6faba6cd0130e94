"""Messages that move to other mailboxes: in their order, once each, and under the limits of where they are."""

import pytest
from maillane_scheduler.dispatch.dispatcher import HandOut
from maillane_scheduler.mailbox import Move
from maillane_scheduler.mover import Mover
from maillane_scheduler.store import lane_plans, moves
from maillane_scheduler.store.audit import Actor

from .world import World


async def move(here: World, campaign: int | None, mailbox: int, *to: int, leaves: bool = False) -> int:
    """Moves all that waits, and lets the queue hear of it."""
    mover = Mover(here.scheduler.engine, here.scheduler.sync)
    progress = await mover.move(Actor(here.workspace, None, "test"), campaign, Move(mailbox, to, leaves))
    assert not progress.more
    await here.sweep()
    return progress.moved


def ids(here: World, campaign: int, mailbox: int) -> list[int]:
    """What is in a lane, by its place in it."""
    rows = here.sql(
        "SELECT id FROM messages WHERE campaign_id = %s AND mailbox_id = %s ORDER BY ordinal", campaign, mailbox
    )
    return [row[0] for row in rows]


async def test_what_waits_moves_in_its_order_and_is_claimed_there_alone(here: World) -> None:
    """From a paused mailbox to one that the campaign did not use: the queue has it in the new lane, not in the old."""
    one, other = here.mailbox(), here.mailbox()
    campaign = here.campaign([one], 20)
    await here.sweep()
    before = ids(here, campaign, one)
    here.sql("UPDATE mailboxes SET state = 2, revision = revision + 1 WHERE id = %s", one)
    assert await move(here, campaign, one, other) == 20

    claimed = (await here.claim(100)).rows
    assert ids(here, campaign, other) == before
    assert [row.message for row in claimed] == before
    assert {row.mailbox for row in claimed} == {other}
    assert await here.scheduler.queue.lane_size(one, campaign) == 0
    assert here.counts(campaign) == {"SENDING": 20}


async def test_several_mailboxes_take_turns_by_their_hourly_limits(here: World) -> None:
    """Behind what they have, at the campaign's pace, each in the order that there was."""
    one, two, three = here.mailbox(), here.mailbox(hourly=100), here.mailbox(hourly=300)
    campaign = here.campaign([one, two], 8, delay_us=1_000_000)
    await here.sweep()
    own = ids(here, campaign, two)
    await move(here, campaign, one, two, three)

    moved = {mailbox: [id_ for id_ in ids(here, campaign, mailbox) if id_ not in own] for mailbox in (two, three)}
    assert {mailbox: len(found) for mailbox, found in moved.items()} == {two: 2, three: 6}
    assert all(found == sorted(found) for found in moved.values())
    assert ids(here, campaign, two)[:8] == own
    assert here.sql("SELECT size FROM lanes WHERE mailbox_id = ANY(%s) ORDER BY position", [two, three]) == [
        (10,),
        (6,),
    ]


async def test_what_is_in_flight_stays_and_comes_back_to_where_it_was(here: World) -> None:
    """A sender holds it: its mailbox cannot change under it."""
    one, other = here.mailbox(), here.mailbox()
    campaign = here.campaign([one], 10)
    await here.sweep()
    held = await here.claim(4)
    assert await move(here, campaign, one, other) == 6

    await here.give_back(held, spent=False)
    # The first finds that its permits are void, for the campaign has other lanes by now.
    rows = [row for _ in range(3) for row in (await here.claim(100)).rows]
    assert sorted(ids(here, campaign, one)) == sorted(row.message for row in held.rows)
    assert {row.message for row in rows if row.mailbox == one} == {row.message for row in held.rows}
    assert here.counts(campaign) == {"SENDING": 10}


async def test_a_queue_that_was_not_told_hands_out_nothing_of_the_old_lane(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever moved died before the queue knew: what it still has there counts under no permit of the new mailbox."""
    one, other = here.mailbox(), here.mailbox(hourly=5)
    campaign = here.campaign([one, other], 10)
    await here.sweep()

    async def lost(*_: object) -> None:
        pass

    monkeypatch.setattr(here.scheduler.sync, "forget", lost)
    await move(here, campaign, one, other)
    rows = [row for _ in range(4) for row in (await here.claim(100)).rows]

    assert {row.mailbox for row in rows} == {other}
    assert len({row.message for row in rows}) == len(rows) == 5
    assert here.counts(campaign) == {"PENDING": 15, "SENDING": 5}
    assert await here.scheduler.queue.lane_size(one, campaign) == 0


async def test_what_waits_for_the_end_of_a_first_try_stays(here: World) -> None:
    """A late settle may still decide about it."""
    one, other = here.mailbox(), here.mailbox()
    campaign = here.campaign([one], 3)
    await here.sweep()
    [first, *rest] = ids(here, campaign, one)
    here.sql("INSERT INTO resends (message_id, campaign_id, ready_time) VALUES (%s, %s, 'infinity')", first, campaign)
    assert await move(here, campaign, one, other) == 2

    assert (ids(here, campaign, one), ids(here, campaign, other)) == ([first], rest)


async def test_another_pace_after_a_move_keeps_the_first_that_waits_at_its_time(here: World) -> None:
    """Though what has moved has lower ids than what it stands behind."""
    one, other = here.mailbox(), here.mailbox()
    campaign = here.campaign([one, other], 3, delay_us=10_000_000, start="1 hour")
    await here.sweep()
    await move(here, campaign, one, other)
    due = "SELECT min(l.base + m.ordinal * c.delay_us * interval '1 microsecond') FROM messages m JOIN lanes l "
    due += "USING (campaign_id, mailbox_id) JOIN campaigns c ON c.id = m.campaign_id WHERE m.mailbox_id = %s"
    before = here.sql(due, other)
    async with here.scheduler.engine.begin() as connection:
        await lane_plans.change_delay(connection, campaign, 10_000_000, 20_000_000)
    here.sql("UPDATE campaigns SET delay_us = 20000000 WHERE id = %s", campaign)

    assert here.sql(due, other) == before


async def test_a_stopped_mailbox_is_left_after_what_its_campaign_waits(here: World) -> None:
    """By the sweep, audited; not sooner, not by a campaign that waits for ever, and not where there is no other."""
    one, other, alone = here.mailbox(), here.mailbox(), here.mailbox()
    moving, waiting, single = here.campaign([one, other], 4), here.campaign([one, other], 4), here.campaign([alone], 4)
    here.sql("UPDATE campaigns SET move_after_us = 120 * 1000000 WHERE id = ANY(%s)", [moving, single])
    here.sql(
        "UPDATE mailboxes SET stop_time = now() - interval '110 s', stop_reason = 2, state = 2, "
        "revision = revision + 1 WHERE id = ANY(%s)",
        [one, alone],
    )
    mover = Mover(here.scheduler.engine, here.scheduler.sync)
    await mover.leave_stopped()
    sooner = len(ids(here, moving, one))
    here.sql("UPDATE mailboxes SET stop_time = stop_time - interval '10 s' WHERE stop_time IS NOT NULL")
    await mover.leave_stopped()
    await mover.leave_stopped()

    assert (sooner, len(ids(here, moving, one)), len(ids(here, moving, other))) == (4, 0, 8)
    assert (len(ids(here, waiting, one)), len(ids(here, single, alone))) == (4, 4)
    assert here.sql("SELECT verb, resource, detail->>'messages', token_id FROM audit") == [
        ("messages.move", f"campaigns/{moving}", "4", None)
    ]
    assert here.sql("SELECT mailbox_id FROM lanes WHERE leave_time IS NOT NULL") == [(one,)]


async def test_what_comes_back_to_a_lane_that_was_left_is_moved_too(here: World) -> None:
    """It was in flight when the lane was left, or had failed: its mailbox sends nothing, and nobody else looks."""
    one, other = here.mailbox(), here.mailbox()
    campaign = here.campaign([one, other], 4)
    await here.sweep()
    held = [row for row in (await here.claim(8)).rows if row.mailbox == one]
    [(token,)] = here.sql("SELECT DISTINCT token FROM messages WHERE id = %s", held[0].message)
    here.sql("UPDATE campaigns SET move_after_us = 0")
    here.sql("UPDATE mailboxes SET stop_time = now() - interval '1 s', stop_reason = 2, state = 2 WHERE id = %s", one)
    mover = Mover(here.scheduler.engine, here.scheduler.sync)
    await mover.leave_stopped()
    left = here.sql("SELECT mailbox_id FROM lanes WHERE leave_time IS NOT NULL")
    await here.give_back(HandOut(token, held), spent=False)
    await mover.leave_stopped()
    await mover.leave_stopped()

    assert left == here.sql("SELECT mailbox_id FROM lanes WHERE leave_time IS NOT NULL") == [(one,)]
    assert (len(held), ids(here, campaign, one), len(ids(here, campaign, other))) == (4, [], 8)
    assert here.sql("SELECT count(*) FROM audit") == [(2,)]


async def test_a_lane_that_cannot_be_left_keeps_no_other_from_being_left(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it is that stands in its way: it is tried again with the next look."""
    one, other = here.mailbox(), here.mailbox()
    failing, moving = here.campaign([one, other], 2), here.campaign([one, other], 2)
    here.sql("UPDATE campaigns SET move_after_us = 0")
    here.sql("UPDATE mailboxes SET stop_time = now() - interval '1 s', stop_reason = 2, state = 2 WHERE id = %s", one)
    forget = here.scheduler.sync.forget

    async def fails(mailbox: int, campaign: int, gone: list[int]) -> None:
        if campaign == failing:
            raise RuntimeError
        await forget(mailbox, campaign, gone)

    monkeypatch.setattr(here.scheduler.sync, "forget", fails)
    await Mover(here.scheduler.engine, here.scheduler.sync).leave_stopped()

    assert len(ids(here, moving, other)) == 4


async def test_a_lane_of_a_deleted_mailbox_keeps_no_other_from_being_left(here: World) -> None:
    """Its mailbox was stopped, and deleted once its campaign had ended, which then was opened again."""
    gone, one, other = here.mailbox(), here.mailbox(), here.mailbox()
    here.campaign([gone, other], 2)
    moving = here.campaign([one, other], 4)
    here.sql("UPDATE campaigns SET move_after_us = 0")
    here.sql(
        "UPDATE mailboxes SET stop_time = now() - interval '1 s', stop_reason = 2, state = 2 WHERE id <> %s", other
    )
    here.sql("UPDATE mailboxes SET delete_time = now() WHERE id = %s", gone)

    await Mover(here.scheduler.engine, here.scheduler.sync).leave_stopped()

    assert len(ids(here, moving, other)) == 8


async def test_a_long_lane_moves_in_batches(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each a commit of its own, all of one call, in one order."""
    monkeypatch.setattr(moves, "BATCH", 7)
    one, other = here.mailbox(), here.mailbox()
    campaign = here.campaign([one], 20)
    await here.sweep()
    before = ids(here, campaign, one)

    assert await move(here, campaign, one, other) == 20
    assert ids(here, campaign, other) == before
