"""Sums by the hour, on a real Postgres."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from maillane_scheduler.store import outcome_hours
from maillane_scheduler.store.engine import DispatchPool, dispatch_pool, open_engine
from sqlalchemy.ext.asyncio import AsyncEngine

HOUR_US = 3_600_000_000
HOUR = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
CAMPAIGN, OTHER = 1, 2


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[DispatchPool]:
    async with dispatch_pool(database_url, 1) as opened:
        yield opened


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    made = open_engine(database_url, 1)
    yield made
    await made.dispose()


@pytest.fixture
def sql(database_url: str) -> "psycopg.Connection[tuple[object, ...]]":
    """A connection, with two campaigns that are some hours old."""
    connection = psycopg.connect(database_url, autocommit=True)
    connection.execute("INSERT INTO workspaces (name) VALUES ('w')")
    connection.execute(
        "INSERT INTO campaigns (workspace_id, key, name, subject, text, html, delay_us, create_time) "
        "SELECT max(id), 'k', 'c', '', '', '', 0, %s FROM workspaces, generate_series(1, 2) GROUP BY generate_series",
        (HOUR - timedelta(hours=5, minutes=-7),),
    )
    return connection


def tried(
    sql: "psycopg.Connection[tuple[object, ...]]", hours_ago: float, state: int, campaign: int = CAMPAIGN
) -> None:
    """Notes a try of mailbox 1, so long before the begin of this hour."""
    sql.execute(
        "INSERT INTO attempts (message_id, campaign_id, claim_time, settle_time, mailbox_id, number, state, code, "
        "reply) VALUES (1, %s, now(), %s, 1, 1, %s, 250, '')",
        (campaign, HOUR - timedelta(hours=hours_ago), state),
    )


async def told(engine: AsyncEngine, hours: float = 5, *, mailbox: int | None = None) -> dict[int, tuple[int, int, int]]:
    """Of one campaign from so many hours before this one to now, by hours ago."""
    now_us = int(HOUR.timestamp()) * 1_000_000
    async with engine.connect() as connection:
        found = await outcome_hours.between(
            connection, [CAMPAIGN], mailbox, now_us - int(hours * HOUR_US), now_us + HOUR_US // 2
        )
    return {(now_us - hour) // HOUR_US: counts for hour, counts in found.items()}


async def test_what_is_told_is_the_same_before_and_after_hours_are_summed(sql, pool, engine) -> None:
    """Hours that are summed, the one that goes on, and one mailbox alone."""
    for hours_ago, state in ((4.5, 3), (4.2, 4), (4.2, 3), (2.1, 5), (-0.1, 3)):
        tried(sql, hours_ago, state)
    tried(sql, 4.5, 3, OTHER)
    before = await told(engine)

    assert before == {5: (2, 1, 0), 3: (0, 0, 1), 0: (1, 0, 0)}
    assert await outcome_hours.sum_up(pool) >= 4
    assert await told(engine) == before
    assert await told(engine, mailbox=2) == {}


async def test_what_is_summed_is_not_read_again(sql, pool, engine) -> None:
    """Its sums are told, whatever becomes of its attempts."""
    tried(sql, 4.5, 3)
    await outcome_hours.sum_up(pool)
    sql.execute("DELETE FROM attempts")

    assert await told(engine) == {5: (1, 0, 0)}
    assert await outcome_hours.sum_up(pool) == 0


async def test_an_attempt_without_its_campaign_keeps_no_other_from_being_summed(sql, pool, engine) -> None:
    """Its campaign is gone: the others' sums are told."""
    tried(sql, 4.5, 3)
    tried(sql, 4.5, 3, campaign=77)
    await outcome_hours.sum_up(pool)
    sql.execute("DELETE FROM attempts")

    assert await told(engine) == {5: (1, 0, 0)}


async def test_an_hour_that_is_asked_for_in_part_is_not_told_as_a_whole(sql, pool, engine) -> None:
    """Only what was settled before the end that is asked for."""
    for hours_ago in (4.6, 4.4):
        tried(sql, hours_ago, 3)
    await outcome_hours.sum_up(pool)
    now_us = int(HOUR.timestamp()) * 1_000_000
    async with engine.connect() as connection:
        found = await outcome_hours.between(
            connection, [CAMPAIGN], None, now_us - 5 * HOUR_US, now_us - 5 * HOUR_US + HOUR_US // 2
        )

    assert list(found.values()) == [(1, 0, 0)]


async def test_an_hour_is_not_summed_while_its_statements_may_go_on(sql, pool) -> None:
    """The one before this one either, until some minutes of this one are over."""
    await outcome_hours.sum_up(pool)
    [(until, now)] = sql.execute("SELECT until_time, now() FROM summed_hours").fetchall()

    assert until + timedelta(minutes=outcome_hours.SETTLED_MINUTES) <= now < until + timedelta(hours=1, minutes=10)
