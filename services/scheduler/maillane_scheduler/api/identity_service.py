"""Workspaces, their members, and what opens them: tokens and sessions."""

from dataclasses import asdict

from maillane.scheduler.v1 import identity_service_pb2 as pb
from maillane.scheduler.v1.identity_service_pb2_grpc import IdentityServiceServicer
from maillane_chassis.access import identity as caller
from maillane_chassis.errors import NotFound, PermissionDenied
from maillane_chassis.violations import Violations
from sqlalchemy.ext.asyncio import AsyncEngine

from maillane_scheduler import paging, signing_in, stopping
from maillane_scheduler.api import convert
from maillane_scheduler.api.caller import Context, actor, peer, workspace
from maillane_scheduler.api_token import Role, Workspace, digest, new_secret
from maillane_scheduler.session import SessionLimits
from maillane_scheduler.store import identity, invitations, members, sessions, stops
from maillane_scheduler.store.audit import Actor
from maillane_scheduler.sync.sync import Sync
from maillane_scheduler.validation import identity as rules
from maillane_scheduler.validation.requests import page_size


class IdentityService(IdentityServiceServicer):
    """Who the caller is, and who else may call."""

    def __init__(self, engine: AsyncEngine, sync: Sync, limits: SessionLimits, *, sign_up: bool) -> None:
        self._engine = engine
        self._sync = sync
        self._limits = limits
        self._sign_up = sign_up

    async def GetIdentity(self, request: pb.GetIdentityRequest, context: Context) -> pb.GetIdentityResponse:
        by = actor(context)
        async with self._engine.connect() as connection:
            tenant = await identity.get_workspace(connection, by.workspace_id)
            if by.user_id is None:
                token = await identity.get_token(connection, by.workspace_id, by.token_id or 0)
                return convert.token_identity(tenant, token)
            user = await members.get_user(connection, by.user_id)
            memberships = await members.memberships(connection, by.user_id)
        # Roles and what rpcs ask for have the same numbers.
        return convert.user_identity(tenant, user, Role(caller(context).role), memberships)

    async def CreateToken(self, request: pb.CreateTokenRequest, context: Context) -> pb.CreateTokenResponse:
        name, role = rules.new_token(Violations(), request)
        secret = new_secret()
        async with self._engine.begin() as connection:
            token = await identity.create_token(connection, actor(context), name, role, digest(secret))
        return pb.CreateTokenResponse(token=convert.token(token), secret=secret)

    async def ListTokens(self, request: pb.ListTokensRequest, context: Context) -> pb.ListTokensResponse:
        size, after_id = _page(request, "tokens")
        async with self._engine.connect() as connection:
            found = await identity.list_tokens(connection, workspace(context), after_id, size + 1)
        following = paging.encode([found[size - 1].id], "tokens") if len(found) > size else ""
        return pb.ListTokensResponse(tokens=map(convert.token, found[:size]), next_page_token=following)

    async def RevokeToken(self, request: pb.RevokeTokenRequest, context: Context) -> pb.RevokeTokenResponse:
        token_id = _identifier("token_id", request.token_id)
        async with self._engine.begin() as connection:
            token = await identity.revoke_token(connection, actor(context), token_id)
        return pb.RevokeTokenResponse(token=convert.token(token))

    async def UpdateWorkspace(self, request: pb.UpdateWorkspaceRequest, context: Context) -> pb.UpdateWorkspaceResponse:
        name, by = rules.workspace_name(request), actor(context)
        async with self._engine.begin() as connection:
            await identity.rename_workspace(connection, by, name)
            tenant = await identity.get_workspace(connection, by.workspace_id)
        return pb.UpdateWorkspaceResponse(workspace=convert.workspace(tenant))

    async def SwitchWorkspace(self, request: pb.SwitchWorkspaceRequest, context: Context) -> pb.SwitchWorkspaceResponse:
        workspace_id = _identifier("workspace_id", request.workspace_id)
        by, session_id = actor(context), caller(context).session_id
        async with self._engine.begin() as connection:
            if by.user_id is not None and session_id is not None:
                role = await members.enter(connection, workspace_id, by.user_id)
                await sessions.switch(connection, session_id, workspace_id)
            elif workspace_id == by.workspace_id:
                role = (await identity.get_token(connection, workspace_id, by.token_id or 0)).role
            else:
                raise NotFound("a token opens its own workspace only", reason="WORKSPACE_NOT_FOUND")
            tenant = await identity.get_workspace(connection, workspace_id)
        return pb.SwitchWorkspaceResponse(workspace=convert.workspace(tenant), role=convert.role(role))

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

    async def ListMembers(self, request: pb.ListMembersRequest, context: Context) -> pb.ListMembersResponse:
        size, after_id = _page(request, "members")
        async with self._engine.connect() as connection:
            found = await members.list_page(connection, workspace(context), after_id, size + 1)
        following = paging.encode([found[size - 1].user.id], "members") if len(found) > size else ""
        return pb.ListMembersResponse(members=map(convert.member, found[:size]), next_page_token=following)

    async def UpdateMember(self, request: pb.UpdateMemberRequest, context: Context) -> pb.UpdateMemberResponse:
        user_id, role = rules.new_role(request)
        async with self._engine.begin() as connection:
            member = await members.set_role(connection, actor(context), user_id, role)
        return pb.UpdateMemberResponse(member=convert.member(member))

    async def RemoveMember(self, request: pb.RemoveMemberRequest, context: Context) -> pb.RemoveMemberResponse:
        user_id = _identifier("user_id", request.user_id)
        async with self._engine.begin() as connection:
            await members.remove(connection, actor(context), user_id)
        return pb.RemoveMemberResponse()

    async def InviteMember(self, request: pb.InviteMemberRequest, context: Context) -> pb.InviteMemberResponse:
        email, role = rules.invitation(request)
        async with self._engine.begin() as connection:
            made = await invitations.invite(connection, actor(context), email, role)
        return pb.InviteMemberResponse(invitation=convert.invitation(made))

    async def ListInvitations(self, request: pb.ListInvitationsRequest, context: Context) -> pb.ListInvitationsResponse:
        size, after_id = _page(request, "invitations")
        async with self._engine.connect() as connection:
            found = await invitations.list_page(connection, workspace(context), after_id, size + 1)
        following = paging.encode([found[size - 1].id], "invitations") if len(found) > size else ""
        return pb.ListInvitationsResponse(invitations=map(convert.invitation, found[:size]), next_page_token=following)

    async def RevokeInvitation(
        self, request: pb.RevokeInvitationRequest, context: Context
    ) -> pb.RevokeInvitationResponse:
        invitation_id = _identifier("invitation_id", request.invitation_id)
        async with self._engine.begin() as connection:
            await invitations.revoke(connection, actor(context), invitation_id)
        return pb.RevokeInvitationResponse()

    async def SignIn(self, request: pb.SignInRequest, context: Context) -> pb.SignInResponse:
        person = rules.person(request)
        if not request.email_verified:
            raise PermissionDenied("the provider has not verified this address", reason="EMAIL_UNVERIFIED")
        async with self._engine.begin() as connection:
            session = await signing_in.sign_in(
                connection, person, request.previous_secret, peer(context), self._limits, sign_up=self._sign_up
            )
        return pb.SignInResponse(session=convert.session(session))

    async def SignInLocally(self, request: pb.SignInLocallyRequest, context: Context) -> pb.SignInLocallyResponse:
        previous = _secret("previous_secret", request.previous_secret)
        async with self._engine.begin() as connection:
            session = await signing_in.sign_in_locally(connection, previous, peer(context), self._limits)
        return pb.SignInLocallyResponse(session=convert.session(session))

    async def RevokeSession(self, request: pb.RevokeSessionRequest, context: Context) -> pb.RevokeSessionResponse:
        secret = _secret("secret", request.secret)
        async with self._engine.begin() as connection:
            await signing_in.sign_out(connection, secret, peer(context))
        return pb.RevokeSessionResponse()


def _page(
    request: pb.ListTokensRequest | pb.ListMembersRequest | pb.ListInvitationsRequest, of: str
) -> tuple[int, int]:
    """How many, and behind which id."""
    violations = Violations()
    size = page_size(violations, request.page_size)
    (after_id,) = paging.ids(violations, request.page_token, 1, of) or (0,)
    violations.raise_if_any()
    return size, after_id


def _identifier(field: str, value: str) -> int:
    violations = Violations()
    found = violations.identifier(field, value)
    violations.raise_if_any()
    return found


def _secret(field: str, value: str) -> str:
    violations = Violations()
    rules.secret(violations, field, value)
    violations.raise_if_any()
    return value
