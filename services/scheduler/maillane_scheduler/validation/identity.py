"""Rules of tokens, workspaces and people."""

import re

from maillane.scheduler.v1 import identity_service_pb2 as pb
from maillane_chassis.violations import Violations

from maillane_scheduler import addresses
from maillane_scheduler.api_token import Role
from maillane_scheduler.member import MAX_NAME, MAX_PICTURE, Person

MAX_TOKEN_NAME = 100
MAX_WORKSPACE_NAME = 200
# OpenID Connect Core 1.0 §2: a subject has at most 255 characters. Issuers are held to the same.
MAX_SUBJECT = 255
# What callers send as a secret, at most; ours are shorter.
MAX_SECRET = 512
_ISSUER = re.compile(r"https?://[\x21-\x7e]+")
_PICTURE = re.compile(r"|https://[\x21-\x7e]+")
_ROLES = {int(role): f"ROLE_{role.name}" for role in Role}


def new_token(violations: Violations, request: pb.CreateTokenRequest) -> tuple[str, Role]:
    """Name and role of a new token.

    Raises:
        InvalidArgument: with every bad field, these and those found before.
    """
    violations.text("name", request.name, low=1, high=MAX_TOKEN_NAME)
    violations.member("role", request.role, _ROLES)
    violations.raise_if_any()
    return request.name, Role(request.role)


def workspace_name(request: pb.UpdateWorkspaceRequest) -> str:
    """A workspace's new name.

    Raises:
        InvalidArgument: it is none.
    """
    violations = Violations()
    violations.text("name", request.name, low=1, high=MAX_WORKSPACE_NAME)
    violations.raise_if_any()
    return request.name


def new_role(request: pb.UpdateMemberRequest) -> tuple[int, Role]:
    """Whose role, and which.

    Raises:
        InvalidArgument: with every bad field.
    """
    violations = Violations()
    user_id = violations.identifier("user_id", request.user_id)
    violations.member("role", request.role, _ROLES)
    violations.raise_if_any()
    return user_id, Role(request.role)


def invitation(request: pb.InviteMemberRequest) -> tuple[str, Role]:
    """Whom to invite, in lower case, and as what.

    Raises:
        InvalidArgument: with every bad field.
    """
    violations = Violations()
    email = _email(violations, request.email).lower()
    violations.member("role", request.role, _ROLES)
    violations.raise_if_any()
    return email, Role(request.role)


def person(request: pb.SignInRequest) -> Person:
    """Whom a provider has confirmed.

    Raises:
        InvalidArgument: with every bad field.
    """
    violations = Violations()
    violations.text("issuer", request.issuer, low=1, high=MAX_SUBJECT)
    violations.form("issuer", request.issuer, _ISSUER, "must be an http or https URL")
    violations.text("subject", request.subject, low=1, high=MAX_SUBJECT)
    email = _email(violations, request.email)
    violations.text("name", request.name, high=MAX_NAME)
    violations.text("picture", request.picture, high=MAX_PICTURE)
    violations.form("picture", request.picture, _PICTURE, "must be an https URL, or empty")
    secret(violations, "previous_secret", request.previous_secret)
    violations.raise_if_any()
    return Person(request.issuer, request.subject, email, request.name, request.picture)


def secret(violations: Violations, field: str, value: str) -> str:
    """A secret that may be one of ours, or empty."""
    return violations.text(field, value, high=MAX_SECRET)


def _email(violations: Violations, value: str) -> str:
    try:
        return addresses.normalise(value)
    except addresses.AddressError as error:
        violations.add("email", f"must be one address: it {error}")
        return ""
