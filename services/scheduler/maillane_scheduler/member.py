"""People, and the workspaces that they are members of."""

from dataclasses import dataclass
from datetime import datetime

from maillane_scheduler.api_token import Role

# Kept of what a provider tells: people's names are shorter, and a picture's address is one.
MAX_NAME = 200
MAX_PICTURE = 2048


@dataclass(frozen=True, slots=True)
class Person:
    """Whom a provider has confirmed. Who it is, issuer and subject say: an address may change hands."""

    issuer: str
    subject: str
    email: str
    name: str
    picture: str


# Whoever sits at the machine. No provider's issuer has this form: those are URLs.
LOCAL_PERSON = Person(issuer="local", subject="local", email="", name="Local user", picture="")


@dataclass(frozen=True, slots=True)
class User:
    """A person as others see it."""

    id: int
    email: str
    name: str
    picture: str


@dataclass(frozen=True, slots=True)
class Member:
    """A person in a workspace."""

    user: User
    role: Role
    create_time: datetime
    enter_time: datetime


@dataclass(frozen=True, slots=True)
class Membership:
    """A workspace of a person."""

    workspace_id: int
    workspace_name: str
    role: Role


@dataclass(frozen=True, slots=True)
class Invitation:
    """What makes whoever signs in with an address a member."""

    id: int
    email: str
    role: Role
    create_time: datetime
    expire_time: datetime
