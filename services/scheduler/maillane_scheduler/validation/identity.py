"""Rules of tokens."""

from maillane.scheduler.v1 import identity_service_pb2 as pb
from maillane_chassis.violations import Violations

from maillane_scheduler.api_token import Role

MAX_NAME = 100
_ROLES = {int(role): f"ROLE_{role.name}" for role in Role}


def new_token(violations: Violations, request: pb.CreateTokenRequest) -> tuple[str, Role]:
    """Name and role of a new token.

    Raises:
        InvalidArgument: with every bad field, these and those found before.
    """
    violations.text("name", request.name, low=1, high=MAX_NAME)
    violations.member("role", request.role, _ROLES)
    violations.raise_if_any()
    return request.name, Role(request.role)
