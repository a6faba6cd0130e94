"""Workspaces and the tokens that open them."""

from maillane.scheduler.v1 import identity_service_pb2 as pb
from maillane.scheduler.v1.identity_service_pb2_grpc import IdentityServiceServicer
from maillane_chassis.violations import Violations
from sqlalchemy.ext.asyncio import AsyncEngine

from maillane_scheduler import paging
from maillane_scheduler.api import convert
from maillane_scheduler.api.caller import Context, actor, workspace
from maillane_scheduler.api_token import digest, new_secret
from maillane_scheduler.store import identity
from maillane_scheduler.validation import identity as rules
from maillane_scheduler.validation.requests import page_size


class IdentityService(IdentityServiceServicer):
    """Who the caller is, and who else may call."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def GetIdentity(self, request: pb.GetIdentityRequest, context: Context) -> pb.GetIdentityResponse:
        by = actor(context)
        async with self._engine.connect() as connection:
            tenant = await identity.get_workspace(connection, by.workspace_id)
            token = await identity.get_token(connection, by.workspace_id, by.token_id or 0)
        return pb.GetIdentityResponse(
            workspace=pb.Workspace(id=str(tenant.id), name=tenant.name), token=convert.token(token)
        )

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
