"""The public services on a real gRPC server, and clients of it with tokens of their own."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from maillane.ratelimit.v1.rate_limit_service_pb2_grpc import RateLimitServiceStub
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
from maillane_chassis.server import Registration, Server
from maillane_chassis.settings import ServiceSettings
from maillane_scheduler.api.audit_service import AuditService
from maillane_scheduler.api.authenticator import Authenticator
from maillane_scheduler.api.campaign_service import CampaignService
from maillane_scheduler.api.identity_service import IdentityService
from maillane_scheduler.api.mailbox_service import MailboxService
from maillane_scheduler.api.message_service import MessageService
from maillane_scheduler.api.overview_service import OverviewService
from maillane_scheduler.api.suppression_service import SuppressionService
from maillane_scheduler.api_token import Role, digest, new_secret
from maillane_scheduler.dispatch.limiter import Limiter
from maillane_scheduler.dispatch.meter import Meter
from maillane_scheduler.dispatch.terms import Limits
from maillane_scheduler.mailbox import Catcher
from maillane_scheduler.outlook import Outlooks
from maillane_scheduler.queue.queue import Queue
from maillane_scheduler.sealing import Sealer
from maillane_scheduler.session import SessionLimits
from maillane_scheduler.store import identity
from maillane_scheduler.store.audit import Actor
from maillane_scheduler.sync.sync import Sync
from maillane_scheduler.unsubscribe_link import UnsubscribeLinks
from maillane_scheduler.validation.mailboxes import MailboxRules
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

SERVICE_KEY = "k" * 32
RESEND_WAIT_S = 600
SESSION_LIMITS = SessionLimits(idle_s=3600, absolute_s=86_400)
RULES = MailboxRules(default_hourly_limit=200, default_min_gap_us=0, extra_ports=frozenset((1025,)), allow_private=True)
CATCHER = Catcher("127.0.0.1", 1025, "http://127.0.0.1:8025")
SEALER = Sealer(bytes(range(32)))
LINKS = UnsubscribeLinks(bytes(range(32)), "https://mail.example.com")

_FILES = (
    (audit_service_pb2, audit_service_pb2_grpc, "AuditService"),
    (campaign_service_pb2, campaign_service_pb2_grpc, "CampaignService"),
    (identity_service_pb2, identity_service_pb2_grpc, "IdentityService"),
    (mailbox_service_pb2, mailbox_service_pb2_grpc, "MailboxService"),
    (message_service_pb2, message_service_pb2_grpc, "MessageService"),
    (overview_service_pb2, overview_service_pb2_grpc, "OverviewService"),
    (suppression_service_pb2, suppression_service_pb2_grpc, "SuppressionService"),
)
_numbers = itertools.count(1)
SERVICES = {name: file.DESCRIPTOR.services_by_name[name] for file, _, name in _FILES}


class Client:
    """All rpcs by their names, under one credential: `await client.GetCampaign(request)`."""

    def __init__(self, channel: grpc.aio.Channel, secret: str, scheme: str = "Bearer") -> None:
        self._stubs = [getattr(stubs, f"{name}Stub")(channel) for _, stubs, name in _FILES]
        self._metadata = (("authorization", f"{scheme} {secret}"),)

    def __getattr__(self, rpc: str) -> Any:
        for stub in self._stubs:
            if hasattr(stub, rpc):
                return partial(getattr(stub, rpc), metadata=self._metadata)
        raise AttributeError(rpc)


@dataclass
class Tenant:
    """A workspace with a client for each role."""

    id: int
    viewer: Client
    editor: Client
    admin: Client


@dataclass
class Person:
    """Somebody who is signed in."""

    user_id: str
    email: str
    secret: str
    client: Client


class SchedulerApi:
    """A server with the public services, and all that stands behind it."""

    def __init__(self, engine: AsyncEngine, queue: Queue, sync: Sync) -> None:
        self.engine = engine
        self.queue = queue
        self.sync = sync
        # Of a limiter that does not answer: nothing is known of what is used.
        self._no_limiter = grpc.aio.insecure_channel("unix:/nowhere")
        limits = Limits(3600, 86_400, 0, None)
        stub = RateLimitServiceStub(self._no_limiter)
        meter = Meter(stub, limits, Limiter(stub, engine, limits).restore_lost)
        self.outlooks = Outlooks(engine, queue, meter)
        self.campaigns = CampaignService(engine, sync, LINKS, self.outlooks)
        self.identities = IdentityService(engine, sync, SESSION_LIMITS, sign_up=False)
        self.overviews = OverviewService(engine, self.outlooks)
        servicers = {
            "AuditService": AuditService(engine),
            "CampaignService": self.campaigns,
            "IdentityService": self.identities,
            "MailboxService": MailboxService(engine, sync, SEALER, RULES, CATCHER),
            "MessageService": MessageService(engine, sync, self.outlooks, resend_wait_s=RESEND_WAIT_S),
            "OverviewService": self.overviews,
            "SuppressionService": SuppressionService(engine, LINKS),
        }
        self.server = Server(
            ServiceSettings(service_key=SecretStr(SERVICE_KEY)),
            0,
            [
                Registration(SERVICES[name], getattr(stubs, f"add_{name}Servicer_to_server"), servicers[name])
                for _, stubs, name in _FILES
            ],
            authenticate=Authenticator(engine, SESSION_LIMITS),
        )
        self._channel: grpc.aio.Channel | None = None

    async def start(self) -> None:
        await self.server.start()
        self._channel = grpc.aio.insecure_channel(f"127.0.0.1:{self.server.port}")

    async def stop(self) -> None:
        if self._channel is not None:
            await self._channel.close()
        self.campaigns.end_watches()
        self.overviews.end_watches()
        await self.server.stop(1)
        await self._no_limiter.close()

    def client(self, secret: str) -> Client:
        assert self._channel is not None
        return Client(self._channel, secret)

    @property
    def service(self) -> Client:
        """With the credential of services."""
        assert self._channel is not None
        return Client(self._channel, SERVICE_KEY, "Service")

    async def tenant(self, name: str = "acme") -> Tenant:
        """A new workspace, with a token for each role."""
        secrets = {role: new_secret() for role in Role}
        async with self.engine.begin() as connection:
            workspace_id = await identity.create_workspace(connection, name)
            for role, secret in secrets.items():
                actor = Actor(workspace_id, None, "test")
                await identity.create_token(connection, actor, role.name.lower(), role, digest(secret))
        viewer, editor, admin = (self.client(secrets[role]) for role in Role)
        return Tenant(workspace_id, viewer, editor, admin)

    async def sign_in(self, email: str, **changes: Any) -> str:
        """Signs a person in, as the gateway does once a provider has confirmed them; gives the session's secret."""
        told = {"issuer": "https://id.example.com", "subject": email, "email": email, "email_verified": True, **changes}
        return str((await self.service.SignIn(identity_service_pb2.SignInRequest(**told))).session.secret)

    async def member(self, tenant: Tenant, role: Role = Role.ADMIN, email: str = "") -> Person:
        """A person whom a workspace has invited and who has signed in."""
        email = email or f"person{next(_numbers)}@example.com"
        named = identity_service_pb2.Role.Value(f"ROLE_{role.name}")
        await tenant.admin.InviteMember(identity_service_pb2.InviteMemberRequest(email=email, role=named))
        secret = await self.sign_in(email)
        client = self.client(secret)
        who = await client.GetIdentity(identity_service_pb2.GetIdentityRequest())
        return Person(who.user.id, email, secret, client)

    async def sql(self, statement: str, **parameters: Any) -> list[Any]:
        """Runs a statement, and gives its rows."""
        async with self.engine.begin() as connection:
            result = await connection.execute(text(statement), parameters)
            return list(result.all()) if result.returns_rows else []


