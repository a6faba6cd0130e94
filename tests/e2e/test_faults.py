"""The short form of what must hold under faults: everything accounted for, nothing twice, whatever is killed."""

import asyncio

import pytest
from redis.asyncio import Redis

from .conftest import Run
from .tenant import recipients, twice

pytestmark = pytest.mark.timeout(240)

# What one sender holds: five connections, each with one message in hand and two ahead.
HELD = 15


@pytest.mark.parametrize("name", ["ratelimit", "scheduler", "gateway", "sender"])
async def test_a_killed_service_loses_and_doubles_nothing(run: Run, name: str) -> None:
    """kill -9 while sending: once it is back, the campaign ends with every message accounted for."""
    async with run(lease_s=8) as tenant:
        campaign = await tenant.campaign([await tenant.mailbox("m@example.com")], 120, delay="0.02s")
        await tenant.sent(campaign, 20)
        await tenant.system.kill(name)
        await tenant.system.restart(name)
        counts = await tenant.ended(campaign, within_s=60)
        mails = await tenant.caught()

    unconfirmed = counts.get("unconfirmed", 0)
    assert counts["total"] == counts["sent"] + unconfirmed == 120
    assert unconfirmed <= (HELD if name == "sender" else 0)
    assert not twice(mails)
    assert counts["sent"] <= len(recipients(mails)) <= 120


@pytest.mark.parametrize("name", ["valkey", "postgres"])
async def test_a_killed_store_loses_and_doubles_nothing(run: Run, name: str) -> None:
    """kill -9 of a store while sending: everything goes on once it is back."""
    async with run() as tenant:
        campaign = await tenant.campaign([await tenant.mailbox("m@example.com")], 120, delay="0.02s")
        await tenant.sent(campaign, 20)
        await tenant.system.kill(name)
        await tenant.system.restart(name)
        counts = await tenant.ended(campaign, within_s=60)
        mails = await tenant.caught()

    assert counts == {"total": 120, "sent": 120}
    assert not twice(mails)


async def test_a_wipe_of_redis_loses_nothing_and_passes_no_limit(run: Run) -> None:
    """FLUSHALL twice while sending under a limit: exactly the limit leaves in the hour, once each."""
    async with run() as tenant:
        campaign = await tenant.campaign([await tenant.mailbox("m@example.com", hourlyLimit=60)], 100, delay="0.02s")
        async with Redis.from_url(tenant.system.redis_url) as redis:
            for at in (15, 35):
                await tenant.sent(campaign, at)
                await redis.flushall()
        await tenant.sent(campaign, 60)
        # A round of looks after the last one: nothing more leaves.
        await asyncio.sleep(2)
        counts = await tenant.counts(campaign)
        mails = await tenant.caught()

    assert counts == {"total": 100, "sent": 60, "pending": 40}
    assert len(mails) == 60
    assert not twice(mails)
