"""The catcher: what it keeps, refuses and shows."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import aiosmtplib
import httpx
import pytest
from maillane_local.catcher import store as store_module
from maillane_local.catcher import web
from maillane_local.catcher.smtp import Handler, listen
from maillane_local.catcher.store import Store
from maillane_local.ports import LOOPBACK

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
HOSTILE = (
    b"From: a@example.com\r\nTo: b@example.com\r\nSubject: <script>alert(1)</script>\r\n"
    b"Content-Type: text/html; charset=utf-8\r\n\r\n<script>alert(1)</script>\r\n"
)


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
async def pages(store: Store) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=web.app(store))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        yield client


@pytest.fixture
async def smtp(store: Store) -> AsyncIterator[aiosmtplib.SMTP]:
    server = await listen(Handler(store, lambda: NOON), LOOPBACK, 0)
    client = aiosmtplib.SMTP(hostname=LOOPBACK, port=server.sockets[0].getsockname()[1])
    async with client:
        yield client
    server.close()
    await server.wait_closed()


async def test_a_mail_is_kept_byte_for_byte(smtp: aiosmtplib.SMTP, pages: httpx.AsyncClient):
    """What came by SMTP is what the API gives."""
    await smtp.sendmail("a@example.com", ["b@example.com"], HOSTILE)

    assert (await pages.get("/api/messages/1")).content == HOSTILE


@pytest.mark.parametrize(("recipient", "code"), [("bounce.7@example.com", 550), ("Defer@example.com", 451)])
async def test_some_recipients_are_refused_on_purpose(smtp: aiosmtplib.SMTP, store: Store, recipient: str, code: int):
    """Recipients that begin with bounce or defer are answered so, and nothing is kept."""
    with pytest.raises(aiosmtplib.SMTPRecipientsRefused) as refused:
        await smtp.sendmail("a@example.com", [recipient], HOSTILE)

    assert ([error.code for error in refused.value.recipients], store.total) == ([code], 0)


async def test_one_session_takes_many_mails(smtp: aiosmtplib.SMTP, store: Store):
    """A connection that is reused for a whole campaign is not cut off."""
    for _ in range(60):
        await smtp.sendmail("a@example.com", ["b@example.com"], HOSTILE)

    assert store.total == 60


async def test_the_list_has_the_newest_first(store: Store, pages: httpx.AsyncClient):
    """The API lists up to `limit` mails, the newest first, and counts all."""
    for number in range(3):
        store.add(NOON, "a@example.com", (f"{number}@example.com",), HOSTILE)

    listed = (await pages.get("/api/messages?limit=2")).json()

    assert ([mail["recipients"] for mail in listed["messages"]], listed["total"]) == (
        [["2@example.com"], ["1@example.com"]],
        3,
    )


async def test_only_so_many_are_kept(store: Store, monkeypatch: pytest.MonkeyPatch):
    """The oldest give way to new ones; the count goes on."""
    monkeypatch.setattr(store_module, "KEPT_MAILS", 2)
    for _ in range(3):
        store.add(NOON, "a@example.com", ("b@example.com",), HOSTILE)

    assert ([mail.id for mail in store.newest(10)], store.total) == ([3, 2], 3)


async def test_only_so_much_is_kept(store: Store, monkeypatch: pytest.MonkeyPatch):
    """Large mails push out older ones, but never themselves."""
    monkeypatch.setattr(store_module, "KEPT_BYTES", 10)
    store.add(NOON, "a@example.com", (), b"1234567")
    store.add(NOON, "a@example.com", (), b"12345678901234567890")

    assert [mail.id for mail in store.newest(10)] == [2]


async def test_delete_forgets_all(store: Store, pages: httpx.AsyncClient):
    """DELETE empties the list."""
    store.add(NOON, "a@example.com", ("b@example.com",), HOSTILE)

    await pages.delete("/api/messages")

    assert (await pages.get("/api/messages")).json() == {"messages": [], "total": 0}


@pytest.mark.parametrize("path", ["/", "/messages/1"])
async def test_pages_escape_what_mails_say(store: Store, pages: httpx.AsyncClient, path: str):
    """A subject is text, whatever it holds."""
    store.add(NOON, "a@example.com", ("b@example.com",), HOSTILE)

    shown = (await pages.get(path)).text

    assert ("&lt;script&gt;" in shown, "<script>" in shown) == (True, False)


async def test_a_body_is_shown_in_a_sandbox(store: Store, pages: httpx.AsyncClient):
    """A body runs no scripts and loads nothing."""
    store.add(NOON, "a@example.com", ("b@example.com",), HOSTILE)

    policy = (await pages.get("/messages/1/body")).headers["content-security-policy"]

    assert policy.startswith("sandbox; default-src 'none'")


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"Content-Type: text/plain; charset=nonsense\r\n\r\n\xff"])
async def test_any_bytes_can_be_shown(store: Store, pages: httpx.AsyncClient, content: bytes):
    """What is no proper mail is shown as well as it can be."""
    store.add(NOON, "", (), content)

    codes = [(await pages.get(path)).status_code for path in ("/", "/messages/1", "/messages/1/body", "/api/messages")]

    assert codes == [200] * 4


@pytest.mark.parametrize("limit", ["0", "2001", "x", "-1", "\N{ARABIC-INDIC DIGIT ONE}"])
async def test_a_bad_limit_is_refused(pages: httpx.AsyncClient, limit: str):
    """A limit is a number within bounds."""
    assert (await pages.get("/api/messages", params={"limit": limit})).status_code == 400


async def test_other_hosts_are_refused(pages: httpx.AsyncClient):
    """A page elsewhere that points its name to this machine reads nothing."""
    assert (await pages.get("/api/messages", headers={"host": "evil.example"})).status_code == 400
