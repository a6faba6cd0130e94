"""Epochs of the counters: permits of another one than Postgres has are worth nothing, and never asked for for ever."""

import asyncio

import pytest
from maillane_scheduler.dispatch import limiter

from .world import World


async def test_a_restore_that_never_arrived_is_made_up_for(here: World) -> None:
    """Who raised the epoch was killed before the limiter heard of it: the next claims restore, and go on."""
    here.campaign([here.mailbox(hourly=7)], 20)
    await here.sweep()
    await here.claim(2)
    here.sql("UPDATE counters SET epoch = epoch + 1 WHERE workspace_id = %s", here.workspace)

    rows = [row for _ in range(4) for row in (await here.claim(5)).rows]

    assert len(rows) == 5


async def test_an_epoch_that_went_back_is_raised_above_the_limiters(here: World) -> None:
    """Postgres came back from a backup: its epoch passes the limiter's, and what it knows is restored."""
    here.campaign([here.mailbox(hourly=7)], 20)
    await here.sweep()
    await here.claim(2)
    here.sql("UPDATE counters SET epoch = 0 WHERE workspace_id = %s", here.workspace)

    rows = [row for _ in range(4) for row in (await here.claim(5)).rows]

    assert len(rows) == 5


async def test_claims_that_miss_the_counters_together_restore_them_once(here: World) -> None:
    """Each further restore would void what the first had granted meanwhile."""
    here.campaign([here.mailbox()], 40)
    await here.sweep()

    turns = await asyncio.gather(*(here.claim(5) for _ in range(4)))

    assert here.sql("SELECT epoch FROM counters WHERE workspace_id = %s", here.workspace) == [(1,)]
    assert sum(len(turn.rows) for turn in turns) == 20


async def test_of_any_number_of_workspaces_little_is_kept(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limiter's side of a scheduler forgets the oldest workspaces; their limits hold all the same."""
    monkeypatch.setattr(limiter, "MOST_WORKSPACES", 2)
    handed_out = []
    for name in ("a", "b", "c", "a again"):
        if name != "a again":
            [(here.workspace,)] = here.sql("INSERT INTO workspaces (name) VALUES (%s) RETURNING id", name)
        here.campaign([here.mailbox(hourly=2)], 5)
        await here.sweep()
        handed_out.append(len((await here.claim(5)).rows))
    kept = here.scheduler.limiter

    assert handed_out == [2, 2, 2, 2]
    assert (len(kept._restored_at), len(kept._raised)) == (2, 2)


async def test_a_busy_days_counters_are_restored(here: World) -> None:
    """2,000 mailboxes sent in each hour of a day: what counts of it fits into one call, and the limits hold."""
    mailbox = here.mailbox(hourly=100_000, daily=50)
    here.campaign([mailbox], 20)
    here.sql(
        """INSERT INTO permits (token, campaign_id, workspace_id, mailbox_id, reserve_time, permits, address_key,
           reservation_id)
           SELECT n * 100 + h, n, %s, n, now() - h * interval '1 hour', 1, lpad(n::text, 16, '0'), 'r'
           FROM generate_series(1, 2000) n, generate_series(0, 23) h""",
        here.workspace,
    )
    # The day began some hours ago: all that it has left by its limit are three.
    here.sql(
        """INSERT INTO permits (token, campaign_id, workspace_id, mailbox_id, reserve_time, permits, address_key,
           reservation_id) VALUES (1, 1, %s, %s, now(), 47, %s, 'r')""",
        here.workspace,
        mailbox,
        f"{1:016x}",
    )
    here.sql("DELETE FROM permits WHERE address_key = %s AND token <> 1", f"{1:016x}")
    await here.sweep()

    rows = [row for _ in range(3) for row in (await here.claim(5)).rows]

    assert len(rows) == 3
