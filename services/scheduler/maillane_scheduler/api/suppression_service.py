"""Addresses that a workspace does not write to."""

from maillane.scheduler.v1 import suppression_service_pb2 as pb
from maillane.scheduler.v1.suppression_service_pb2_grpc import SuppressionServiceServicer
from maillane_chassis.violations import Violations
from sqlalchemy.ext.asyncio import AsyncEngine

from maillane_scheduler import paging
from maillane_scheduler.api import convert
from maillane_scheduler.api.caller import Context, actor, workspace
from maillane_scheduler.store import suppressions
from maillane_scheduler.validation import suppressions as rules
from maillane_scheduler.validation.requests import page_size


class SuppressionService(SuppressionServiceServicer):
    """The workspace's list. Hand-outs look at it, so that a change holds for the next message."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def AddSuppressions(self, request: pb.AddSuppressionsRequest, context: Context) -> pb.AddSuppressionsResponse:
        violations = Violations()
        emails = rules.emails(violations, request.emails)
        violations.raise_if_any()
        async with self._engine.begin() as connection:
            added = await suppressions.add(connection, actor(context), emails)
        return pb.AddSuppressionsResponse(added=added)

    async def RemoveSuppression(
        self, request: pb.RemoveSuppressionRequest, context: Context
    ) -> pb.RemoveSuppressionResponse:
        violations = Violations()
        email = rules.email(violations, request.email)
        violations.raise_if_any()
        async with self._engine.begin() as connection:
            await suppressions.remove(connection, actor(context), email)
        return pb.RemoveSuppressionResponse()

    async def ListSuppressions(
        self, request: pb.ListSuppressionsRequest, context: Context
    ) -> pb.ListSuppressionsResponse:
        violations = Violations()
        size = page_size(violations, request.page_size)
        after = paging.text(violations, request.page_token, "suppressions")
        violations.raise_if_any()
        async with self._engine.connect() as connection:
            found = await suppressions.list_page(connection, workspace(context), after, size + 1)
        following = paging.encode([found[size - 1].email], "suppressions") if len(found) > size else ""
        return pb.ListSuppressionsResponse(
            suppressions=map(convert.suppression, found[:size]), next_page_token=following
        )