@dataclass(frozen=True)
class Refusal:
    """What an rpc was refused with."""

    code: grpc.StatusCode
    reason: str
    fields: dict[str, str]
    message: str


async def refused(call: Any) -> Refusal:
    """How a call that must fail is refused; also a stream's."""
    try:
        if isinstance(call, AsyncIterator) or hasattr(call, "__aiter__"):
            async for _ in call:
                pass
        else:
            await call
    except grpc.aio.AioRpcError as error:
        return _refusal(error)
    raise AssertionError("the call was not refused")


def _refusal(error: grpc.aio.AioRpcError) -> Refusal:
    status = rpc_status.from_call(cast(grpc.Call, error))
    reason, fields = "", {}
    for detail in status.details if status else ():
        info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
        if detail.Unpack(info):
            reason = info.reason
        if detail.Unpack(bad):
            fields = {violation.field: violation.description for violation in bad.field_violations}
    return Refusal(error.code(), reason, fields, error.details() or "")


def chunks(campaign_id: str, *parts: Iterable[Any]) -> AsyncIterator[Any]:
    """A stream of chunks; a recipient is (email, variables), an email, or a Recipient."""

    async def stream() -> AsyncIterator[Any]:
        for part in parts or ([],):
            yield campaign_service_pb2.ImportRecipientsRequest(
                campaign_id=campaign_id, recipients=[_recipient(item) for item in part]
            )

    return stream()


def _recipient(item: Any) -> campaign_service_pb2.Recipient:
    if isinstance(item, campaign_service_pb2.Recipient):
        return item
    email, variables = item if isinstance(item, tuple) else (item, {})
    return campaign_service_pb2.Recipient(email=email, variables=variables)
