"""The headers by which a recipient ends mail, and the one that tells a test."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from maillane_sender.message import Recipient, Sender, Source, compile_message, render

from .fake_scheduler import CAMPAIGN, message
from .test_dispatch import world

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
URL = "https://mail.acme.example/u/AAAAAAAAAAFrdE1hfHN1Y2ggYSBNQUMt"


def rendered(url: str, *, test: bool = False, text: str = "Hello", variables: dict[str, str] | None = None) -> bytes:
    compiled = compile_message(Source("Hi", text), Sender("news@acme.example"), test=test)
    return render(compiled, Recipient("zoe@example.net", variables or {}), "<1.c@acme.example>", NOW, url)


def test_the_link_stands_in_both_headers_on_one_line_each() -> None:
    """RFC 8058 §3.1, also where the line is longer than is usual."""
    lines = rendered(URL + "x" * 100).split(b"\r\n")

    assert b"List-Unsubscribe: <" + URL.encode() + b"x" * 100 + b">" in lines
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click" in lines


def test_without_a_link_there_are_no_such_headers() -> None:
    """A deployment that has no public address."""
    assert b"List-Unsubscribe" not in rendered("")


def test_the_variable_is_the_messages_own_link_whatever_was_imported() -> None:
    """It is reserved: nobody's list says where recipients are sent to."""
    content = rendered(
        "https://a.example/u/t", text="{{unsubscribe_url}}", variables={"unsubscribe_url": "https://evil"}
    )

    assert b"https://a.example/u/t" in content
    assert b"evil" not in content


@pytest.mark.parametrize("url", ["javascript:x", "https://a>\r\nBcc: x@y.zz", "https://a b", "https://é.example"])
def test_what_is_no_link_is_in_no_header(url: str) -> None:
    """It comes from the scheduler; a message with it is not made."""
    with pytest.raises(ValueError, match="not a link"):
        rendered(url)


def test_a_test_says_so_in_a_header() -> None:
    """And no other message does."""
    assert b"X-Maillane-Test: 1\r\n" in rendered("", test=True)
    assert b"X-Maillane-Test" not in rendered("")


async def test_a_sender_puts_in_what_it_was_handed() -> None:
    """The link with the message, the mark of a test with the template."""
    async with world() as (smtp, fake, _):
        fake.campaign(CAMPAIGN, test=True)
        await fake.put(message(1, unsubscribe_url=URL))
        await fake.all_settled(1)

    assert f"List-Unsubscribe: <{URL}>\r\n".encode() in smtp.messages[0]
    assert b"X-Maillane-Test: 1\r\n" in smtp.messages[0]
