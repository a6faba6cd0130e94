"""SMTP replies: bytes in, whole replies out, nothing tolerated that could pair an answer with the wrong question."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_LINE_BYTES = 2048
"""RFC 5321 §4.5.3.1.5 allows 512; real servers pass that in their explanations, none passes this."""

MAX_REPLY_BYTES = 32 * 1024
"""All lines of one reply. The longest seen in the field, an EHLO answer, has under 2 KiB."""

MAX_TEXT_CHARS = 1000
"""What is kept of a reply's text: enough for the longest explanation with its link, small enough for a table row."""

KNOWN_REPLIES = 200
"""Remembered: to an envelope a server says the same each time."""

_LINE = re.compile(rb"([2-5][0-5][0-9])(?:([ -])(.*))?", re.DOTALL)
_ENHANCED = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?: +|$)")
# Controls and line breaks, and what turns the direction of text around it: replies are shown to people, on one line.
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]+")


class Garbled(Exception):
    """The server said something that is no SMTP reply; what follows on this connection cannot be trusted."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One whole reply. `enhanced` is its RFC 3463 code, empty where there is none or where it contradicts `code`."""

    code: int
    enhanced: str
    text: str

    @property
    def line(self) -> str:
        """The whole reply as one line: `550 5.1.1 No such user`."""
        return " ".join(filter(None, (str(self.code), self.enhanced, self.text)))

    @property
    def positive(self) -> bool:
        """Whether it says yes (2yz)."""
        return 200 <= self.code <= 299

    @property
    def negative(self) -> bool:
        """Whether it says no, for now (4yz) or for good (5yz)."""
        return self.code >= 400


class ReplyParser:
    """Cuts a stream of bytes into replies, in bounded memory."""

    def __init__(self) -> None:
        self._buffer = b""
        self._code = b""
        self._lines: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> Iterator[Reply]:
        """Yields every reply that `data` completes.

        Raises:
            Garbled: a line or a reply is too long, or is none. What came before it was yielded.
        """
        if self._buffer:
            data = self._buffer + data
        *lines, self._buffer = data.split(b"\n")
        for line in lines:
            if (reply := self._take(line.removesuffix(b"\r"))) is not None:
                yield reply
        if len(self._buffer) > MAX_LINE_BYTES:
            raise Garbled("a reply line without an end")

    @property
    def between_replies(self) -> bool:
        """Whether nothing of a next reply has arrived yet."""
        return not self._buffer and not self._lines

    def _take(self, line: bytes) -> Reply | None:
        if not self._lines and (reply := _whole(line)) is not None:
            return reply
        self._size += len(line)
        if len(line) > MAX_LINE_BYTES or self._size > MAX_REPLY_BYTES:
            raise Garbled("a reply that is too long")
        match = _LINE.fullmatch(line)
        if match is None or (self._lines and match[1] != self._code):
            raise Garbled(f"no SMTP reply: {line[:40]!r}")
        self._code = match[1]
        self._lines.append(match[3] or b"")
        if match[2] == b"-":
            return None
        lines, self._lines, self._size = self._lines, [], 0
        return reply_from(int(self._code), b"\n".join(lines).decode("utf-8", "replace"))


@lru_cache(KNOWN_REPLIES)
def _whole(line: bytes) -> Reply | None:
    """The reply that is one line and nothing more."""
    match = _LINE.fullmatch(line) if len(line) <= MAX_LINE_BYTES else None
    if match is None or match[2] == b"-":
        return None
    return reply_from(int(match[1]), (match[3] or b"").decode("utf-8", "replace"))


def reply_from(code: int, message: str) -> Reply:
    """The reply with that code; `message` is its lines, without the code, between line feeds.

    Bytes that are no UTF-8 may stand in it as lone surrogates (aiosmtplib's way): protobuf and Postgres take none.
    """
    message = message.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    enhanced = ""
    words = []
    for raw in message.split("\n"):
        line = _UNPRINTABLE.sub(" ", raw).strip()
        # RFC 2034 §4: the class of the enhanced code is the code's first digit; one that contradicts it is only text.
        if (match := _ENHANCED.match(line)) and match[1][0] == str(code)[0]:
            enhanced = enhanced or match[1]
            line = line[match.end() :]
        words.append(line)
    return Reply(code, enhanced, " ".join(filter(None, words))[:MAX_TEXT_CHARS])
