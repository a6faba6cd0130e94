"""The mails that were caught, the newest of them, in memory."""

import email
import email.policy
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from itertools import islice
from typing import Final

KEPT_MAILS: Final = 2_000
"""What fits a page that people scroll, and every test's campaign."""

KEPT_BYTES: Final = 64 * 1024 * 1024
"""Two thousand mails of usual size are a tenth of it; large ones push older ones out."""


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail as it came."""

    id: int
    received: datetime
    sender: str
    recipients: tuple[str, ...]
    content: bytes

    def parsed(self) -> EmailMessage:
        """The content as Python's email package reads it."""
        return email.message_from_bytes(self.content, policy=email.policy.default)

    def header(self, name: str) -> str:
        """A header, decoded; empty if it has none, or one that cannot be read."""
        head, _, _ = self.content.partition(b"\r\n\r\n")
        try:
            return str(email.message_from_bytes(head, policy=email.policy.default)[name] or "")
        except (ValueError, IndexError, AttributeError):  # the package's own on headers that make no sense
            return ""


class Store:
    """Keeps the last `KEPT_MAILS` mails, and no more than `KEPT_BYTES` of them."""

    def __init__(self) -> None:
        """Starts empty."""
        self._mails: OrderedDict[int, Mail] = OrderedDict()
        self._bytes = 0
        self._last_id = 0
        self.total = 0
        """How many came since the start, or since it was cleared; those that were dropped for newer ones too."""

    def add(self, received: datetime, sender: str, recipients: tuple[str, ...], content: bytes) -> Mail:
        """Keeps a mail, under the next number, and drops the oldest where that is too much."""
        self._last_id += 1
        mail = Mail(self._last_id, received, sender, recipients, content)
        self._mails[mail.id] = mail
        self._bytes += len(content)
        self.total += 1
        while len(self._mails) > KEPT_MAILS or (self._bytes > KEPT_BYTES and len(self._mails) > 1):
            _, oldest = self._mails.popitem(last=False)
            self._bytes -= len(oldest.content)
        return mail

    def get(self, number: int) -> Mail | None:
        """The mail of that number, if it is kept still."""
        return self._mails.get(number)

    def newest(self, limit: int) -> Iterator[Mail]:
        """Up to `limit` mails, the newest first."""
        return islice(reversed(self._mails.values()), limit)

    def clear(self) -> None:
        """Forgets all of them. Numbers go on."""
        self._mails.clear()
        self._bytes = 0
        self.total = 0
