"""What the scheduler shows of a message is what senders make of it."""

from __future__ import annotations

import email.policy
from datetime import UTC, datetime
from email.message import EmailMessage
from email.parser import BytesParser
from typing import cast

import pytest
from maillane_scheduler.campaign import Template
from maillane_scheduler.preview import from_header, preview
from maillane_sender.message import Recipient, Sender, Source, compile_message, render

from .template_cases import LONGEST_NAME, PARSED

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
SENDER = Sender("sales@example.com", "Zoë Sales")
VALUES = {name: f'<b>{name[:9]}</b> & "Zoë\'s"' for name in ("name", "a", "b", "_x1", "Name", LONGEST_NAME)}


def sent(source: Source, variables: dict[str, str]) -> EmailMessage:
    """The message that a sender makes, as a reader parses it."""
    compiled = compile_message(source, SENDER)
    content = render(compiled, Recipient("to@example.com", variables), "<1@example.com>", NOON)
    return BytesParser(policy=email.policy.default).parsebytes(content.replace(b"\r\n..", b"\r\n."))


def body(message: EmailMessage, kind: str) -> str:
    """One body, in the line breaks of templates, without the one that ends it."""
    part = message.get_body((kind,))
    assert part is not None
    return cast(str, part.get_content()).replace("\r\n", "\n").removesuffix("\n")


CASES = [
    (source, variables)
    for source in PARSED
    for variables in (VALUES, {})
    # Where a value is missing, no sender makes a message.
    if source and not preview(Template("", source, ""), variables).missing
]


@pytest.mark.parametrize(("source", "variables"), CASES)
def test_bodies_are_the_same(source: str, variables: dict[str, str]) -> None:
    """Text as it is, HTML with its values escaped."""
    shown = preview(Template("Subject", source, source), variables)
    message = sent(Source("Subject", source, source), variables)

    normal = {"plain": shown.text.replace("\r\n", "\n"), "html": shown.html.replace("\r\n", "\n")}
    assert {kind: body(message, kind) for kind in normal} == normal


def test_subject_and_from_are_the_same() -> None:
    """As readers show them."""
    shown = preview(Template("Hi {{name|there}}, {{b}}", "x", ""), {"b": "Zoë & <Söhne>"})
    message = sent(Source("Hi {{name|there}}, {{b}}", "x"), {"b": "Zoë & <Söhne>"})

    assert (str(message["Subject"]), str(message["From"])) == (
        shown.subject,
        from_header(SENDER.address, SENDER.display_name),
    )
