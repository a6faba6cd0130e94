"""The compiler: a template becomes bytes with holes, once; a message is those bytes with the holes filled.

MIME's parser agrees byte for byte with what a reader should see; `test_message_compile.py` proves it on any text.
"""

from __future__ import annotations

import email.utils
import html
import re
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from maillane_sender.message import header, quoted_printable
from maillane_sender.message.address import parse_address
from maillane_sender.message.bad_value import BadValue
from maillane_sender.message.template import Slot, TemplateError, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from maillane_sender.message.dkim import Signer

MAX_BODY_CHARS = 1_000_000
"""Of a template's text or HTML. Providers cut messages off far below that; it keeps compiled templates cacheable."""

MAX_VALUE_CHARS = 10_000
"""Of one value in a body: a long paragraph. More is a column that was meant for something else."""

UNSUBSCRIBE_VARIABLE = "unsubscribe_url"
"""Reserved: stands for the message's own link."""

TEST_HEADER = b"X-Maillane-Test: 1\r\n"

_URL = re.compile(r"https?://[!-;=?-~]{1,500}")
_MESSAGE_ID = re.compile(r"<[!#-;=?A-Z^-~]+@[!#-;=?A-Z^-~]+>")
_MAX_MESSAGE_ID_CHARS = 250


@dataclass(frozen=True, slots=True)
class Source:
    """What a person wrote: templates. One of `text` and `html` may be empty; with both, the reader chooses."""

    subject: str
    text: str = ""
    html: str = ""


@dataclass(frozen=True, slots=True)
class Sender:
    """Whom messages are from."""

    address: str
    display_name: str = ""


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom one message is to, with the values for its slots."""

    address: str
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Compiled:
    """A template for one sender, ready to be filled: `parts` are pieces of the body, `holes` says which are values.

    A hole is its index in `parts` and the index of its value in `slots`, which holds each different value once.
    """

    head: bytes
    subject: tuple[str | Slot, ...]
    parts: tuple[bytes, ...]
    holes: tuple[tuple[int, int], ...]
    slots: tuple[tuple[Slot, bool], ...]


def compile_message(source: Source, sender: Sender, *, test: bool = False) -> Compiled:
    """Compiles a template for one sender: milliseconds, once. A test's messages say so in a header.

    Raises:
        TemplateError: a template does not parse, there is no body, or something is too long or cannot be in a header.
        BadValue: the sender's address cannot be carried by SMTP (`field` is `from`).
    """
    subject = parse(source.subject)
    fixed = "".join(piece if isinstance(piece, str) else piece.fallback or "" for piece in subject)
    for text in (fixed, sender.display_name):
        if header.FORBIDDEN.search(text) or len(text) > header.MAX_VALUE_CHARS:
            raise TemplateError(0, "subject and display name are one short line without control characters")
    bodies = [(kind, body) for kind, body in (("plain", source.text), ("html", source.html)) if body]
    if not bodies:
        raise TemplateError(0, "a message has a text or an HTML body")
    body = _Body()
    boundary = f"=_{secrets.token_hex(12)}"  # Quoted-printable cannot hold "=_" (RFC 2045 §6.7).
    for number, (kind, template) in enumerate(bodies):
        if len(bodies) > 1:
            # The line break before a boundary is the boundary's, not the body's (RFC 2046 §5.1.1).
            body.fixed((b"\r\n" if number else b"") + f"--{boundary}\r\n".encode())
        body.fixed(f"Content-Type: text/{kind}; charset=utf-8\r\n".encode())
        body.fixed(b"Content-Transfer-Encoding: quoted-printable\r\n\r\n")
        body.template(template, escape=kind == "html")
    head = header.mailbox("From", sender.display_name, parse_address("from", sender.address).text)
    head += TEST_HEADER if test else b""
    head += b"MIME-Version: 1.0\r\n"
    if len(bodies) > 1:
        head += f'Content-Type: multipart/alternative; boundary="{boundary}"\r\n\r\n'.encode()
        body.fixed(f"\r\n--{boundary}--\r\n".encode())
    return body.compiled(head, subject)


def render(
    compiled: Compiled,
    recipient: Recipient,
    message_id: str,
    now: datetime,
    unsubscribe_url: str = "",
    signer: Signer | None = None,
) -> bytes:
    """One message as bytes for the wire: CRLF lines, dot-stuffed, CRLF at the end, without the final dot.

    `message_id` is the Message-ID header's value, in its angle brackets: fixed per message before its first try. `now`
    is aware. A value that is missing or empty gives way to its slot's fallback. An `unsubscribe_url` stands in the
    headers (RFC 8058) and, whatever the recipient's own values, as the variable of that name. With a `signer` it is
    signed (DKIM).

    Raises:
        BadValue: a value is missing, too long, no Unicode, or cannot be in a header; or the address is none.
    """
    if not _MESSAGE_ID.fullmatch(message_id) or len(message_id) > _MAX_MESSAGE_ID_CHARS:
        raise ValueError("not a Message-ID")
    variables = recipient.variables
    if unsubscribe_url:
        variables = {**variables, UNSUBSCRIBE_VARIABLE: unsubscribe_url}
    values = [_encode(slot, _value(slot, variables), escape) for slot, escape in compiled.slots]
    parts = list(compiled.parts)
    for at, index in compiled.holes:
        parts[at] = values[index]
    message = b"".join(
        (
            b"To: %b\r\n" % parse_address("to", recipient.address).text.encode(),
            _subject(compiled.subject, variables),
            b"Date: %b\r\nMessage-ID: %b\r\n" % (_date(int(now.timestamp())), message_id.encode("ascii")),
            _unsubscribe(unsubscribe_url) if unsubscribe_url else b"",
            compiled.head,
            *parts,
        )
    )
    if signer is not None:
        message = signer.signature(message, int(now.timestamp())) + message
    # RFC 5321 §4.5.2, last and over everything. No message begins with a dot.
    return message.replace(b"\r\n.", b"\r\n..") if b"\r\n." in message else message


class _Body:
    """Collects pieces; neighbours that are fixed become one."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._holes: list[tuple[int, int]] = []
        self._slots: dict[tuple[Slot, bool], int] = {}
        self._open = False

    def fixed(self, piece: bytes) -> None:
        if self._open:
            self._parts[-1] += piece
        else:
            self._parts.append(piece)
            self._open = True

    def template(self, template: str, *, escape: bool) -> None:
        if len(template) > MAX_BODY_CHARS:
            raise TemplateError(MAX_BODY_CHARS, f"a body has at most {MAX_BODY_CHARS} characters")
        *pieces, last = parse(quoted_printable.normal_breaks(template))
        for piece in pieces:
            self._piece(piece, quoted_printable.encode_text, escape=escape)
        if isinstance(last, Slot):
            self._piece(last, quoted_printable.encode_text, escape=escape)
            last = ""
        self._piece(last, quoted_printable.encode_end, escape=escape)

    def compiled(self, head: bytes, subject: tuple[str | Slot, ...]) -> Compiled:
        return Compiled(head, subject, tuple(self._parts), tuple(self._holes), tuple(self._slots))

    def _piece(self, piece: str | Slot, encode: Callable[[str], bytes], *, escape: bool) -> None:
        if isinstance(piece, str):
            try:
                self.fixed(encode(piece))
            except UnicodeEncodeError as error:
                raise TemplateError(0, "the template is not valid Unicode") from error
            return
        index = self._slots.setdefault((piece, escape), len(self._slots))
        self._holes.append((len(self._parts), index))
        self._parts.append(b"")
        self._open = False


