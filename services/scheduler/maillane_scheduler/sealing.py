"""Secrets at rest: AES-256-GCM under the deployment's key, each bound to where it belongs."""

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
# NIST SP 800-38D §8.2.2: random nonces of 96 bits are safe for 2**32 secrets under one key.
_NONCE_BYTES = 12
_VERSION = b"\x01"


class SealError(Exception):
    """It was not sealed with this key for this place, or it was changed since."""


class Sealer:
    """Seals and opens the passwords and private keys of mailboxes.

    A sealed secret is a version byte, the nonce, and the ciphertext with its tag. The workspace and the address it
    belongs to are authenticated with it, so that a row copied into another workspace or mailbox does not open.
    """

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"the key must have {KEY_BYTES} bytes")
        self._cipher = AESGCM(key)

    def __repr__(self) -> str:
        return "Sealer()"

    def seal(self, secret: str, workspace_id: int, address_key: str) -> bytes:
        """Seals a secret; the same secret never gives the same bytes twice."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return _VERSION + nonce + self._cipher.encrypt(nonce, secret.encode(), _place(workspace_id, address_key))

    def open(self, sealed: bytes, workspace_id: int, address_key: str) -> str:
        """Opens what was sealed for the same place.

        Raises:
            SealError: it does not open.
        """
        body = bytes(sealed)
        nonce = body[1 : 1 + _NONCE_BYTES]
        if body[:1] != _VERSION or len(nonce) != _NONCE_BYTES:
            raise SealError("not a sealed secret of a known version")
        try:
            opened = self._cipher.decrypt(nonce, body[1 + _NONCE_BYTES :], _place(workspace_id, address_key))
        except InvalidTag:
            raise SealError("the secret does not open with this key for this mailbox") from None
        return opened.decode()


def dkim_place(address_key: str) -> str:
    """Where a mailbox's private key belongs, for `seal` and `open`: its password does not open as a key."""
    return f"dkim/{address_key}"


def _place(workspace_id: int, address_key: str) -> bytes:
    return f"{workspace_id}/{address_key}".encode()
