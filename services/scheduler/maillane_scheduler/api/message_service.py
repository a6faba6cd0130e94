"""Single emails, and what became of them."""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import astuple

from google.api.httpbody_pb2 import HttpBody
from maillane.scheduler.v1 import message_service_pb2 as pb
from maillane.scheduler.v1.message_service_pb2_grpc import MessageServiceServicer
from maillane_chassis.errors import ResourceExhausted
from maillane_chassis.violations import Violations
from sqlalchemy.ext.asyncio import AsyncEngine

from maillane_scheduler import csv_lines, paging
from maillane_scheduler.api import convert
from maillane_scheduler.api.caller import Context, actor, workspace
from maillane_scheduler.api.message_lists import CURSOR_IDS, MessageLists
from maillane_scheduler.message import hold
from maillane_scheduler.outlook import Outlooks
from maillane_scheduler.states import Resolution
from maillane_scheduler.store import message_reads, resolutions, retries
from maillane_scheduler.store.message_reads import Detail
from maillane_scheduler.sync.sync import Sync
from maillane_scheduler.validation import messages as rules
from maillane_scheduler.validation.requests import page_size

# Some seconds of work, well within what callers wait; they repeat the call while there is more.
RETRY_BATCHES = 10
# At once, in one process: each reads as fast as its caller takes it. A workspace whose callers are slow leaves room.
MAX_EXPORTS = 8
MAX_EXPORTS_OF_WORKSPACE = 2


class MessageService(MessageServiceServicer):
    """Messages, to look at, and to decide about where nobody knows or a server refused.

    Args:
        resend_wait_s: from when a message became unconfirmed until its first try can no longer succeed.
    """

    def __init__(self, engine: AsyncEngine, sync: Sync, outlooks: Outlooks, *, resend_wait_s: float) -> None:
        self._engine = engine
        self._sync = sync
        self._outlooks = outlooks
        self._lists = MessageLists(engine, outlooks)
        # By workspace: how many go on.
        self._exports = Counter[int]()
        self._resend_wait_s = resend_wait_s

    async def ListMessages(self, request: pb.ListMessagesRequest, context: Context) -> pb.ListMessagesResponse:
        violations = Violations()
        filters = rules.filters(violations, request)
        size = page_size(violations, request.page_size)
        place = paging.ids(violations, request.page_token, CURSOR_IDS, "messages", *astuple(filters))
        violations.raise_if_any()
        page = await self._lists.page(workspace(context), filters, place, size)
        following = paging.encode(page.next, "messages", *astuple(filters)) if page.next else ""
        return pb.ListMessagesResponse(messages=page.messages, next_page_token=following)

    async def ExportMessages(
        self, request: pb.ExportMessagesRequest, context: Context
    ) -> AsyncIterator[pb.ExportMessagesResponse]:
        violations, whose = Violations(), workspace(context)
        filters = rules.filters(violations, request)
        violations.raise_if_any()
        if self._exports.total() >= MAX_EXPORTS or self._exports[whose] >= MAX_EXPORTS_OF_WORKSPACE:
            raise ResourceExhausted("too many exports go on", reason="TOO_MANY_EXPORTS")
        self._exports[whose] += 1
        try:
            async for rows in self._lists.pages(whose, filters):
                yield pb.ExportMessagesResponse(
                    body=HttpBody(content_type="text/csv; charset=utf-8", data=csv_lines.lines(rows))
                )
        finally:
            self._exports -= Counter((whose,))

    async def GetMessage(self, request: pb.GetMessageRequest, context: Context) -> pb.GetMessageResponse:
        violations = Violations()
        message_id = violations.identifier("message_id", request.message_id)
        violations.raise_if_any()
        async with self._engine.connect() as connection:
            detail = await message_reads.get(connection, workspace(context), message_id)
        message = _detailed(detail)
        if message.HasField("hold"):
            held = await self._lists.explain(workspace(context), detail.message)
            if held is not None:
                if held.reason == message.hold.reason == pb.HOLD_REASON_RETRY:
                    # What is said of a resend is known here only.
                    held.detail = message.hold.detail
                message.hold.CopyFrom(held)
        return pb.GetMessageResponse(message=message)

    async def ResolveMessage(self, request: pb.ResolveMessageRequest, context: Context) -> pb.ResolveMessageResponse:
        violations = Violations()
        message_id = violations.identifier("message_id", request.message_id)
        resolution = rules.resolution(violations, request)
        violations.raise_if_any()
        by, reopened = actor(context), None
        async with self._engine.begin() as connection:
            if resolution is Resolution.RESEND:
                reopened = await resolutions.resend(connection, by, message_id, self._resend_wait_s)
            else:
                await resolutions.accept(connection, by, message_id)
            detail = await message_reads.get(connection, by.workspace_id, message_id)
        if reopened is not None:
            await self._sync.campaign(reopened)
        return pb.ResolveMessageResponse(message=_detailed(detail))

    async def RetryMessages(self, request: pb.RetryMessagesRequest, context: Context) -> pb.RetryMessagesResponse:
        violations = Violations()
        campaign_id = violations.identifier("campaign_id", request.campaign_id)
        filters = rules.retry_filters(violations, request)
        violations.raise_if_any()
        by, answer, after_id = actor(context), pb.RetryMessagesResponse(more=True), 0
        for _ in range(RETRY_BATCHES):
            # Each batch in a commit of its own, so that none holds others up.
            async with self._engine.begin() as connection:
                batch = await retries.retry(connection, by, campaign_id, filters, after_id)
            if batch.number:
                await self._sync.campaign(campaign_id)
                await self._sync.enqueue(campaign_id, batch.added.marks, batch.added.messages())
            answer.retried += batch.number
            answer.more, after_id = batch.more, batch.last_id
            if not batch.more:
                break
        return answer


def _detailed(detail: Detail) -> pb.Message:
    message = convert.message(detail.message)
    message.history.extend(map(convert.attempt, detail.history))
    message.variables.update(detail.variables)
    message.header_id = detail.header_id
    held = convert.hold(hold(detail.message.state, detail.about))
    if held is not None:
        message.hold.CopyFrom(held)
    return message
