"""Rules of the filter of changes."""

from maillane.scheduler.v1 import audit_service_pb2 as pb
from maillane_chassis.violations import Violations

MAX_RESOURCE = 100


def resource(violations: Violations, request: pb.ListAuditRequest) -> str:
    """A resource's name, or empty: of any."""
    return violations.text("resource", request.resource, high=MAX_RESOURCE)
