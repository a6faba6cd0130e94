# ruff: noqa: N802 - the names of rpcs
"""A scheduler made for tests of the sender: it hands out what it was given, by the contract's rules, and remembers.

`tests/integration/test_sender.py` runs the same sender against the real one.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

import grpc
from google.protobuf.duration_pb2 import Duration
from maillane.options.v1 import access_pb2
from maillane.scheduler.v1 import dispatch_service_pb2 as pb
from maillane.scheduler.v1 import identity_service_pb2 as identity_pb
from maillane.scheduler.v1 import mailbox_service_pb2 as mailbox_pb
from maillane.scheduler.v1.dispatch_service_pb2_grpc import (
    DispatchServiceServicer,
    add_DispatchServiceServicer_to_server,
)
from maillane.scheduler.v1.identity_service_pb2_grpc import (
    IdentityServiceServicer,
    add_IdentityServiceServicer_to_server,
)
from maillane.scheduler.v1.mailbox_service_pb2_grpc import (
    MailboxServiceServicer,
    add_MailboxServiceServicer_to_server,
)
from maillane_chassis.access import Identity, identity
from maillane_chassis.errors import FailedPrecondition, NotFound, Unavailable
from maillane_chassis.server import Registration, Server
from maillane_chassis.settings import ServiceSettings
from pydantic import SecretStr

SERVICE_KEY = "k" * 32
SERVICE = pb.DESCRIPTOR.services_by_name["DispatchService"]
CAMPAIGN = 7
MAILBOX = 3
# Tokens of a workspace, by what they may do, and of another one that has no mailboxes.
TOKENS = {
    "viewer": Identity(5, 1, access_pb2.ACCESS_VIEWER, "viewer"),
    "editor": Identity(5, 2, access_pb2.ACCESS_EDITOR, "editor"),
    "stranger": Identity(6, 3, access_pb2.ACCESS_EDITOR, "stranger"),
}
_ROLES = {access_pb2.ACCESS_VIEWER: identity_pb.ROLE_VIEWER, access_pb2.ACCESS_EDITOR: identity_pb.ROLE_EDITOR}

Context = grpc.aio.ServicerContext[Any, Any]


@dataclass
class FakeScheduler(DispatchServiceServicer):
    """Hands out `due`, in its order. `fail` maps a method's name to how many of its next answers are lost."""

    port: int = 0
    lease_s: float = 60.0
    due: list[pb.ClaimedMessage] = field(default_factory=list)
    transports: dict[int, pb.GetTransportResponse] = field(default_factory=dict)
    templates: dict[int, pb.GetTemplateResponse] = field(default_factory=dict)
    fail: Counter[str] = field(default_factory=Counter)
    replaced: bool = False
    revoked: set[int] = field(default_factory=set)
    lost: bool = False
    calls: list[Any] = field(default_factory=list)
    settled: dict[int, pb.Settle] = field(default_factory=dict)
    settles: int = 0
    # Of a message: whatever call brings its outcome fails, INTERNAL.
    poison: int = 0
    held: dict[int, list[pb.ClaimedMessage]] = field(default_factory=dict)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def put(self, *messages: pb.ClaimedMessage) -> None:
        """Makes messages due."""
        async with self.changed:
            self.due += messages
            self.changed.notify_all()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Waits until a call has made this true."""
        async with asyncio.timeout(10), self.changed:
            await self.changed.wait_for(condition)

    async def all_settled(self, count: int) -> dict[int, pb.Settle]:
        """Waits until so many messages are settled; gives them by id."""
        await self.until(lambda: len(self.settled) >= count)
        return self.settled

    def of(self, kind: type) -> list[Any]:
        """The requests of one kind that came in."""
        return [call for call in self.calls if isinstance(call, kind)]

    async def ClaimMessages(self, request: pb.ClaimMessagesRequest, context: Context) -> pb.ClaimMessagesResponse:
        await self._note(request)
        if self.replaced:
            raise FailedPrecondition("another incarnation of this sender has been seen", reason="SENDER_REPLACED")
        self._settle(request.settles)
        taken = self.held.get(request.claim_id)
        if taken is None:
            taken = self.held[request.claim_id] = await self._take(request)
        taken = [message for message in taken if message.message_id not in self.settled]
        await self._lose("ClaimMessages")
        revoked = [message.message_id for message in taken if message.message_id in self.revoked]
        return pb.ClaimMessagesResponse(token=request.claim_id, lease=self._lease(), messages=taken, revoked=revoked)

    async def SettleMessages(self, request: pb.SettleMessagesRequest, context: Context) -> pb.SettleMessagesResponse:
        await self._note(request)
        self._settle(request.settles)
        await self._lose("SettleMessages")
        return pb.SettleMessagesResponse(settled=len(request.settles))

    async def RenewClaims(self, request: pb.RenewClaimsRequest, context: Context) -> pb.RenewClaimsResponse:
        await self._note(request)
        await self._lose("RenewClaims")
        lost = list(request.tokens) if self.lost else []
        return pb.RenewClaimsResponse(lease=self._lease(), revoked=self.revoked, lost_tokens=lost)

    async def GetTransport(self, request: pb.GetTransportRequest, context: Context) -> pb.GetTransportResponse:
        await self._note(request)
        await self._lose("GetTransport")
        if request.mailbox_id not in self.transports:
            raise NotFound("there is no such mailbox")
        return self.transports[request.mailbox_id]

    async def GetTemplate(self, request: pb.GetTemplateRequest, context: Context) -> pb.GetTemplateResponse:
        await self._note(request)
        await self._lose("GetTemplate")
        return self.templates[request.campaign_id]

    async def _take(self, request: pb.ClaimMessagesRequest) -> list[pb.ClaimedMessage]:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(request.wait.ToTimedelta().total_seconds()), self.changed:
                await self.changed.wait_for(lambda: self.due)
        taken, self.due = self.due[: request.slots], self.due[request.slots :]
        return taken

    async def _note(self, request: Any) -> None:
        self.calls.append(request)
        async with self.changed:
            self.changed.notify_all()

    def _settle(self, settles: Any) -> None:
        if self.poison in {settle.message_id for settle in settles}:
            raise RuntimeError("by the test")
        for settle in settles:
            self.settles += 1
            self.settled.setdefault(settle.message_id, settle)

    async def _lose(self, method: str) -> None:
        async with self.changed:
            self.changed.notify_all()
        if self.fail[method]:
            self.fail[method] -= 1
            raise Unavailable("lost by the test")

    def _lease(self) -> Duration:
        lease = Duration()
        lease.FromTimedelta(timedelta(seconds=self.lease_s))
        return lease

    def mailbox(self, smtp_port: int, mailbox_id: int = MAILBOX, **changes: Any) -> None:
        """A mailbox at an SMTP server on this machine."""
        values = {
            "revision": 1,
            "address": "news@acme.example",
            "host": "127.0.0.1",
            "port": smtp_port,
            "security": mailbox_pb.SECURITY_NONE,
            "max_connections": 5,
        }
        self.transports[mailbox_id] = pb.GetTransportResponse(**{**values, **changes})

    def campaign(self, campaign_id: int = CAMPAIGN, **changes: Any) -> None:
        """A campaign's template."""
        values = {"revision": 1, "subject": "Hi {{name|there}}", "text": "Hello {{name|there}}", "campaign_key": "c0"}
        self.templates[campaign_id] = pb.GetTemplateResponse(**{**values, **changes})


