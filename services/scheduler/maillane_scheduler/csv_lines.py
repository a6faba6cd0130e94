"""Messages as lines of CSV (RFC 4180), in which nothing is a formula to a spreadsheet."""

import csv
import io
from collections.abc import Iterable

from maillane.scheduler.v1 import message_service_pb2 as pb

HEAD = (
    "message_id",
    "campaign_id",
    "mailbox_id",
    "recipient",
    "name",
    "subject",
    "state",
    "due_time",
    "send_time",
    "settle_time",
    "attempts",
    "code",
    "reply",
)
# What a cell must not begin with (OWASP, CSV injection); blanks before it do not help.
_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n")


def head() -> bytes:
    """The line of names."""
    return _encoded([HEAD])


def lines(messages: Iterable[pb.Message] | None) -> bytes:
    """A line for each message; None: the line of names."""
    return head() if messages is None else _encoded(map(_row, messages))


def _row(message: pb.Message) -> list[str]:
    times = [
        getattr(message, field).ToJsonString() if message.HasField(field) else ""
        for field in ("due_time", "send_time", "settle_time")
    ]
    cells = [
        message.id,
        message.campaign_id,
        message.mailbox_id,
        message.recipient,
        message.recipient_name,
        message.subject,
        pb.MessageState.Name(message.state).removeprefix("MESSAGE_STATE_").lower(),
        *times,
        str(message.attempts),
        str(message.last_code or ""),
        message.last_reply,
    ]
    return [_harmless(cell) for cell in cells]


def _harmless(cell: str) -> str:
    begin = cell.lstrip(" \u00a0")[:1]
    return "'" + cell if cell.startswith(_FORMULAS) or (begin and begin in _FORMULAS) else cell


def _encoded(rows: Iterable[Iterable[str]]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue().encode()
