"""Verbs that are cut off between any two of their steps: what they committed holds, and the sweep tells the rest."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from maillane.options.v1.access_pb2 import ACCESS_ADMIN
from maillane_chassis import access
from maillane_scheduler.dispatch.dispatcher import HAND_OVER_US, HandOut
from maillane_scheduler.queue.values import Grant
from maillane_scheduler.sweeper import ORPHANED_US

from .hazards import Fate, Hazard, Killed, fated
from .rig import Call, campaign_verb
from .world import World, settings, world

HOUR_US = 3_600_000_000
# More than any verb takes: the last of them run to their end.
STEPS = range(1, 9)
_BEFORE = {"Pause": 2, "Resume": 3, "Cancel": 2, "Start": 1}
_AFTER = {"Pause": (3, 0), "Resume": (2, 5), "Cancel": (5, 0), "Start": (2, 5)}
"""The campaign's state, and how many of its five messages can be claimed."""


@pytest.fixture
async def here(database_url: str, redis_url: str, limiter_target: str) -> AsyncIterator[World]:
    async with world(database_url, redis_url, limiter_target) as made:
        access._identity.set(access.Identity(made.workspace, None, ACCESS_ADMIN, "test"))
        yield made


@pytest.mark.parametrize("verb", _BEFORE)
async def test_a_verb_that_is_cut_off_holds_or_never_was(here: World, verb: str) -> None:
    """At whichever step: another scheduler's sweep brings the queue to what Postgres has."""
    state, claimable = _AFTER[verb]
    for step in STEPS:
        campaign = _made(here, _BEFORE[verb])
        await here.sweep()
        await _cut_off(here, campaign_verb(verb, campaign), step)
        here.sql("UPDATE marks SET create_time = now() - interval '1 hour'")
        await here.sweep()
        [(after_one,)] = here.sql("SELECT state FROM campaigns WHERE id = %s", campaign)
        taken = len((await here.claim(10)).rows)

        assert (after_one, taken) in {(state, claimable), (_BEFORE[verb], 5 if _BEFORE[verb] == 2 else 0)}
        here.sql("UPDATE campaigns SET state = 5, revision = revision + 1 WHERE id = %s", campaign)
        here.sql("UPDATE messages SET state = 7 WHERE campaign_id = %s", campaign)


async def test_a_settle_that_is_cut_off_frees_its_place(here: World) -> None:
    """A mailbox with a cap of two goes on, whichever step of telling the first two was the last."""
    taken = []
    for step in STEPS:
        here.campaign([here.mailbox(cap=2)], 4)
        await here.sweep()
        held = await here.claim(2)
        other = World(await _opened(here, fate := Fate()), here.database_url, here.workspace)
        fate.arm(Hazard.KILL, step)
        with contextlib.suppress(Killed):
            await other.settle(held)
        await _closed(other, fate)
        await here.settle(held)
        await _time_passes(here)
        await here.sweep()

        taken.append(len((await here.claim(4)).rows))

    assert taken == [2] * len(STEPS)


async def test_a_scheduler_that_starts_gives_back_what_a_dead_one_had_in_hand_over(here: World) -> None:
    """At once, at the head of its lane: only what was handed out in between goes before it."""
    mailbox = here.mailbox()
    campaign = here.campaign([mailbox], 9)
    await here.sweep()
    # Its script ran, and it was killed before it committed.
    await here.scheduler.queue.claim(7, HAND_OVER_US, [Grant(mailbox, campaign, 3)])
    between = await here.claim(2)
    await here.sweep()
    early = await here.claim(1)
    await _time_passes(here, us=2 * ORPHANED_US)
    fate = Fate()
    anew = World(await _opened(here, fate), here.database_url, here.workspace)
    await anew.sweep()
    after = await anew.claim(9)
    await _closed(anew, fate)

    assert [_places(hand_out) for hand_out in (between, early)] == [[4, 5], [6]]
    assert _places(after) == [1, 2, 3, 7, 8, 9]


def _places(hand_out: HandOut) -> list[int]:
    return [row.message % 100_000 for row in hand_out.rows]


def _made(here: World, state: int) -> int:
    campaign = here.campaign([here.mailbox()], 5)
    here.sql("UPDATE campaigns SET state = %s, queue_revision = 0 WHERE id = %s", state, campaign)
    if state == 1:
        here.sql("UPDATE lanes SET base = NULL WHERE campaign_id = %s", campaign)
        here.sql("DELETE FROM marks")
    return campaign


async def _cut_off(here: World, verb: Call[Any], step: int) -> None:
    fate = Fate()
    scheduler = await _opened(here, fate)
    fate.arm(Hazard.KILL, step)
    copy: Any = type("Copy", (), {"campaigns": scheduler.campaigns})
    with contextlib.suppress(Killed):
        await verb(copy)
    await _closed(World(scheduler, here.database_url), fate)


async def _opened(here: World, fate: Fate) -> Any:
    settled = here.scheduler.settings
    scheduler = fated(
        settings(
            here.database_url,
            settled.redis_url.get_secret_value(),
            settled.ratelimit_target,
            dispatch_connections=1,
            api_connections=2,
        ),
        fate,
    )
    return await scheduler.__aenter__()


async def _closed(here: World, fate: Fate) -> None:
    fate.kill()
    await here.scheduler.__aexit__(None, None, None)


async def _time_passes(here: World, us: int = HOUR_US) -> None:
    """Leases of what is in flight are nearer to their ends; by default, all is looked up again."""
    redis = here.scheduler.redis
    for key in await redis.keys("q:*:leases"):
        for member in await redis.zrange(key, 0, -1):
            await redis.execute_command("ZINCRBY", key, -us, member)
