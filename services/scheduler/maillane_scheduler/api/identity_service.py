"""Workspaces and the tokens that open them."""

from dataclasses import asdict

from maillane.scheduler.v1 import identity_service_pb2 as pb
from maillane.scheduler.v1.identity_service_pb2_grpc import IdentityServiceServicer
from maillane_chassis.violations import Violations
from sqlalchemy.ext.asyncio import AsyncEngine

from maillane_scheduler import paging, stopping
from maillane_scheduler.api import convert
from maillane_scheduler.api.caller import Context, actor, workspace
from maillane_scheduler.api_token import Workspace, digest, new_secret
from maillane_scheduler.store import identity, stops
from maillane_scheduler.store.audit import Actor
from maillane_scheduler.sync.sync import Sync
from maillane_scheduler.validation import identity as rules
from maillane_scheduler.validation.requests import page_size


class IdentityService(IdentityServiceServicer):
    """Who the caller is, and who else may call."""

    def __init__(self, engine: AsyncEngine, sync: Sync) -> None:
        self._engine = engine
        self._sync = sync

    async def GetIdentity(self, request: pb.GetIdentityRequest, context: Context) -> pb.GetIdentityResponse:
        by = actor(context)
        async with self._engine.connect() as connection:
            tenant = await identity.get_workspace(connection, by.workspace_id)
            token = await identity.get_token(connection, by.workspace_id, by.token_id or 0)
        return pb.GetIdentityResponse(workspace=convert.workspace(tenant), token=convert.token(token))

    async def CreateToken(self, request: pb.CreateTokenRequest, context: Context) -> pb.CreateTokenResponse:
        name, role = rules.new_token(Violations(), request)
        secret = new_secret()
        async with self._engine.begin() as connection:
            token = await identity.create_token(connection, actor(context), name, role, digest(secret))
        return pb.CreateTokenResponse(token=convert.token(token), secret=secret)

    async def ListTokens(self, request: pb.ListTokensRequest, context: Context) -> pb.ListTokensResponse:
        violations = Violations()
        size = page_size(violations, request.page_size)
        (after_id,) = paging.ids(violations, request.page_token, 1, "tokens") or (0,)
        violations.raise_if_any()
        async with self._engine.connect() as connection:
            found = await identity.list_tokens(connection, workspace(context), after_id, size + 1)
        following = paging.encode([found[size - 1].id], "tokens") if len(found) > size else ""
        return pb.ListTokensResponse(tokens=map(convert.token, found[:size]), next_page_token=following)

    async def RevokeToken(self, request: pb.RevokeTokenRequest, context: Context) -> pb.RevokeTokenResponse:
        violations = Violations()
        token_id = violations.identifier("token_id", request.token_id)
        violations.raise_if_any()
        async with self._engine.begin() as connection:
            token = await identity.revoke_token(connection, actor(context), token_id)
        return pb.RevokeTokenResponse(token=convert.token(token))

    async def StopWorkspace(self, request: pb.StopWorkspaceRequest, context: Context) -> pb.StopWorkspaceResponse:
        by = actor(context)
        tenant, mailboxes = await self._turn(by, stopped=True)
        # Also where it was stopped already: whoever stopped it may have died before this.
        await self._sync.barrier(by.workspace_id)
        await self._sync.mailboxes(mailboxes)
        holdings = await stopping.acknowledged(self._engine, by.workspace_id)
        return pb.StopWorkspaceResponse(
            workspace=convert.workspace(tenant),
            acknowledged=all(holding.acknowledged for holding in holdings),
            holdings=(pb.SenderHolding(**asdict(holding)) for holding in holdings[: stopping.SENDERS_NAMED]),
        )

    async def ResumeWorkspace(self, request: pb.ResumeWorkspaceRequest, context: Context) -> pb.ResumeWorkspaceResponse:
        tenant, mailboxes = await self._turn(actor(context), stopped=False)
        await self._sync.mailboxes(mailboxes)
        return pb.ResumeWorkspaceResponse(workspace=convert.workspace(tenant))

    async def _turn(self, by: Actor, *, stopped: bool) -> tuple[Workspace, list[int]]:
        async with self._engine.begin() as connection:
            mailboxes = await stops.turn(connection, by, stopped=stopped)
            return await identity.get_workspace(connection, by.workspace_id), mailboxes
