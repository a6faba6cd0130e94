"""Who changed what, and when."""

from maillane.scheduler.v1 import audit_service_pb2 as pb
from maillane.scheduler.v1.audit_service_pb2_grpc import AuditServiceServicer
from maillane_chassis.violations import Violations
from sqlalchemy.ext.asyncio import AsyncEngine

from maillane_scheduler import paging
from maillane_scheduler.api import convert
from maillane_scheduler.api.caller import Context, workspace
from maillane_scheduler.store import audit
from maillane_scheduler.validation import audit as rules
from maillane_scheduler.validation.requests import page_size

_BEFORE_ALL = 2**63 - 1


class AuditService(AuditServiceServicer):
    """The workspace's changes, to look at."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def ListAudit(self, request: pb.ListAuditRequest, context: Context) -> pb.ListAuditResponse:
        violations = Violations()
        resource = rules.resource(violations, request)
        size = page_size(violations, request.page_size)
        (before_id,) = paging.ids(violations, request.page_token, 1, "audit", resource) or (_BEFORE_ALL,)
        violations.raise_if_any()
        async with self._engine.connect() as connection:
            found = await audit.list_page(connection, workspace(context), resource, before_id, size + 1)
        following = paging.encode([found[size - 1].id], "audit", resource) if len(found) > size else ""
        return pb.ListAuditResponse(entries=map(convert.audit_entry, found[:size]), next_page_token=following)
