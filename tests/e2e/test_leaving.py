"""A recipient leaves, a person tries a message and a mailbox: over HTTP, through the whole system."""

import asyncio
import re
from email import message_from_bytes, policy
from email.message import EmailMessage

import httpx
import pytest

from .tenant import LOOK_S, Tenant

pytestmark = pytest.mark.timeout(120)

TEMPLATE = {"subject": "Hi {{name|there}}", "text": "Leave: {{unsubscribe_url}}"}


async def caught(tenant: Tenant, sender: str, number: int) -> list[EmailMessage]:
    """Waits for so many mails of a sender, and gives them as a reader has them."""
    async with asyncio.timeout(60):
        while len(contents := await tenant.contents(sender)) < number:
            await asyncio.sleep(LOOK_S)
    return [message_from_bytes(content, policy=policy.default) for content in contents]


async def test_who_leaves_by_one_click_gets_nothing_more(shared: Tenant) -> None:
    """By the link in the mail itself; another campaign's message to that address is suppressed at its hand-out."""
    mailbox = await shared.mailbox("leaving@example.com")
    first = await shared.campaign([mailbox], 1, template=TEMPLATE)
    await shared.ended(first, within_s=60)
    [mail] = await caught(shared, "leaving@example.com", 1)
    [url] = re.findall(r"<(http[^>]+)>", str(mail["List-Unsubscribe"]))
    async with httpx.AsyncClient(trust_env=False) as anybody:
        looked = await anybody.get(url)
        clicked = await anybody.post(url, content="List-Unsubscribe=One-Click")
    second = await shared.campaign([mailbox], 2, template=TEMPLATE)
    counts = await shared.ended(second, within_s=60)
    await shared.call("DELETE", "/v1/suppressions/r1@example.com")

    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert url in mail.get_content()
    assert ("Unsubscribe" in looked.text, "You are unsubscribed" in clicked.text) == (True, True)
    assert counts == {"total": 2, "sent": 1, "suppressed": 1}


async def test_a_test_arrives_with_its_mark_and_the_campaign_is_as_it_was(shared: Tenant) -> None:
    """From a draft, with the values of a recipient; previewed first as that recipient."""
    mailbox = await shared.mailbox("trying@example.com")
    body = {"name": "t", "mailboxIds": [mailbox], "template": TEMPLATE}
    campaign = (await shared.call("POST", "/v1/campaigns", json=body))["id"]
    await shared.import_csv(campaign, "email,name\nzoe@example.com,Zoë\n")
    shown = await shared.call("POST", "/v1/campaigns:preview", json={"campaignId": campaign, "index": 0})
    asked = {"campaignId": campaign, "recipient": "me@example.com", "index": 0}
    await shared.call("POST", "/v1/campaigns:sendTest", json=asked)
    [mail] = await caught(shared, "trying@example.com", 1)

    assert (shown["recipient"], shown["subject"]) == ("zoe@example.com", "Hi Zoë")
    assert (mail["X-Maillane-Test"], mail["Subject"], mail["To"]) == ("1", "Hi Zoë", "me@example.com")
    assert await shared.counts(campaign) == {"total": 1, "pending": 1}


async def test_a_mailbox_is_verified_over_http(shared: Tenant) -> None:
    """As it is kept, and one that is not there; the sender is asked by the gateway."""
    mailbox = await shared.mailbox("verified@example.com")
    good = await shared.call("POST", "/v1/mailboxes:verify", json={"mailboxId": mailbox})
    bad = await shared.call("POST", "/v1/mailboxes:verify", json={"mailboxId": mailbox, "host": "nobody.invalid"})

    assert (good["verified"], good["steps"][-1]["step"]) == (True, "STEP_READY")
    assert (bad["verified"], bad["failedStep"], bad["reason"]) == (False, "STEP_RESOLVE", "No server by this name.")


async def test_suppressions_are_imported_and_found(shared: Tenant) -> None:
    """From a plain list; a row that is no address comes back."""
    path, headers = "/v1/suppressions:import", {"content-type": "text/csv"}
    rows = b"gone1@leaving.example\nnone\ngone2@leaving.example\n"
    answer = await shared.call("POST", path, content=rows, headers=headers)
    found = await shared.call("GET", "/v1/suppressions", params={"query": "@LEAVING.example"})

    assert (answer["added"], [row["line"] for row in answer["rejected"]]) == (2, [2])
    assert [one["email"] for one in found["suppressions"]] == ["gone1@leaving.example", "gone2@leaving.example"]
