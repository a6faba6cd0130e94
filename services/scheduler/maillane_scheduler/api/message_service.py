"""Single emails, and what became of them."""

from dataclasses import astuple

from maillane.scheduler.v1 import message_service_pb2 as pb
from maillane.scheduler.v1.message_service_pb2_grpc import MessageServiceServicer
from maillane_chassis.violations import Violations
from sqlalchemy.ext.asyncio import AsyncEngine

from maillane_scheduler import paging
from maillane_scheduler.api import convert
from maillane_scheduler.api.caller import Context, workspace
from maillane_scheduler.message import hold
from maillane_scheduler.store import message_pages, message_reads
from maillane_scheduler.store.message_pages import Cursor
from maillane_scheduler.validation import messages as rules
from maillane_scheduler.validation.requests import page_size


class MessageService(MessageServiceServicer):
    """Messages, to look at."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

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
        message = convert.message(detail.message)
        message.history.extend(map(convert.attempt, detail.history))
        message.variables.update(detail.variables)
        held = convert.hold(hold(detail.message.state, detail.about))
        if held is not None:
            message.hold.CopyFrom(held)
        return pb.GetMessageResponse(message=message)
