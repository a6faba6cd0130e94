"""Stands where the scheduler would: records what it is asked, and answers what it is told. Its end-to-end counterpart,
the gateway before the real scheduler, is tested in tests/e2e."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Any

from google.protobuf import message_factory
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from maillane.options.v1 import access_pb2
from maillane.scheduler.v1 import (
    audit_service_pb2,
    audit_service_pb2_grpc,
    campaign_service_pb2,
    campaign_service_pb2_grpc,
    identity_service_pb2,
    identity_service_pb2_grpc,
    mailbox_service_pb2,
    mailbox_service_pb2_grpc,
    message_service_pb2,
    message_service_pb2_grpc,
    overview_service_pb2,
    overview_service_pb2_grpc,
    suppression_service_pb2,
    suppression_service_pb2_grpc,
)
from maillane.sender.v1 import sender_service_pb2, sender_service_pb2_grpc
from maillane_chassis.access import Identity, origin
from maillane_chassis.server import Registration

TOKEN = "the-token-of-a-test"
# A session of who sits at the machine.
LOCAL_SESSION = "mll_x"

_SERVICES = (
    (campaign_service_pb2, campaign_service_pb2_grpc, "CampaignService"),
    (mailbox_service_pb2, mailbox_service_pb2_grpc, "MailboxService"),
    (message_service_pb2, message_service_pb2_grpc, "MessageService"),
    (suppression_service_pb2, suppression_service_pb2_grpc, "SuppressionService"),
    (identity_service_pb2, identity_service_pb2_grpc, "IdentityService"),
    (audit_service_pb2, audit_service_pb2_grpc, "AuditService"),
    (overview_service_pb2, overview_service_pb2_grpc, "OverviewService"),
    # A process of its own, but for these tests.
    (sender_service_pb2, sender_service_pb2_grpc, "SenderService"),
)


class FakeScheduler:
    """By method: `asked` holds the requests, `answers` what is given back (an exception is raised; for streams, a list
    whose items may be messages, exceptions, or events to wait for)."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """As new."""
        self.asked: dict[str, list[Any]] = defaultdict(list)
        self.answers: dict[str, Any] = {}
        self.metadata: dict[str, Any] = {}
        self.origin = ""
        self.ended = asyncio.Event()
        """Set when a call has ended, in whichever way."""
        self.held = 0
        """Bytes of chunks; the chunks themselves are kept only if `keep`."""
        self.keep = True

    def registrations(self) -> list[Registration[Any]]:
        return [
            Registration(
                pb2.DESCRIPTOR.services_by_name[name],
                getattr(grpc, f"add_{name}Servicer_to_server"),
                _Servicer(self, pb2.DESCRIPTOR.services_by_name[name]),
            )
            for pb2, grpc, name in _SERVICES
        ]

    async def authenticate(self, token: str) -> Identity | None:
        known = token in (TOKEN, LOCAL_SESSION)
        return Identity(7, 1, access_pb2.ACCESS_ADMIN, "admin") if known else None

    async def unary(self, method: MethodDescriptor, request: Message, context: Any) -> Message:
        self._note(method, request, context)
        return self._answer(method)

    async def stream(self, method: MethodDescriptor, request: Message, context: Any) -> AsyncIterator[Message]:
        self._note(method, request, context)
        try:
            for item in self.answers.get(method.name, []):
                if isinstance(item, asyncio.Event):
                    await item.wait()
                elif isinstance(item, Exception):
                    raise item
                else:
                    yield item
        finally:
            self.ended.set()

    async def collect(self, method: MethodDescriptor, requests: AsyncIterator[Message], context: Any) -> Message:
        """Takes chunks; an answer that is a list gives, chunk by chunk, an exception, an event or None."""
        try:
            plan = list(self.answers.get(method.name + ".chunks", []))
            async for request in requests:
                if self.keep:
                    self._note(method, request, context)
                self.held += request.ByteSize()
                step = plan.pop(0) if plan else None
                if isinstance(step, asyncio.Event):
                    await step.wait()
                elif isinstance(step, Exception):
                    raise step
            return self._answer(method)
        finally:
            self.ended.set()

    def _note(self, method: MethodDescriptor, request: Message, context: Any) -> None:
        self.asked[method.name].append(request)
        self.metadata = dict(context.invocation_metadata() or ())
        self.origin = origin(context)

    def _answer(self, method: MethodDescriptor) -> Message:
        answer = self.answers.get(method.name)
        if isinstance(answer, Exception):
            raise answer
        return answer if answer is not None else message_factory.GetMessageClass(method.output_type)()


class _Servicer:
    def __init__(self, fake: FakeScheduler, service: ServiceDescriptor) -> None:
        for method in service.methods:
            setattr(self, method.name, _behaviour(fake, method))


def _behaviour(fake: FakeScheduler, method: MethodDescriptor) -> Any:
    async def unary(request: Any, context: Any) -> Message:
        act = fake.collect if method.client_streaming else fake.unary
        return await act(method, request, context)

    async def stream(request: Any, context: Any) -> AsyncIterator[Message]:
        async for message in fake.stream(method, request, context):
            yield message

    return stream if method.server_streaming else unary
