"""Addresses as the wire wants them: domains in ASCII, local parts as they are.

Only as strict as safety needs; the scheduler refuses what is no address when it is imported.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import idna

from maillane_sender.message.bad_value import BadValue
from maillane_sender.smtp.transport import Envelope

MAX_LOCAL_BYTES = 64
"""RFC 5321 §4.5.3.1.1."""

MAX_ADDRESS_BYTES = 254
"""RFC 5321 §4.5.3.1.3: a path of 256 with its angle brackets."""

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-\u00a1-\U0010ffff]+"
_LOCAL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_SPACE = re.compile(r"\s")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")


@dataclass(frozen=True, slots=True)
class Address:
    """`text` is an addr-spec with an ASCII domain; `smtputf8` says that its local part is not ASCII (RFC 6531)."""

    text: str
    domain: str
    smtputf8: bool


@lru_cache(4096)
def parse_address(field: str, text: str) -> Address:
    """The wire form of an address.

    Raises:
        BadValue: no address that SMTP can carry. Quoted local parts and address literals count as none.
    """
    local, at, domain = text.rpartition("@")
    if not at or not _LOCAL.fullmatch(local) or _SPACE.search(local):
        raise BadValue(field, "not an email address")
    try:
        wire = f"{local}@{_ascii_domain(domain)}"
        size = len(local.encode()), len(wire.encode())
    except UnicodeError as error:
        raise BadValue(field, "the domain of the address is not valid") from error
    if size[0] > MAX_LOCAL_BYTES or size[1] > MAX_ADDRESS_BYTES:
        raise BadValue(field, "the address is too long")
    return Address(wire, wire.rpartition("@")[2], not local.isascii())


def envelope(sender: str, recipient: str) -> Envelope:
    """The envelope of a message.

    Raises:
        BadValue: one of the two is no address that SMTP can carry; `field` is `from` or `to`.
    """
    from_, to = parse_address("from", sender), parse_address("to", recipient)
    return Envelope(from_.text, to.text, from_.smtputf8 or to.smtputf8)


@lru_cache(4096)
def _ascii_domain(domain: str) -> str:
    """The domain in A-labels (IDNA 2008, with the mapping of UTS 46 for what people type).

    Raises:
        UnicodeError: not a domain.
    """
    if not domain.isascii():
        domain = idna.encode(domain, uts46=True).decode("ascii")
    if not _DOMAIN.fullmatch(domain):
        raise UnicodeError(domain)
    return domain
