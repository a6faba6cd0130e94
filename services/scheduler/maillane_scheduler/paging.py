"""Page tokens: where the next page begins, opaque to clients, and good only with the filters that they came with.

They are not secret and not signed: whoever makes one up gets another page of what they may read anyway.
"""

import base64
import binascii
import json
import re
from collections.abc import Sequence
from hashlib import blake2b

from maillane_chassis.violations import Violations

FIELD = "page_token"
# Far above what `encode` makes: an address, at most.
MAX_TOKEN = 1024
_DIGEST_BYTES = 6
_MAX_ID = 2**63 - 1
# What Postgres takes in no text: NUL, and halves of surrogate pairs, which JSON's escapes can bring.
_UNSTORABLE = re.compile(r"[\0\ud800-\udfff]")


def encode(cursor: Sequence[int | str], *filters: object) -> str:
    """A token for the page that begins behind a cursor."""
    body = json.dumps([_digest(filters), *cursor], separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(body).rstrip(b"=").decode()


def ids(violations: Violations, token: str, number: int, *filters: object) -> tuple[int, ...] | None:
    """The ids of a cursor; None for the empty token of a first page, and where it is bad."""
    values = _decode(violations, token, filters)
    if values is None:
        return None
    found = tuple(value for value in values if isinstance(value, int) and 0 <= value <= _MAX_ID)
    if len(found) != number or len(values) != number:
        _refuse(violations)
        return None
    return found


def text(violations: Violations, token: str, *filters: object) -> str:
    """The text of a cursor; empty for the empty token of a first page, and where it is bad."""
    values = _decode(violations, token, filters)
    if values is None:
        return ""
    if len(values) != 1 or not isinstance(values[0], str) or _UNSTORABLE.search(values[0]):
        _refuse(violations)
        return ""
    return values[0]


def _decode(violations: Violations, token: str, filters: tuple[object, ...]) -> list[object] | None:
    if not token:
        return None
    try:
        if len(token) > MAX_TOKEN:
            raise ValueError("too long")
        body = json.loads(base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True))
        digest, *values = list(body)
    except (binascii.Error, ValueError, TypeError, RecursionError):
        digest, values = None, []
    if digest != _digest(filters):
        _refuse(violations)
        return None
    return values


def _digest(filters: tuple[object, ...]) -> str:
    return blake2b(repr(filters).encode(), digest_size=_DIGEST_BYTES).hexdigest()


def _refuse(violations: Violations) -> None:
    violations.add(FIELD, "must be the token of the answer before, with the same filters, or empty")
