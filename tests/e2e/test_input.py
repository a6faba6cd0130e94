"""What a person sends by HTTP, and what the whole system makes of it."""

import httpx

from .tenant import Tenant


async def test_the_audit_knows_from_where_a_change_over_http_came(shared: Tenant) -> None:
    """The client's end of its connection, not the gateway's, and not what a header says."""
    elsewhere = httpx.AsyncHTTPTransport(local_address="127.0.0.9")
    mailbox = await shared.mailbox("origin@example.com")
    async with httpx.AsyncClient(
        base_url=shared.http.base_url, headers=shared.http.headers, transport=elsewhere
    ) as client:
        paused = await client.post(f"/v1/mailboxes/{mailbox}:pause", headers={"x-forwarded-for": "192.0.2.7"})
        paused.raise_for_status()
    listed = await shared.call("GET", "/v1/audit", params={"resource": f"mailboxes/{mailbox}"})

    assert [(entry["verb"], entry["peer"].rpartition(":")[0]) for entry in listed["entries"]] == [
        ("mailbox.pause", "ipv4:127.0.0.9"),
        ("mailbox.create", "ipv4:127.0.0.1"),
    ]


async def test_a_mailbox_is_sent_back_as_it_was_read(shared: Tenant) -> None:
    """With a change: what only the server sets is passed over; by itself it is refused by name, in one form."""
    mailbox = await shared.mailbox("roundtrip@example.com")
    path = f"/v1/mailboxes/{mailbox}"
    read = await shared.call("GET", path)
    changed = await shared.call("PATCH", path, json={**read, "displayName": "Ann", "state": "MAILBOX_STATE_PAUSED"})
    refused = await shared.http.patch(path, params={"updateMask": "smtp.hasPassword"}, json={})

    assert changed == {**read, "displayName": "Ann"}
    assert refused.status_code == 400
    assert refused.json()["error"]["message"] == ("updateMask: must not name smtp.hasPassword: it is set by the server")


async def test_a_host_that_leads_inside_is_refused_however_it_is_written(shared: Tenant) -> None:
    """A metadata service is never a mail server, also where private addresses are allowed, as here."""
    smtp = {"host": "0xa9fea9fe", "port": 587, "security": "SECURITY_TLS"}
    refused = await shared.http.post("/v1/mailboxes", json={"address": "inside@example.com", "smtp": smtp})

    assert refused.status_code == 400
    assert refused.json()["error"]["message"].startswith("smtp.host: must be a public address, or a name")
