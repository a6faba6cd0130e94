"""The sessions that open a workspace to a person: their secrets, and how long they last."""

import secrets
from dataclasses import dataclass

# Another prefix than that of API tokens, so that each is looked for in its own table alone.
PREFIX = "mls_"
# 256 random bits, in 43 urlsafe characters; kept as `api_token.digest` makes it.
_SECRET_BYTES = 32
SECRET_LENGTH = len(PREFIX) + 43


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """In seconds: without use (exact to a minute), and in all."""

    idle_s: int
    absolute_s: int


def new_secret() -> str:
    """A secret that nobody can guess."""
    return PREFIX + secrets.token_urlsafe(_SECRET_BYTES)
