"""What a failure calls for, from what the mail server said last (RFC 3463, RFC 5321 §4.2)."""

import re
from enum import IntEnum


class FailureKind(IntEnum):
    """The numbers are the proto's."""

    TEMPORARY = 1
    MAILBOX_FULL = 2
    NO_SUCH_ADDRESS = 3
    REFUSED = 4
    OTHER = 5


WORTH_RETRY = frozenset((FailureKind.TEMPORARY, FailureKind.MAILBOX_FULL))

_ENHANCED = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
_FULL = frozenset(((2, 2), (4, 22)))
_NO_ADDRESS = frozenset(((1, 1), (1, 2), (1, 3), (1, 6), (1, 10), (2, 1)))


def kind(code: int, reply: str) -> FailureKind:
    """What a failure calls for. Code 0: there was no answer."""
    found = _ENHANCED.search(reply)
    detail = (int(found[2]), int(found[3])) if found else None
    if detail in _FULL or code in (452, 552):
        return FailureKind.MAILBOX_FULL
    if code < 500:
        return FailureKind.TEMPORARY
    if detail in _NO_ADDRESS:
        return FailureKind.NO_SUCH_ADDRESS
    if (detail is not None and detail[0] == 7) or code == 554:
        return FailureKind.REFUSED
    # Without a code of its own, a refusal of the recipient is one of the address.
    return FailureKind.NO_SUCH_ADDRESS if detail is None and code in (550, 551, 553) else FailureKind.OTHER
