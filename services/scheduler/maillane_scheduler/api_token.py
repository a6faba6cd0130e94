"""The tokens that open a workspace: their secrets, and what is known of them."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from hashlib import sha256

PREFIX = "mln_"
# 256 random bits, in 43 urlsafe characters.
_SECRET_BYTES = 32
SECRET_LENGTH = len(PREFIX) + 43


class Role(IntEnum):
    """What a token may do: each may do what the ones before it may. The numbers are those of the protos."""

    VIEWER = 1
    EDITOR = 2
    ADMIN = 3


@dataclass(frozen=True, slots=True)
class Workspace:
    """A tenant."""

    id: int
    name: str
    stopped: bool


@dataclass(frozen=True, slots=True)
class Token:
    """What is known of a token; not its secret, which nobody knows but its owner."""

    id: int
    name: str
    role: Role
    create_time: datetime
    last_use_time: datetime | None
    revoke_time: datetime | None


def new_secret() -> str:
    """A secret that nobody can guess. The prefix lets scanners of leaked secrets know it."""
    return PREFIX + secrets.token_urlsafe(_SECRET_BYTES)


def digest(secret: str) -> bytes:
    """What is kept of a secret: SHA-256, for 256 random bits need no slow hash."""
    return sha256(secret.encode()).digest()
