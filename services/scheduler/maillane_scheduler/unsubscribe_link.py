"""The links by which recipients end mail: signed, so that nobody can make one up, and without an address in them.

A token is a message's id and the first 16 bytes of its HMAC-SHA256, in base64url: 32 characters. The message says whose
workspace it is. It does not expire: a mail is read when it is read.
"""

import base64
import binascii
import hmac
import re

# The reserved variable that stands for the link in templates.
VARIABLE = "unsubscribe_url"
PATH = "/u/"
# Stands where a token would, in previews: a link that is none.
IN_PREVIEWS = "preview"

_PURPOSE = b"maillane/unsubscribe/1"
_ID_BYTES = 8
# 128 bits: what a forger would have to guess, one call at a time.
_MAC_BYTES = 16
_TOKEN = re.compile(r"[A-Za-z0-9_-]{32}").fullmatch


class UnsubscribeLinks:
    """Makes and reads the tokens of a deployment.

    Args:
        secret_key: the deployment's; a key for this purpose alone is derived from it.
        public_url: where recipients reach the gateway, without a slash at its end; empty: there are no links.
    """

    def __init__(self, secret_key: bytes, public_url: str) -> None:
        self._key = hmac.digest(secret_key, _PURPOSE, "sha256")
        self._start = public_url + PATH if public_url else ""

    def __bool__(self) -> bool:
        """Whether messages carry links."""
        return bool(self._start)

    def url(self, message_id: int) -> str:
        """The link of a message; empty where there are none."""
        return self.url_of(self.token(message_id)) if self._start else ""

    def url_of(self, token: str) -> str:
        """The link that a token stands in."""
        return self._start + token

    def token(self, message_id: int) -> str:
        """What stands in the link of a message."""
        id_ = message_id.to_bytes(_ID_BYTES, "big")
        return base64.urlsafe_b64encode(id_ + self._mac(id_)).decode()

    def read(self, token: str) -> int | None:
        """The message that a token is of; None where it was not made with this key."""
        if not _TOKEN(token):
            return None
        try:
            signed = base64.urlsafe_b64decode(token)
        except binascii.Error:
            return None
        id_, mac = signed[:_ID_BYTES], signed[_ID_BYTES:]
        return int.from_bytes(id_, "big", signed=True) if hmac.compare_digest(mac, self._mac(id_)) else None

    def _mac(self, id_: bytes) -> bytes:
        return hmac.digest(self._key, id_, "sha256")[:_MAC_BYTES]
