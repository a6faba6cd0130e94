"""The sessions that open a workspace to a person: their secrets, and how long they last."""

import secrets
from dataclasses import dataclass

# Another prefix than that of API tokens, so that each is looked for in its own table alone.
PREFIX = "mls_"
# Of those of who sits at the machine: the gateway lets them open nothing elsewhere, or where there is a provider.
LOCAL_PREFIX = "mll_"
# 256 random bits, in 43 urlsafe characters; kept as `api_token.digest` makes it.
_SECRET_BYTES = 32
SECRET_LENGTH = len(PREFIX) + 43


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """In seconds: without use (exact to a minute), and in all."""

    idle_s: int
    absolute_s: int


def is_secret(value: str) -> bool:
    """Whether it has the form of one."""
    return len(value) == SECRET_LENGTH and value.startswith((PREFIX, LOCAL_PREFIX))


def new_secret(*, is_local: bool) -> str:
    """A secret that nobody can guess."""
    return (LOCAL_PREFIX if is_local else PREFIX) + secrets.token_urlsafe(_SECRET_BYTES)
