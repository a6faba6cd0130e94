"""What judges hostile values can fail: each kind of damage is seen."""

import pytest
from maillane_chassis.clock import SYSTEM_CLOCK
from maillane_sender.message import Recipient, Sender, Source, compile_message, render

from .as_taken import faults
from .real_servers import Taken

SENDER = "m0@s.example"
TO = "r1@c0.example"
SENDERS = {0: SENDER}


def taken(note: str = "hello") -> bytes:
    """A message as the sender makes it, dots taken off as servers do."""
    source = Source("{{name}}", "{{note}}\n.\nmark 1 of 0", "<p>{{name}}</p>{{note}}")
    recipient = Recipient(TO, {"name": "Zoe", "note": note})
    raw = render(
        compile_message(source, Sender(SENDER, "Zoë, news")), recipient, "<1.c@s.example>", SYSTEM_CLOCK.wall()
    )
    return raw.replace(b"\r\n..", b"\r\n.")


def test_a_good_message_has_no_faults() -> None:
    """Whatever its values hold."""
    assert faults(Taken(SENDER, (TO,), taken("a\r\n.\r\nb=?utf-8?q?=0D?=")), SENDERS) == []


def test_an_address_that_looks_like_an_encoded_word_is_taken_as_it_stands() -> None:
    """A line break is encoded in it, which stays what it is: letters of a local part."""
    odd = "=?utf-8?b?DQpCY2M6IHZpY3RpbUBldmlsLmV4YW1wbGU=?=@x.example"
    raw = taken().replace(TO.encode(), odd.encode())

    assert faults(Taken(SENDER, (odd,), raw), SENDERS) == []


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ((b"Subject: Zoe\r\n", b"Subject: Zoe\r\nBcc: x@y.example\r\n"), "headers"),
        ((b"Subject: Zoe\r\n", b"Subject: Zoe\r\n\r\nSubject: two\r\n"), "headers"),
        ((b"hello", b"hel\rlo"), "a bare CR"),
        ((b"mark 1 of 0", b"mark"), "the text does not end as it should"),
        ((b"</p>", b"</p><script>"), "HTML that is not escaped"),
        ((b"text/html", b"text/plain"), "parts"),
        ((b"To: r1@", b"To: r2@"), "To: "),
        ((b"To: r1@", b"To: x@y.example, r1@"), "To: "),
        ((b"<m0@s.example>", b"<m1@s.example>"), "From: "),
    ],
)
def test_damage_is_seen(damage: tuple[bytes, bytes], words: str) -> None:
    """Each kind, by name."""
    whole = taken()
    damaged = whole.replace(*damage)
    found = faults(Taken(SENDER, (TO,), damaged), SENDERS)

    assert damaged != whole
    assert [fault for fault in found if fault.startswith(words)]


@pytest.mark.parametrize("recipients", [(), (TO, "x@y.example"), ("r1@c0.example> x",)])
def test_other_recipients_are_seen(recipients: tuple[str, ...]) -> None:
    """None, a second one, or one that is no address."""
    assert [fault for fault in faults(Taken(SENDER, recipients, taken()), SENDERS) if fault.startswith("recipients")]