def _value(slot: Slot, variables: Mapping[str, str]) -> str:
    value = variables.get(slot.name)
    if not value:
        value = slot.fallback if slot.fallback is not None else value
        if value is None:
            raise BadValue(slot.name, "the recipient has no such value")
    return value


def _encode(slot: Slot, value: str, escape: bool) -> bytes:
    if quoted_printable.PLAIN.fullmatch(value):
        return value.encode("ascii") + quoted_printable.SOFT_BREAK
    if len(value) > MAX_VALUE_CHARS:
        raise BadValue(slot.name, f"a value has at most {MAX_VALUE_CHARS} characters")
    value = quoted_printable.normal_breaks(value)
    try:
        return quoted_printable.encode_text(html.escape(value) if escape else value)
    except UnicodeEncodeError as error:
        raise BadValue(slot.name, "not valid Unicode") from error


def _unsubscribe(url: str) -> bytes:
    """RFC 8058 §3.1. A line each, for providers read them by their beginnings."""
    if not _URL.fullmatch(url):
        raise ValueError("not a link to unsubscribe by")
    return b"List-Unsubscribe: <%b>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" % url.encode("ascii")


def _subject(pieces: tuple[str | Slot, ...], variables: Mapping[str, str]) -> bytes:
    texts = []
    for piece in pieces:
        if isinstance(piece, Slot):
            text = _value(piece, variables)
            if header.FORBIDDEN.search(text):
                raise BadValue(piece.name, "line breaks and control characters cannot be in a subject")
            texts.append(text)
        else:
            texts.append(piece)
    subject = "".join(texts)
    if len(subject) > header.MAX_VALUE_CHARS:
        raise BadValue("subject", f"with its values it has more than {header.MAX_VALUE_CHARS} characters")
    return header.unstructured("Subject", subject)


@lru_cache(4)
def _date(second: int) -> bytes:
    return email.utils.format_datetime(datetime.fromtimestamp(second, UTC)).encode("ascii")
