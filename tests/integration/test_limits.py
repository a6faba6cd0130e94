"""Every kind of limit, from a setting or a row through the limiter to what is handed out."""

from maillane_scheduler.dispatch.dispatcher import HandOut
from maillane_scheduler.store import parks

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


async def test_permits_of_the_deployment_that_come_back_are_used_elsewhere(
    database_url: str, redis_url: str, limiter_target: str
) -> None:
    """Of three mailboxes that the cap has parked two go on, by the sweep, with two permits that a fourth returns."""
    async with world(database_url, redis_url, limiter_target, max_per_hour=5) as here:
        first = here.mailbox()
        here.campaign([first], 5)
        await here.sweep()
        held = await here.claim(5)
        others = [here.mailbox() for _ in range(3)]
        here.campaign(others, 1)
        await here.sweep()
        assert await _claim_all(here) == 0
        # Who parked looks once more whether permits have come back meanwhile, and is to find none.
        await here.scheduler.dispatcher.quiet()
        assert here.sql("SELECT count(*) FROM parks WHERE of_deployment") == [(3,)]
        here.sql("UPDATE mailboxes SET state = 2, revision = revision + 1 WHERE id = %s", first)
        await here.give_back(HandOut(held.token, held.rows[:2]), spent=False)
        before = await _claim_all(here)
        await here.scheduler.settler.look_at_deployment()

        assert (before, await _claim_all(here)) == (0, 2)
        assert here.sql("SELECT count(*) FROM parks WHERE of_deployment") == [(1,)]


async def test_what_comes_back_of_the_deployments_cap_is_drawn_for(
    database_url: str, redis_url: str, limiter_target: str
) -> None:
    """Each of three mailboxes that the cap has parked is the one that may ask again, now and then."""
    async with world(database_url, redis_url, limiter_target, max_per_hour=1) as here:
        here.campaign([here.mailbox()], 1)
        await here.sweep()
        assert await _claim_all(here) == 1
        others = [here.mailbox() for _ in range(3)]
        here.campaign(others, 1)
        await here.sweep()
        assert await _claim_all(here) == 0
        # Of 60 draws one of three is left out once in ten thousand million times.
        drawn = {(await parks.of_deployment(here.scheduler.pool, 1))[0] for _ in range(60)}

    assert {mailbox for mailbox, _ in drawn} == set(others)


async def test_an_hour_that_rolls_holds_its_limit(database_url: str, redis_url: str, limiter_target: str) -> None:
    """With an hour in 60 parts a mailbox of 7 an hour hands out 7 now."""
    async with world(database_url, redis_url, limiter_target, window_parts=60) as here:
        here.campaign([here.mailbox(hourly=7)], 20)
        await here.sweep()

        assert await _claim_all(here) == 7
