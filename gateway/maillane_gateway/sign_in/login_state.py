"""What a sign-in under way must remember, sealed into a cookie: the gateway keeps nothing, and any copy can go on."""

import base64
import binascii
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from maillane_gateway.sign_in.cookies import LOGIN_S

MAX_SEALED: Final = 4096
"""What browsers take as one cookie."""

_PURPOSE: Final = b"maillane gateway login state 1"
_NONCE_BYTES: Final = 12


@dataclass(frozen=True, slots=True)
class LoginState:
    """Where to go afterwards, and what Authlib keeps: state, nonce, the verifier of PKCE."""

    return_path: str
    session: dict[str, Any]


class LoginStates:
    """Seals them with a key that is drawn from the services' own, which all copies of the gateway share."""

    def __init__(self, service_key: str, wall_s: Callable[[], float]) -> None:
        """Takes the services' key, and the clock: seconds since 1970."""
        key = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(service_key.encode())
        self._cipher = AESGCM(key)
        self._wall_s = wall_s

    def seal(self, state: LoginState) -> str:
        """The cookie's value. It is good for LOGIN_S."""
        body = json.dumps({"until_s": self._wall_s() + LOGIN_S, **asdict(state)}, separators=(",", ":"))
        nonce = os.urandom(_NONCE_BYTES)
        sealed = nonce + self._cipher.encrypt(nonce, body.encode(), _PURPOSE)
        return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()

    def open(self, sealed: str) -> LoginState | None:
        """What was sealed; None: nothing, not by us, or too long ago."""
        if not sealed or len(sealed) > MAX_SEALED:
            return None
        try:
            raw = base64.urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4))
            body = json.loads(self._cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], _PURPOSE))
        except (binascii.Error, InvalidTag, ValueError):
            return None
        if body["until_s"] < self._wall_s():
            return None
        return LoginState(body["return_path"], body["session"])
