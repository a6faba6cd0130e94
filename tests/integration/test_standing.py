"""How things stand, in the numbers that operators watch."""

from prometheus_client import REGISTRY

from .world import World


def shown(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(f"maillane_{name}", labels)


async def seen(here: World) -> None:
    """A sweep that looks, whenever the last one did."""
    here.scheduler.sweeper._due_at["gauges"] = 0
    await here.sweep()


async def test_what_is_unconfirmed_and_what_is_set_aside_is_shown(here: World) -> None:
    """As it is now, not as it was."""
    here.campaign([here.mailbox(hourly=3)], 5)
    await here.sweep()
    await here.claim(5)
    await here.claim(5)
    here.sql("UPDATE claims SET lease_until = now() - interval '1 s'")
    await here.sweep()
    await seen(here)
    during = [shown("unconfirmed_messages"), shown("parked_mailboxes", reason="limit"), shown("open_campaigns")]
    here.sql("DELETE FROM parks")
    here.sql("UPDATE campaign_counts SET unconfirmed = 0")
    await seen(here)

    assert during == [3, 1, 1]
    assert [shown("unconfirmed_messages"), shown("parked_mailboxes", reason="limit")] == [0, 0]


async def test_what_is_due_and_nobody_takes_is_overdue(here: World) -> None:
    """Since it could have been handed out; nothing is overdue where nothing is due."""
    await here.sweep()
    await seen(here)
    before = shown("overdue_seconds")
    here.campaign([here.mailbox()], 1, start="-100 s")
    await here.sweep()
    await seen(here)

    assert before == 0
    assert (shown("overdue_seconds") or 0) >= 100
