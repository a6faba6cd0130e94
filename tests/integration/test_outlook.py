"""How a workspace stands, out of the real stores and the real limiter."""

import asyncio

import grpc
import pytest
from maillane.ratelimit.v1 import rate_limit_service_pb2 as pb
from maillane.ratelimit.v1.rate_limit_service_pb2_grpc import RateLimitServiceStub
from maillane_scheduler.api.holds import lane_state
from maillane_scheduler.dispatch import meter
from maillane_scheduler.states import LaneState, MessageState

from .world import World, world


async def test_an_outlook_knows_what_is_used_and_what_waits(here: World) -> None:
    """Of 20 messages 5 are claimed: 5 are used of the hour and the day, 15 wait."""
    mailbox = here.mailbox(hourly=50, daily=60)
    campaign = here.campaign([mailbox], 20)
    await here.sweep()
    await here.claim(5)

    outlook = await here.scheduler.outlooks.look(here.workspace)

    assert outlook.waiting[campaign, mailbox].count == 15
    assert (outlook.hours[mailbox].used, outlook.days[mailbox].used) == (5, 5)


async def test_what_is_used_is_known_after_a_wipe_though_nobody_reserves(here: World) -> None:
    """A mailbox whose hour is used up asks for nothing until the next: who looks has its counters restored."""
    mailbox = here.mailbox(hourly=5)
    here.campaign([mailbox], 20)
    await here.sweep()
    await here.claim(5)

    await here.scheduler.redis.flushall()
    outlook = await here.scheduler.outlooks.look(here.workspace)

    assert outlook.hours[mailbox].used == 5


async def test_who_looks_at_use_does_not_wait_for_a_long_restore(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told as not known; the restore goes on without them, and the next look finds it done."""
    goes_on = asyncio.Event()

    async def slowly(error: grpc.aio.AioRpcError, since: float) -> None:
        await goes_on.wait()
        await here.scheduler.limiter.restore_lost(error, since)

    monkeypatch.setattr(meter, "RESTORED_S", 0.1)
    usage = meter.Meter(RateLimitServiceStub(here.scheduler.channel), here.scheduler.limits, slowly)
    here.campaign([here.mailbox()], 5)
    await here.sweep()
    await here.claim(5)
    await here.scheduler.redis.flushall()
    asked = [(pb.SCOPE_MAILBOX, "nobody", False)]
    meanwhile = await usage.read(here.workspace, asked)
    goes_on.set()
    async with asyncio.timeout(5):
        while (found := await usage.read(here.workspace, asked)) is None:
            await asyncio.sleep(0.01)

    assert meanwhile is None
    assert [one.used for one in found] == [0]


async def test_what_the_deployment_holds_is_told_so(database_url: str, redis_url: str, limiter_target: str) -> None:
    """Its mailbox has room by its own limits; it is at a limit all the same, and its next leaves in the next hour."""
    async with world(database_url, redis_url, limiter_target, max_per_hour=5) as here:
        here.campaign([here.mailbox()], 20)
        await here.sweep()
        await here.claim(20)
        await here.claim(20)

        outlook = await here.scheduler.outlooks.look(here.workspace)
        [waiting] = outlook.waiting.values()
        [trace] = (await here.scheduler.outlooks.forecast(outlook)).values()

    hour_end_us = (outlook.now_us // outlook.hour_us + 1) * outlook.hour_us
    assert lane_state(outlook, waiting) is LaneState.AT_LIMIT
    assert trace.first_us is not None
    assert trace.first_us >= hour_end_us - 1_000_000


async def test_a_forecast_is_what_happens(database_url: str, redis_url: str, limiter_target: str) -> None:
    """With hours of 2 s and 5 messages in each, 12 messages leave in the windows that were forecast."""
    async with world(database_url, redis_url, limiter_target, hour_s=2, day_s=60) as here:
        mailbox = here.mailbox(hourly=5)
        campaign = here.campaign([mailbox], 12)
        await here.sweep()
        outlook = await here.scheduler.outlooks.look(here.workspace)
        traces = await here.scheduler.outlooks.forecast(outlook)
        forecast = [traces[campaign, mailbox].time_us(nth) for nth in range(12)]

        while here.states().get("PENDING") or here.states().get("SENDING"):
            await here.settle(await here.claim(20, wait_s=1), MessageState.SENT)
        left = [us for (us,) in here.sql("SELECT extract(epoch FROM claim_time) * 1000000 FROM attempts ORDER BY 1")]

    windows = [int(us // 2_000_000) for us in left]
    # Those of the first window may have come in the next: it may have ended between the forecast and the claim.
    assert windows in ([us // 2_000_000 + late for us in forecast if us is not None] for late in (0, 1))
