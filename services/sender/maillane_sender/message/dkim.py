"""DKIM signatures (RFC 6376; Ed25519: RFC 8463), relaxed in header and body, so that relays that refold do no harm."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

SIGNED: Final = (
    b"from", b"to", b"subject", b"date", b"message-id", b"mime-version", b"content-type",
    b"list-unsubscribe", b"list-unsubscribe-post",
)  # fmt: skip
"""RFC 6376 §5.4.1, and what RFC 8058 §4 asks for."""

ONCE: Final = (b"from", b"to", b"subject", b"date", b"message-id")
"""Named once more than they occur (§5.4.2), so that nobody adds a second one and the signature still holds."""

_NAMES_A_LINE: Final = 4
_LINE = re.compile(rb".{1,70}")
_SPACES = re.compile(rb"[ \t]+")


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs for one domain, under the selector whose public key is in its DNS. Keep it: to read a key costs more."""

    domain: str
    selector: str
    key: RSAPrivateKey | Ed25519PrivateKey

    def signature(self, message: bytes, now_s: int) -> bytes:
        """The DKIM-Signature header of a whole message with CRLF lines, not dot-stuffed; to be put before it."""
        head, _, body = message.partition(b"\r\n\r\n")
        headers = _headers(head + b"\r\n")
        names = [name for name in SIGNED for _ in range(len(headers.get(name, ())) + (name in ONCE))]
        value = self._value(names, _digest(body), now_s)
        # The last of a name comes first (§5.4.2); its own header is signed without a line end, and with no signature.
        signed = b"".join(_taken(headers, names)) + b"dkim-signature:" + value.replace(b"\r\n ", b" ")
        # Within the signature spaces do not count (§3.5).
        return b"DKIM-Signature: " + value + b"\r\n ".join(_LINE.findall(self._sign(signed))) + b"\r\n"

    def _value(self, names: list[bytes], body_hash: bytes, now_s: int) -> bytes:
        algorithm = "rsa-sha256" if isinstance(self.key, RSAPrivateKey) else "ed25519-sha256"
        fixed = f"v=1; a={algorithm}; c=relaxed/relaxed;\r\n d={self.domain}; s={self.selector}; t={now_s};\r\n "
        lines = [b":".join(names[at : at + _NAMES_A_LINE]) for at in range(0, len(names), _NAMES_A_LINE)]
        return fixed.encode("ascii") + b"h=" + b":\r\n ".join(lines) + b";\r\n bh=" + body_hash + b";\r\n b="

    def _sign(self, signed: bytes) -> bytes:
        if isinstance(self.key, RSAPrivateKey):
            return base64.b64encode(self.key.sign(signed, padding.PKCS1v15(), hashes.SHA256()))
        # RFC 8463 §3: what is signed is the hash.
        return base64.b64encode(self.key.sign(hashlib.sha256(signed).digest()))


def load_signer(domain: str, selector: str, pem: str) -> Signer:
    """A signer with a key in PEM, whose numbers the scheduler has checked: to do so again takes 40 ms and more.

    Raises:
        ValueError: it is no key, has a passphrase, or is neither RSA nor Ed25519.
    """
    try:
        key = load_pem_private_key(pem.encode(), password=None, unsafe_skip_rsa_key_validation=True)
    except TypeError as error:
        raise ValueError("the key has a passphrase") from error
    except ValueError as error:
        raise ValueError("not a private key in PEM") from error
    if isinstance(key, RSAPrivateKey | Ed25519PrivateKey):
        return Signer(domain, selector, key)
    raise ValueError("the key is neither RSA nor Ed25519")


def _headers(head: bytes) -> dict[bytes, list[bytes]]:
    """By small name: each header as it is signed (§3.4.2: one line, single spaces, none at the ends)."""
    found: dict[bytes, list[bytes]] = {}
    for line in head.replace(b"\r\n ", b" ").replace(b"\r\n\t", b" ").split(b"\r\n")[:-1]:
        name, _, value = line.partition(b":")
        name = name.rstrip().lower()
        found.setdefault(name, []).append(name + b":" + _SPACES.sub(b" ", value).strip(b" ") + b"\r\n")
    return found


def _taken(headers: dict[bytes, list[bytes]], names: list[bytes]) -> list[bytes]:
    left = {name: list(lines) for name, lines in headers.items()}
    return [left[name].pop() if left.get(name) else b"" for name in names]


def _digest(body: bytes) -> bytes:
    """RFC 6376 §3.4.4: single spaces, none before a line end, no empty lines at the end, and then one CRLF."""
    if b"  " in body or b"\t" in body:
        body = _SPACES.sub(b" ", body)
    relaxed = body.replace(b" \r\n", b"\r\n").rstrip(b"\r\n")
    return base64.b64encode(hashlib.sha256(relaxed + b"\r\n" if relaxed else b"").digest())
