"""Every kind of limit, from a setting or a row through the limiter to what is handed out."""

from .world import World, world


async def _claim_all(here: World) -> int:
    """How many messages leave until nothing does."""
    number, more = 0, 1
    while more:
        more = len((await here.claim(20)).rows)
        number += more
    return number


async def test_a_daily_limit_holds_where_the_hour_has_room(here: World) -> None:
    """Of 20 due messages 6 leave, though the hour would allow all."""
    here.campaign([here.mailbox(daily=6)], 20)
    await here.sweep()

    assert await _claim_all(here) == 6


async def test_the_cap_of_the_deployment_holds_over_workspaces(
    database_url: str, redis_url: str, limiter_target: str
) -> None:
    """Two workspaces with mailboxes that have room, and a cap of 9 an hour: 9 leave, whoever's they are."""
    async with world(database_url, redis_url, limiter_target, max_per_hour=9) as here:
        here.campaign([here.mailbox()], 20)
        [(here.workspace,)] = here.sql("INSERT INTO workspaces (name) VALUES ('other') RETURNING id")
        here.campaign([here.mailbox()], 20)
        await here.sweep()

        assert await _claim_all(here) == 9


async def test_an_hour_that_rolls_holds_its_limit(database_url: str, redis_url: str, limiter_target: str) -> None:
    """With an hour in 60 parts a mailbox of 7 an hour hands out 7 now."""
    async with world(database_url, redis_url, limiter_target, window_parts=60) as here:
        here.campaign([here.mailbox(hourly=7)], 20)
        await here.sweep()

        assert await _claim_all(here) == 7
