"""Campaigns through the real system: gateway, scheduler, limiter, sender, stores and a catcher."""

import asyncio
from datetime import datetime

import psycopg
import pytest

from .conftest import Run
from .tenant import Tenant, recipients, twice

pytestmark = pytest.mark.timeout(180)


async def test_a_campaign_of_200_arrives_once_each_and_in_order(shared: Tenant) -> None:
    """Through two mailboxes; each mailbox's mails leave in the campaign's order, give or take the five at once."""
    senders = ("two1@example.com", "two2@example.com")
    campaign = await shared.campaign([await shared.mailbox(sender) for sender in senders], 200)

    counts = await shared.ended(campaign, within_s=60)

    mails = await shared.caught(*senders)
    assert counts == {"total": 200, "sent": 200}
    assert recipients(mails) == {f"r{n}@example.com": 1 for n in range(1, 201)}
    for sender in senders:
        places = [int(mail["subject"].split()[1]) for mail in mails if mail["sender"] == sender]
        assert len(places) == 100
        assert all(abs(place - right) <= 20 for place, right in zip(places, sorted(places), strict=True))


async def test_a_delay_is_kept_between_mails(shared: Tenant) -> None:
    """Ten mails with 0.3 s between take 2.7 s at least, strictly in order."""
    campaign = await shared.campaign([await shared.mailbox("delay@example.com")], 10, delay="0.3s")

    await shared.ended(campaign, within_s=30)

    mails = await shared.caught("delay@example.com")
    first, last = (datetime.fromisoformat(mails[at]["receivedTime"]) for at in (0, -1))
    assert [mail["subject"] for mail in mails] == [f"No {n}" for n in range(1, 11)]
    # The delay is between hand-outs; what the first took longer on its way than the last is missing here.
    assert (last - first).total_seconds() >= 2.2


async def test_overflow_moves_to_the_next_window_in_order(run: Run) -> None:
    """With 10 an hour (of 4 s here) 25 mails take three windows; no window hands out more than 10, order is kept."""
    async with run(hour_s=4) as tenant:
        campaign = await tenant.campaign([await tenant.mailbox("m@example.com", hourlyLimit=10)], 25)
        await tenant.ended(campaign, within_s=40)
        mails = await tenant.caught()
        async with await psycopg.AsyncConnection.connect(tenant.system.postgres_url) as connection:
            found = await connection.execute(
                "SELECT sum(permits - refunded) FROM permits GROUP BY floor(extract(epoch FROM reserve_time) / 4)"
            )
            windows = [int(row[0]) for row in await found.fetchall()]

    places = [int(mail["subject"].split()[1]) for mail in mails]
    assert max(windows) <= 10
    assert sum(windows) == 25
    assert all(abs(place - right) <= 4 for place, right in zip(places, sorted(places), strict=True))


async def test_a_stop_in_the_middle_loses_and_doubles_nothing(run: Run) -> None:
    """Stopped while it sends and started again on the same data folder, a campaign ends complete."""
    async with run() as tenant:
        mailbox = await tenant.mailbox("m@example.com")
        campaign = await tenant.campaign([mailbox], 60, delay="0.05s")
        await tenant.sent(campaign, 15)
        first = await tenant.caught()
    async with run() as tenant:
        # The catcher is elsewhere now.
        port = int(tenant.system.urls["smtp"].split(":")[1])
        await tenant.call("PATCH", f"/v1/mailboxes/{mailbox}", json={"smtp": {"port": port}})
        await tenant.call("POST", f"/v1/mailboxes/{mailbox}:resume")
        counts = await tenant.ended(campaign, within_s=60)
        mails = first + await tenant.caught()

    # What was on its way when the catcher stopped with everything else may be unconfirmed, and is not sent again.
    assert counts["total"] == counts["sent"] + counts.get("unconfirmed", 0) == 60
    assert not twice(mails)
    assert set(recipients(mails).values()) == {1}


async def test_pause_and_resume(shared: Tenant) -> None:
    """Nothing leaves while a campaign is paused; all of it has left in the end."""
    campaign = await shared.campaign([await shared.mailbox("pause@example.com")], 40, delay="0.05s")
    await shared.sent(campaign, 5)

    await shared.call("POST", f"/v1/campaigns/{campaign}:pause")
    await _nothing_is_sending(shared, campaign)
    before = len(await shared.caught("pause@example.com"))
    await asyncio.sleep(1)
    during = len(await shared.caught("pause@example.com"))
    await shared.call("POST", f"/v1/campaigns/{campaign}:resume")

    assert before == during < 40
    assert await shared.ended(campaign, within_s=30) == {"total": 40, "sent": 40}


async def test_a_cancelled_campaign_sends_no_more(shared: Tenant) -> None:
    """What was pending is cancelled."""
    campaign = await shared.campaign([await shared.mailbox("cancel@example.com")], 40, delay="0.2s")
    await shared.sent(campaign, 3)

    await shared.call("POST", f"/v1/campaigns/{campaign}:cancel")

    await _nothing_is_sending(shared, campaign)
    counts = await shared.counts(campaign)
    assert counts["total"] == counts["sent"] + counts["cancelled"] == 40
    assert counts["sent"] < 40


async def test_refused_recipients_fail_or_wait(run: Run) -> None:
    """A dead address fails at once, with the server's words; a deferred one is tried until its tries are over."""
    async with run(retry_first_s=0.1, max_attempts=2) as tenant:
        mailbox = await tenant.mailbox("m@example.com")
        template = {"subject": "s", "text": "t"}
        body = {"name": "mixed", "mailboxIds": [mailbox], "template": template}
        campaign = (await tenant.call("POST", "/v1/campaigns", json=body))["id"]
        await tenant.import_csv(campaign, "email\nfine@example.com\nbounce1@example.com\ndefer1@example.com\n")
        await tenant.call("POST", f"/v1/campaigns/{campaign}:start")
        counts = await tenant.ended(campaign, within_s=30)
        listed = await tenant.call("GET", "/v1/messages", params={"campaignId": campaign})
        found = {message["recipient"]: message for message in listed["messages"]}

    assert counts == {"total": 3, "sent": 1, "failed": 2}
    assert found["bounce1@example.com"]["lastReply"].startswith("550 5.1.1")
    assert found["bounce1@example.com"]["attempts"] == 1
    assert found["defer1@example.com"]["attempts"] == 2


async def _nothing_is_sending(tenant: Tenant, campaign: str) -> None:
    async with asyncio.timeout(20):
        while (await tenant.counts(campaign)).keys() & {"sending"}:
            await asyncio.sleep(0.1)
