"""The strict grammar of one mail address, and the one form in which addresses are kept and compared.

A dot-atom, `@`, and a host name with at least two labels (RFC 5321 §4.1.2, without quoted strings, comments and address
literals, which no recipient list holds in earnest and which are where injections hide). Local parts may hold non-ASCII
characters (RFC 6531); domains may be internationalised (IDNA 2008) and are kept as A-labels.
"""

import re
import unicodedata
from hashlib import blake2b

import idna

# RFC 5321 §4.5.3.1, as corrected by RFC 3696's erratum 1690: octets in all, and before the @.
MAX_ADDRESS = 254
MAX_LOCAL = 64

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
# Nearly every address: one match, and it is right.
_PLAIN = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+[A-Za-z]{{2,63}}").fullmatch
_DOMAIN = re.compile(rf"(?:{_LABEL}\.)+(?![0-9]+\Z){_LABEL}").fullmatch
_ATOM_CHARACTERS = frozenset("!#$%&'*+/=?^_`{|}~-")
# Letters, marks, numbers, symbols, punctuation: no separators, controls, format characters (bidi overrides), surrogates
# or unassigned ones.
_VISIBLE = frozenset("LMNSP")


class AddressError(ValueError):
    """It is not one address as this grammar has it; the message says why, in words that can be shown."""


def normalise(address: str) -> str:
    """The one form of an address in which it is kept and compared: the domain in lower case and A-labels.

    The local part stays as it is (in NFC), for only its own server knows whether its case matters.

    Raises:
        AddressError: it is not one address.
    """
    if _PLAIN(address) and len(address) <= MAX_ADDRESS:
        local, _, domain = address.partition("@")
        if len(local) <= MAX_LOCAL:
            return f"{local}@{domain.lower()}"
    return _normalise_slowly(address)


def address_key(address: str) -> str:
    """Names the counters of a normalised address: 16 hexadecimal digits, the same whatever the case of the address.

    Limits belong to it, not to a row: a mailbox that is deleted and made again has no fresh quota.
    """
    return blake2b(address.lower().encode(), digest_size=8).hexdigest()


def _normalise_slowly(address: str) -> str:
    if len(address) > MAX_ADDRESS:
        raise AddressError(f"is longer than {MAX_ADDRESS} characters")
    local, at, domain = address.rpartition("@")
    if not at:
        raise AddressError("has no @")
    if "@" in local:
        raise AddressError("has more than one @")
    if not domain:
        raise AddressError("has nothing after the @")
    local = _local(local)
    normal = f"{local}@{_domain(domain)}"
    # Again, in octets, of what goes on the wire.
    if len(normal.encode()) > MAX_ADDRESS:
        raise AddressError(f"is longer than {MAX_ADDRESS} bytes")
    return normal


def _local(local: str) -> str:
    # First of all, for NFC may turn a character into an ASCII one that is not allowed (U+037E into a semicolon).
    local = unicodedata.normalize("NFC", local)
    if len(local.encode()) > MAX_LOCAL:
        raise AddressError(f"has more than {MAX_LOCAL} bytes before the @")
    if not all(local.split(".")):
        raise AddressError("has nothing before the @, or a dot at an end of it or beside another dot")
    for char in local:
        if not _allowed(char):
            shown = repr(char) if unicodedata.category(char)[0] in _VISIBLE else f"U+{ord(char):04X}"
            raise AddressError(f"has a character before the @ that is not allowed: {shown}")
    return local


def _allowed(char: str) -> bool:
    if char.isascii():
        return char == "." or char.isalnum() or char in _ATOM_CHARACTERS
    return unicodedata.category(char)[0] in _VISIBLE


def _domain(domain: str) -> str:
    if not domain.isascii():
        try:
            domain = idna.encode(domain, uts46=True, std3_rules=True).decode()
        except idna.IDNAError:
            raise AddressError("has a domain that is not a valid host name") from None
    if _DOMAIN(domain) is None:
        raise AddressError("has a domain that is not a valid host name")
    return domain.lower()
