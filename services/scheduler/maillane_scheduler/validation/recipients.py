"""Rules of recipients, row by row: a bad row is left out with its reason, and the others stay."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from json.encoder import encode_basestring
from typing import NamedTuple

from maillane.scheduler.v1 import campaign_service_pb2 as pb

from maillane_scheduler.addresses import AddressError, normalise

# A block of message ids: a chunk takes one.
MAX_CHUNK = 10_000
MAX_VARIABLES = 100
MAX_VALUE = 4096
# Bytes of names and values of one recipient.
MAX_ALL = 16 * 1024
# Of what a rejected row held, to find it again.
SHOWN = 100
# Sets of names that were checked are remembered: a list has a few, and a hostile one no more than this.
MAX_KNOWN = 1000
# JSON of so few characters needs no closer look: no value is longer, and four bytes each are within MAX_ALL.
_SMALL = min(MAX_VALUE, MAX_ALL // 4)
_ESCAPED_NUL = "\\u0000"

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}").fullmatch


class Row(NamedTuple):
    """A recipient: its address normalised, its variables a JSON object of those that are not empty, and their names."""

    line: int
    email: str
    variables: str
    names: tuple[str, ...]


class Rejection(NamedTuple):
    """A row that was left out: its line, what it held, and why."""

    line: int
    value: str
    reason: str


@dataclass(slots=True)
class Checked:
    """A chunk: rows in their order with no address twice, in whatever case, and what was left out."""

    rows: list[Row] = field(default_factory=list)
    duplicates: int = 0
    rejected: list[Rejection] = field(default_factory=list)


class _RowError(Exception):
    def __init__(self, value: str, reason: str) -> None:
        super().__init__(reason)
        self.value = value[:SHOWN]
        self.reason = reason


class RecipientChecker:
    """Checks the chunks of one import, in their order: it counts lines and remembers names. For one thread at once."""

    def __init__(self) -> None:
        self._place = 0
        self._known: set[tuple[str, ...]] = set()

    def check(self, recipients: Iterable[pb.Recipient]) -> Checked:
        """Checks a chunk: some 10 µs a row."""
        rows: dict[str, Row] = {}
        checked = Checked()
        for recipient in recipients:
            self._place += 1
            line = recipient.line if recipient.line > 0 else self._place
            try:
                row = self._row(line, recipient)
            except _RowError as error:
                checked.rejected.append(Rejection(line, error.value, error.reason))
                continue
            if rows.setdefault(row.email.lower(), row) is not row:
                checked.duplicates += 1
        checked.rows = list(rows.values())
        return checked

    def _row(self, line: int, recipient: pb.Recipient) -> Row:
        given = recipient.email
        try:
            email = normalise(given)
        except AddressError as error:
            raise _RowError(given, f"is not one address: it {error}" if given else "has no address") from None
        variables = recipient.variables
        # A name needs no escapes once it is checked; the quoting of values is in C. By key, for items() is slower.
        parts = {name: f'"{name}":{encode_basestring(value)}' for name in variables if (value := variables[name])}
        names, text = tuple(parts), "{" + ",".join(parts.values()) + "}"
        if names not in self._known or len(text) > _SMALL or _ESCAPED_NUL in text:
            self._check_variables(names, variables)
        return Row(line, email, text, names)

    def _check_variables(self, names: tuple[str, ...], variables: Mapping[str, str]) -> None:
        if len(names) > MAX_VARIABLES:
            raise _RowError("", f"has more than {MAX_VARIABLES} variables")
        size = 0
        for name in names:
            value = variables[name]
            if not _NAME(name):
                raise _RowError(name, "a variable's name has 1 to 64 letters, digits and underscores, no digit first")
            if len(value) > MAX_VALUE:
                raise _RowError(name, f"a value has more than {MAX_VALUE:,} characters")
            if "\0" in value:
                raise _RowError(name, "a value has a NUL character")
            size += len(name) + len(value.encode())
        if size > MAX_ALL:
            raise _RowError("", f"its variables have more than {MAX_ALL // 1024} KiB in all")
        if len(self._known) < MAX_KNOWN:
            self._known.add(names)
