"""Single emails, and what became of them."""

from dataclasses import astuple

from maillane.scheduler.v1 import message_service_pb2 as pb
from maillane.scheduler.v1.message_service_pb2_grpc import MessageServiceServicer
from maillane_chassis.violations import Violations
from sqlalchemy.ext.asyncio import AsyncEngine

from maillane_scheduler import paging
from maillane_scheduler.api import convert
from maillane_scheduler.api.caller import Context, actor, workspace
from maillane_scheduler.message import hold
from maillane_scheduler.states import Resolution
from maillane_scheduler.store import message_pages, message_reads, resolutions, retries
from maillane_scheduler.store.message_pages import Cursor
from maillane_scheduler.store.message_reads import Detail
from maillane_scheduler.sync.sync import Sync
from maillane_scheduler.validation import messages as rules
from maillane_scheduler.validation.requests import page_size

# Some seconds of work, well within what callers wait; they repeat the call while there is more.
RETRY_BATCHES = 10


class MessageService(MessageServiceServicer):
    """Messages, to look at, and to decide about where nobody knows or a server refused.

    Args:
        resend_wait_s: from when a message became unconfirmed until its first try can no longer succeed.
    """

    def __init__(self, engine: AsyncEngine, sync: Sync, *, resend_wait_s: float) -> None:
        self._engine = engine
        self._sync = sync
        self._resend_wait_s = resend_wait_s

    async def ListMessages(self, request: pb.ListMessagesRequest, context: Context) -> pb.ListMessagesResponse:
        violations = Violations()
        filters = rules.filters(violations, request)
        size = page_size(violations, request.page_size)
        place = paging.ids(violations, request.page_token, 2, "messages", *astuple(filters))
        violations.raise_if_any()
        cursor = Cursor(*place) if place else None
        async with self._engine.connect() as connection:
            page = await message_pages.list_page(connection, workspace(context), filters, cursor, size)
        following = page.next and paging.encode(astuple(page.next), "messages", *astuple(filters))
        return pb.ListMessagesResponse(messages=map(convert.message, page.messages), next_page_token=following or "")

    async def GetMessage(self, request: pb.GetMessageRequest, context: Context) -> pb.GetMessageResponse:
        violations = Violations()
        message_id = violations.identifier("message_id", request.message_id)
        violations.raise_if_any()
        async with self._engine.connect() as connection:
            detail = await message_reads.get(connection, workspace(context), message_id)
        return pb.GetMessageResponse(message=_detailed(detail))

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
                await self._sync.enqueue(campaign_id, batch.added.marks, batch.added.messages)
            answer.retried += batch.number
            answer.more, after_id = batch.more, batch.last_id
            if not batch.more:
                break
        return answer


def _detailed(detail: Detail) -> pb.Message:
    message = convert.message(detail.message)
    message.history.extend(map(convert.attempt, detail.history))
    message.variables.update(detail.variables)
    held = convert.hold(hold(detail.message.state, detail.about))
    if held is not None:
        message.hold.CopyFrom(held)
    return message
