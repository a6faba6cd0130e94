"""The compiler, byte for byte against Python's own parser of mail."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta, timezone
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from maillane_sender.message import (
    BadValue,
    Recipient,
    Sender,
    Slot,
    Source,
    TemplateError,
    compile_message,
    envelope,
    parse,
    render,
)
from maillane_sender.smtp import Envelope

NOW = datetime(2026, 3, 1, 13, 5, 9, tzinfo=timezone(timedelta(hours=1)))
ID = "<42.7@acme.example>"
NEWS = Sender("news@acme.example", "Acme")

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=200) | st.text("ab .=\t\r\n{}é😀", max_size=400)
HEADER = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=120) | st.text(
    "ab =?_é😀", max_size=200
)
# Python folds spaces of all kinds in names, which says nothing about what was sent.
NAME = HEADER.map(lambda text: " ".join(text.split()))
NAMES = ["a", "b"]
TEMPLATE = st.lists(
    TEXT.map(lambda text: text.replace("{{", "{ ")) | st.sampled_from(["{{a}}", "{{b}}", "{{ a | x&y }}"]), max_size=6
)


def message(source: Source, variables: dict[str, str] | None = None, sender: Sender = NEWS) -> bytes:
    return render(compile_message(source, sender), Recipient("zoe@example.net", variables or {}), ID, NOW)


def unstuffed(wire: bytes) -> bytes:
    return re.sub(rb"(?m)^\.", b"", wire)


def parsed(wire: bytes) -> EmailMessage:
    result = message_from_bytes(unstuffed(wire), policy=policy.default)
    assert isinstance(result, EmailMessage)
    assert not result.defects
    return result


def body(mail: EmailMessage, kind: str) -> str:
    (part,) = [part for part in mail.walk() if part.get_content_type() == f"text/{kind}"]
    payload = part.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload.decode()


def expected(template: str, variables: dict[str, str], *, escape: bool) -> str:
    """What the reader should see, made the obvious way."""

    def value(slot: Slot) -> str:
        text = variables[slot.name] or slot.fallback or ""
        return html.escape(text) if escape else text

    text = "".join(piece if isinstance(piece, str) else value(piece) for piece in parse(template))
    text = re.sub(r"\r\n|\r", "\n", text)
    return text if text.endswith("\n") else text + "\n"


def display_name(wire: bytes) -> str:
    """The name in the From line. (The newer parser keeps the space between two encoded words in a name.)"""
    value = message_from_bytes(wire, policy=policy.compat32)["From"]
    return str(make_header(decode_header(parseaddr(value)[0])))


def as_pieces(template: list[str]) -> str:
    """Joined so that no two neighbours make braces that none of them had."""
    return "\u200b".join(piece.strip("{}") if not piece.startswith("{{") else piece for piece in template)


@settings(max_examples=100, deadline=None)
@given(text=TEMPLATE, page=TEMPLATE, a=TEXT, b=TEXT)
def test_bodies(text: list[str], page: list[str], a: str, b: str) -> None:
    """Any template with any values says, once parsed, exactly what was written; and no line breaks a rule."""
    # A lone CR at a joint would become one line break with the LF after it; the obvious way sees only the whole.
    variables = {name: re.sub(r"\r\n|\r", "\n", value) for name, value in zip(NAMES, (a, b), strict=True)}
    source = Source("s", as_pieces([*text, "t"]).replace("\r", "\n"), as_pieces([*page, "h"]).replace("\r", "\n"))
    wire = message(source, variables)
    mail = parsed(wire)

    assert body(mail, "plain").replace("\r\n", "\n") == expected(source.text, variables, escape=False)
    assert body(mail, "html").replace("\r\n", "\n") == expected(source.html, variables, escape=True)
    assert len(mail.keys()) == 7
    assert_well_formed(wire)


@settings(max_examples=100, deadline=None)
@given(template=TEMPLATE, a=TEXT, b=TEXT)
def test_a_single_body(template: list[str], a: str, b: str) -> None:
    """Text alone is decoded to its last line break."""
    variables = {"a": re.sub(r"\r\n|\r", "\n", a), "b": re.sub(r"\r\n|\r", "\n", b)}
    source = Source("s", as_pieces([*template, "t"]).replace("\r", "\n"))
    wire = message(source, variables)

    assert body(parsed(wire), "plain").replace("\r\n", "\n") == expected(source.text, variables, escape=False)
    assert_well_formed(wire)


@settings(max_examples=100, deadline=None)
@given(before=HEADER, value=HEADER, name=NAME)
def test_headers(before: str, value: str, name: str) -> None:
    """Any subject and display name come out as they went in, but for spaces at their ends."""
    subject = before.replace("{{", "{ ").rstrip("{") + "{{a}}"
    wire = message(Source(subject, "t"), {"a": value}, Sender("news@acme.example", name))
    mail = parsed(wire)

    assert mail["Subject"] == (subject[: -len("{{a}}")] + value).strip(" ")
    assert display_name(wire) == name
    assert mail["From"].addresses[0].addr_spec == "news@acme.example"
    assert len(mail.keys()) == 8
    assert_well_formed(wire)


def assert_well_formed(wire: bytes) -> None:
    assert wire.endswith(b"\r\n")
    assert b"\r\n.\r\n" not in wire
    lines = wire[:-2].split(b"\r\n")
    assert all(b"\r" not in line and b"\n" not in line for line in lines)
    assert all(len(line) <= 998 for line in lines)
    blank = lines.index(b"")
    assert all(len(line) <= 77 for line in lines[blank:])  # 76, and a dot for stuffing.
    assert wire.isascii()


def test_a_whole_message() -> None:
    """Headers in their order, and both bodies."""
    wire = message(Source("Hi {{a}}", "Dear {{a}},\n\nbye", "<b>{{a}}</b>"), {"a": "Zoë & Co"})
    boundary = re.search(rb'boundary="([^"]+)"', wire)
    assert boundary is not None

    assert wire.replace(boundary[1], b"BOUNDARY").decode().split("\r\n") == [
        "To: zoe@example.net",
        "Subject: =?utf-8?b?SGkgWm/DqyAmIENv?=",
        "Date: Sun, 01 Mar 2026 12:05:09 +0000",
        "Message-ID: <42.7@acme.example>",
        "From: Acme <news@acme.example>",
        "MIME-Version: 1.0",
        'Content-Type: multipart/alternative; boundary="BOUNDARY"',
        "",
        "--BOUNDARY",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: quoted-printable",
        "",
        "Dear=20=",
        "Zo=C3=AB & Co=",
        ",",
        "",
        "bye",
        "",
        "--BOUNDARY",
        "Content-Type: text/html; charset=utf-8",
        "Content-Transfer-Encoding: quoted-printable",
        "",
        "<b>=",
        "Zo=C3=AB &amp; Co=",
        "</b>",
        "",
        "--BOUNDARY--",
        "",
    ]


@pytest.mark.parametrize(
    ("source", "kind"), [(Source("s", text="x"), "text/plain"), (Source("s", html="x"), "text/html")]
)
def test_one_body(source: Source, kind: str) -> None:
    """With one body only, the message is that."""
    assert parsed(message(source)).get_content_type() == kind


@pytest.mark.parametrize("variables", [{}, {"a": ""}])
def test_fallbacks(variables: dict[str, str]) -> None:
    """A missing or empty value gives way to the fallback, escaped like a value."""
    mail = parsed(message(Source("Hi {{a|you}}", "{{a|you & me}}", "{{a|you & me}}"), variables))

    assert (mail["Subject"], body(mail, "plain"), body(mail, "html")) == ("Hi you", "you & me\r\n", "you &amp; me\r\n")


def test_an_empty_value() -> None:
    """An empty value without a fallback is an empty value."""
    assert body(parsed(message(Source("s", "[{{a}}]"), {"a": ""})), "plain") == "[]\r\n"


@pytest.mark.parametrize("source", [Source("{{a}}", "t"), Source("s", "{{a}}"), Source("s", html="{{a}}")])
def test_a_missing_value(source: Source) -> None:
    """A missing value fails the message, and names the variable."""
    with pytest.raises(BadValue) as failed:
        message(source)

    assert failed.value.field == "a"


@pytest.mark.parametrize(
    "value", ["a\r\nBcc: x@y.example", "a\nb", "a\rb", "a\0b", "a\x1bb", "a\x85b", "a\u2028b", "a\tb", "a\ud800"]
)
def test_a_value_that_cannot_be_in_a_header(value: str) -> None:
    """Line breaks and controls in a subject fail the message."""
    with pytest.raises(BadValue) as failed:
        message(Source("{{a}}", "t"), {"a": value})

    assert failed.value.field == "a"
    assert "Bcc" not in str(failed.value)


@pytest.mark.parametrize("value", ["x" * 10_001, "a\ud800"])
def test_a_value_that_cannot_be_in_a_body(value: str) -> None:
    """Values are bounded, and Unicode."""
    with pytest.raises(BadValue):
        message(Source("s", "{{a}}"), {"a": value})


@pytest.mark.parametrize(
    "source",
    [
        Source("s"),
        Source("a\nb", "t"),
        Source("{{a|" + "\x00" + "}}", "t"),
        Source("s", "{{a"),
        Source("s", "x" * 1_000_001),
        Source("s", "\ud800"),
    ],
)
def test_a_bad_template(source: Source) -> None:
    """What cannot be compiled is refused as a template, not for a recipient."""
    with pytest.raises(TemplateError):
        compile_message(source, NEWS)


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("", "From: news@acme.example"),
        ("Acme Inc", "From: Acme Inc <news@acme.example>"),
        ('Acme, "Inc."', 'From: "Acme, \\"Inc.\\"" <news@acme.example>'),
        ("Acmé", "From: =?utf-8?b?QWNtw6k=?= <news@acme.example>"),
    ],
)
def test_display_names(name: str, line: str) -> None:
    """Plain, quoted, encoded: as little as is needed."""
    assert line.encode() in message(Source("s", "t"), sender=Sender("news@acme.example", name)).split(b"\r\n")


def test_a_long_subject_is_folded() -> None:
    """Between words, where it is ASCII."""
    wire = message(Source("word " * 40, "t"))
    lines = wire.split(b"\r\n")

    assert max(map(len, lines)) <= 76
    assert parsed(wire)["Subject"] == ("word " * 40).strip()


def test_a_subject_too_long() -> None:
    """Values may make a subject too long; that fails this message."""
    with pytest.raises(BadValue):
        message(Source("{{a}}", "t"), {"a": "x" * 2001})


@pytest.mark.parametrize(
    "message_id", ["42", "<42>", "<a b@c>", "<a@b>\r\nX: y", "<a@b", "<" + "a" * 250 + "@b>", "<é@b>"]
)
def test_message_ids(message_id: str) -> None:
    """A Message-ID that is none is the caller's mistake, not the recipient's."""
    with pytest.raises(ValueError, match="not a Message-ID"):
        render(compile_message(Source("s", "t"), NEWS), Recipient("zoe@example.net"), message_id, NOW)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("zoe@example.net", Envelope("a@acme.example", "zoe@example.net")),
        ("Zoe.O'Neil+x@Example.NET", Envelope("a@acme.example", "Zoe.O'Neil+x@Example.NET")),
        ("zoe@localhost", Envelope("a@acme.example", "zoe@localhost")),
        ("zoe@bücher.example", Envelope("a@acme.example", "zoe@xn--bcher-kva.example")),
        ("zoe@faß.example", Envelope("a@acme.example", "zoe@xn--fa-hia.example")),
        ("zoe@BÜCHER.example", Envelope("a@acme.example", "zoe@xn--bcher-kva.example")),
        ("zoë@example.net", Envelope("a@acme.example", "zoë@example.net", smtputf8=True)),
    ],
)
def test_addresses(address: str, expected: Envelope) -> None:
    """Domains in ASCII by IDNA 2008, local parts as they are."""
    assert envelope("a@acme.example", address) == expected


@pytest.mark.parametrize(
    "address",
    [
        "",
        "zoe",
        "@example.net",
        "zoe@",
        "zoe@@example.net",
        "zoe@example..net",
        "zoe@-example.net",
        ".zoe@example.net",
        "zoe.@example.net",
        "z oe@example.net",
        "zoe@example.net, max@example.net",
        "zoe@example.net>",
        "<zoe@example.net>",
        "zoe@exa mple.net",
        "zoe@example.net\r\nRCPT TO:<x@y.example>",
        "zoe\n@example.net",
        "zoe\u2028x@example.net",
        "zoe\ud800@example.net",
        '"zoe x"@example.net',
        "zoe@[127.0.0.1]",
        "z" * 65 + "@example.net",
        "zoe@" + "x." * 130 + "net",
        "zoe@" + "x" * 64 + ".net",
        "zoe@\u2488.example",
    ],
)
def test_what_is_no_address(address: str) -> None:
    """What SMTP cannot carry, or could be taken for more than one address, fails this message."""
    with pytest.raises(BadValue) as failed:
        envelope("a@acme.example", address)

    assert failed.value.field == "to"


def test_a_message_to_no_address() -> None:
    """The To line cannot be broken out of either."""
    with pytest.raises(BadValue):
        render(compile_message(Source("s", "t"), NEWS), Recipient("a@b.example\r\nBcc: c@d.example"), ID, NOW)


def test_utc() -> None:
    """The date does not depend on the zone in which the time was given."""
    compiled = compile_message(Source("s", "t"), NEWS)
    here, there = (render(compiled, Recipient("zoe@example.net"), ID, now) for now in (NOW, NOW.astimezone(UTC)))

    assert here == there