def message(message_id: int, mailbox_id: int = MAILBOX, variables: str = "{}", **changes: Any) -> pb.ClaimedMessage:
    values = {
        "message_id": message_id,
        "campaign_id": CAMPAIGN,
        "mailbox_id": mailbox_id,
        "attempt": 1,
        "recipient": f"r{message_id}@example.net",
        "variables": variables.encode(),
        "template_revision": 1,
        "transport_revision": 1,
    }
    return pb.ClaimedMessage(**{**values, **changes})


def messages(count: int, mailbox_id: int = MAILBOX, first: int = 1) -> list[pb.ClaimedMessage]:
    return [message(number, mailbox_id) for number in range(first, first + count)]


class FakeIdentities(IdentityServiceServicer):
    """Says who a token is."""

    async def GetIdentity(self, request: Any, context: Context) -> identity_pb.GetIdentityResponse:
        caller = identity(context)
        return identity_pb.GetIdentityResponse(
            workspace=identity_pb.Workspace(id=str(caller.workspace_id)),
            token=identity_pb.Token(id=str(caller.token_id), name=caller.name),
            role=_ROLES[caller.role],
        )


@dataclass
class FakeMailboxes(MailboxServiceServicer):
    """The mailboxes of the workspace of `editor`, without their passwords."""

    fake: FakeScheduler

    async def GetMailbox(self, request: Any, context: Context) -> mailbox_pb.GetMailboxResponse:
        known = self.fake.transports.get(int(request.mailbox_id))
        if known is None or identity(context).workspace_id != 5:
            raise NotFound("there is no such mailbox", reason="MAILBOX_NOT_FOUND")
        smtp = mailbox_pb.Smtp(
            host=known.host,
            port=known.port,
            security=known.security,
            username=known.username,
            has_password=bool(known.password),
        )
        return mailbox_pb.GetMailboxResponse(mailbox=mailbox_pb.Mailbox(id=request.mailbox_id, smtp=smtp))


async def authenticate(secret: str) -> Identity | None:
    return TOKENS.get(secret)


@contextlib.asynccontextmanager
async def serving(fake: FakeScheduler, port: int = 0) -> AsyncIterator[FakeScheduler]:
    """Serves it on a port of its own, or on this one."""
    settings = ServiceSettings(service_key=SecretStr(SERVICE_KEY))
    # The fakes lack what nobody calls here, which the stubs call abstract.
    services: list[Registration[Any]] = [
        Registration(SERVICE, add_DispatchServiceServicer_to_server, fake),
        Registration(
            identity_pb.DESCRIPTOR.services_by_name["IdentityService"],
            add_IdentityServiceServicer_to_server,
            cast(Any, FakeIdentities)(),
        ),
        Registration(
            mailbox_pb.DESCRIPTOR.services_by_name["MailboxService"],
            add_MailboxServiceServicer_to_server,
            cast(Any, FakeMailboxes)(fake),
        ),
    ]
    server = Server(settings, port, services, authenticate=authenticate)
    await server.start()
    fake.port = server.port
    try:
        yield fake
    finally:
        await server.stop(0)
