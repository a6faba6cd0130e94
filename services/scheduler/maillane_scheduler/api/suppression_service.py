"""Addresses that a workspace does not write to."""

import asyncio
from collections.abc import AsyncIterator

from maillane.scheduler.v1 import suppression_service_pb2 as pb
from maillane.scheduler.v1.suppression_service_pb2_grpc import SuppressionServiceServicer
from maillane_chassis.violations import Violations
from sqlalchemy.ext.asyncio import AsyncEngine

from maillane_scheduler import paging
from maillane_scheduler.api import convert
from maillane_scheduler.api.caller import Context, actor, peer, workspace
from maillane_scheduler.importing.importer import MAX_REJECTED, not_idle
from maillane_scheduler.store import suppressions, unsubscribes
from maillane_scheduler.store.unsubscribes import Subject
from maillane_scheduler.unsubscribe_link import UnsubscribeLinks
from maillane_scheduler.validation import suppressions as rules
from maillane_scheduler.validation.requests import page_size


class SuppressionService(SuppressionServiceServicer):
    """The workspace's list. Hand-outs look at it, so that a change holds for the next message."""

    def __init__(self, engine: AsyncEngine, links: UnsubscribeLinks) -> None:
        self._engine = engine
        self._links = links

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
        filters = rules.filters(violations, request)
        size = page_size(violations, request.page_size)
        after = paging.text(violations, request.page_token, "suppressions", filters)
        violations.raise_if_any()
        async with self._engine.connect() as connection:
            found = await suppressions.list_page(connection, workspace(context), filters, after, size + 1)
        following = paging.encode([found[size - 1].email], "suppressions", filters) if len(found) > size else ""
        return pb.ListSuppressionsResponse(
            suppressions=map(convert.suppression, found[:size]), next_page_token=following
        )

    async def ImportSuppressions(
        self, request_iterator: AsyncIterator[pb.ImportSuppressionsRequest], context: Context
    ) -> pb.ImportSuppressionsResponse:
        by, place, answer = actor(context), 0, pb.ImportSuppressionsResponse()
        async for chunk in not_idle(aiter(request_iterator)):
            violations = Violations()
            violations.count("rows", chunk.rows, 0, rules.MAX_ROWS, "row")
            violations.raise_if_any()
            # In a thread, so that a claim that comes meanwhile does not wait for 10,000 rows.
            checked = await asyncio.to_thread(rules.rows, chunk.rows, place)
            async with self._engine.begin() as connection:
                added = await suppressions.add(connection, by, checked.emails)
            place += len(chunk.rows)
            answer.added += added
            answer.duplicates += checked.duplicates + len(checked.emails) - added
            answer.rejected_count += len(checked.rejected)
            left = MAX_REJECTED - len(answer.rejected)
            answer.rejected.extend(pb.RejectedSuppression(**row._asdict()) for row in checked.rejected[:left])
        return answer

    async def Unsubscribe(self, request: pb.UnsubscribeRequest, context: Context) -> pb.UnsubscribeResponse:
        # Nobody is identified here: the token says whose message it is, and that the one who holds it got it.
        message_id = self._links.read(request.token)
        if message_id is None:
            raise unsubscribes.invalid()
        async with self._engine.begin() as connection:
            about = await unsubscribes.subject(connection, message_id)
            acts = not request.validate_only and not about.is_test
            if acts:
                await unsubscribes.unsubscribe(connection, about, peer(context))
        return _unsubscribed(about, done=acts)


def _unsubscribed(about: Subject, *, done: bool) -> pb.UnsubscribeResponse:
    local, _, domain = about.recipient.rpartition("@")
    return pb.UnsubscribeResponse(
        sender=about.sender,
        masked_recipient=f"{local[:1]}…@{domain}",
        unsubscribed=done or about.suppressed,
        test=about.is_test,
    )
