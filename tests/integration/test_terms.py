"""The cache of lanes' terms says of no living lane that it is gone."""

import asyncio
from collections.abc import Sequence

import pytest
from maillane_scheduler.dispatch import terms
from maillane_scheduler.dispatch.terms import TermsCache
from maillane_scheduler.store import lanes
from maillane_scheduler.store.engine import DispatchPool
from maillane_scheduler.store.lanes import Terms

from .world import World


async def test_a_cache_that_begins_anew_leaves_out_no_lane(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lane that was known, asked for beside one that is one too many to keep, is answered."""
    monkeypatch.setattr(terms, "MOST_LANES", 1)
    cache, mailbox = TermsCache(here.scheduler.pool), here.mailbox()
    known, new = (here.campaign([mailbox], 1) for _ in range(2))
    await cache.get([(known, mailbox)])

    assert set(await cache.get([(known, mailbox), (new, mailbox)])) == {(known, mailbox), (new, mailbox)}


async def test_a_lane_that_is_forgotten_meanwhile_is_not_gone(here: World) -> None:
    """A lane whose terms another cycle forgets, while those of another lane are read, is answered."""
    cache, mailbox = TermsCache(here.scheduler.pool), here.mailbox()
    known, new = (here.campaign([mailbox], 1) for _ in range(2))
    await cache.get([(known, mailbox)])
    asking = asyncio.create_task(cache.get([(known, mailbox), (new, mailbox)]))
    await asyncio.sleep(0)
    cache.forget((known, mailbox))

    assert set(await asking) == {(known, mailbox), (new, mailbox)}


async def test_a_lane_that_postgres_does_not_have_is_gone(here: World) -> None:
    """A lane of no campaign is left out, and only that."""
    cache, mailbox = TermsCache(here.scheduler.pool), here.mailbox()
    campaign = here.campaign([mailbox], 1)

    assert set(await cache.get([(campaign, mailbox), (campaign + 1, mailbox)])) == {(campaign, mailbox)}


async def test_messages_of_a_lane_that_is_forgotten_meanwhile_leave(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lane that a refusal makes another cycle forget, while a new lane's terms are read, is handed out to its end."""
    mailbox = here.mailbox(hourly=15)
    known = here.campaign([mailbox], 10)
    await here.sweep()
    first = await here.claim(2)
    real, permits = lanes.terms, here.scheduler.dispatcher._permits

    async def read(pool: DispatchPool, asked: Sequence[tuple[int, int]]) -> list[Terms]:
        found = await real(pool, asked)
        permits.forget([(known, mailbox)])
        return found

    monkeypatch.setattr(lanes, "terms", read)
    here.campaign([here.mailbox(hourly=15)], 10)
    await here.sweep()
    rest = [row for _ in range(4) for row in (await here.claim(50)).rows]

    assert len(first.rows) + len(rest) == 20
