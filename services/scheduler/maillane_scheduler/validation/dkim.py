"""Rules of how a mailbox's messages are signed."""

import re
from collections.abc import Set as AbstractSet
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from maillane.scheduler.v1 import mailbox_service_pb2 as pb
from maillane_chassis.violations import Violations

from maillane_scheduler.mailbox import UNSIGNED, Dkim

# Beyond it a selector's name, of which it is a part, may not fit into DNS.
MAX_SELECTOR: Final = 63
# RFC 1035 §2.3.4, in text.
MAX_DOMAIN: Final = 253
# An RSA key of 4,096 bits takes 3,300; the rest is for comments around it.
MAX_KEY: Final = 10_240
# RFC 8301 §3.2: verifiers take no less, and need not take more than 4,096.
RSA_BITS: Final = (1024, 4096)

FIELDS: Final = frozenset(("dkim_domain", "dkim_selector", "dkim_private_key"))
PATHS: Final = {"dkim": FIELDS, **{field.replace("_", ".", 1): frozenset((field,)) for field in sorted(FIELDS)}}

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")


def settings(violations: Violations, given: pb.Dkim, fields: AbstractSet[str]) -> Dkim:
    """What is given of the fields; the domain in small letters."""
    domain = given.domain.lower()
    if "dkim_domain" in fields and domain and not (len(domain) <= MAX_DOMAIN and _NAME.fullmatch(domain)):
        violations.add("mailbox.dkim.domain", "must be a domain, in ASCII")
        domain = ""
    if "dkim_selector" in fields and given.selector and not _is_selector(given.selector):
        violations.add(
            "mailbox.dkim.selector", f"must have 1 to {MAX_SELECTOR} characters of [A-Za-z0-9-], in parts by dots"
        )
    key = given.private_key if given.HasField("private_key") else None
    if "dkim_private_key" in fields and key is not None and (wrong := _wrong_with(key)):
        violations.add("mailbox.dkim.private_key", wrong)
    return Dkim(domain, given.selector, key)


def check(violations: Violations, address: str, dkim: Dkim, *, has_key: bool) -> None:
    """Whether it fits together, and to the mailbox's address, where there is one that is good."""
    if (dkim.domain, dkim.selector) == (UNSIGNED.domain, UNSIGNED.selector):
        if dkim.private_key:
            violations.add("mailbox.dkim.domain", "must be given with a private key")
        return
    if not dkim.selector:
        violations.add("mailbox.dkim.selector", "must be given with a domain")
    if not has_key:
        violations.add("mailbox.dkim.private_key", "must be given: none is kept")
    own = address.rpartition("@")[2].lower()
    if own and not (own == dkim.domain or ("." in dkim.domain and own.endswith(f".{dkim.domain}"))):
        # RFC 7489 §3.1.1: receivers want the signature's domain aligned with the one in From.
        violations.add("mailbox.dkim.domain", "must be the domain of the mailbox's address, or one above it")


def _is_selector(selector: str) -> bool:
    """RFC 6376 §3.1."""
    return len(selector) <= MAX_SELECTOR and _NAME.fullmatch(selector) is not None


def _wrong_with(pem: str) -> str:
    """What is wrong with a key, in words that hold nothing of it; empty: nothing."""
    if len(pem) > MAX_KEY:
        return f"must have up to {MAX_KEY:,} characters"
    least, most = RSA_BITS
    try:
        # How long it is, first: to try whether it is a good one takes the longer, the longer it is.
        key = load_pem_private_key(pem.encode(), None, unsafe_skip_rsa_key_validation=True)
        if isinstance(key, RSAPrivateKey) and least <= key.key_size <= most:
            key = load_pem_private_key(pem.encode(), None)
        elif not isinstance(key, Ed25519PrivateKey):
            return f"must be RSA of {least:,} to {most:,} bits, or Ed25519"
    except TypeError:
        return "must have no passphrase"
    except (ValueError, UnsupportedAlgorithm):
        return "must be a private key in PEM"
    return ""
