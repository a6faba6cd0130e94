"""Sessions over gRPC: begun by the gateway for people, good for a time, ended."""

import asyncio

import grpc
import pytest
from maillane.scheduler.v1 import identity_service_pb2 as pb
from maillane_scheduler.api_token import Role, digest
from maillane_scheduler.store import sessions
from sqlalchemy import text

from .scheduler_api import SESSION_LIMITS, refused

ISSUER = "https://id.example.com"


async def identity(api, secret):
    return await api.client(secret).GetIdentity(pb.GetIdentityRequest())


async def is_good(api, secret):
    try:
        await identity(api, secret)
    except grpc.aio.AioRpcError as error:
        if error.code() != grpc.StatusCode.UNAUTHENTICATED:
            raise
        return False
    return True


async def aged(api, secret, column, seconds):
    """As if that were so long ago."""
    await api.sql(
        f"UPDATE sessions SET {column} = now() - make_interval(secs => :s) WHERE hash = :h", s=seconds, h=digest(secret)
    )


async def test_a_session_opens_a_workspace_to_a_person(api, tenant):
    """And says who they are, what they may do, and where else they belong."""
    person = await api.member(tenant, email="nora@example.com")
    who = await identity(api, person.secret)

    assert who.workspace == pb.Workspace(id=str(tenant.id), name="acme")
    assert (who.user.email, who.user.name, who.role) == ("nora@example.com", "nora@example.com", pb.ROLE_ADMIN)
    assert list(who.workspaces) == [pb.WorkspaceMembership(id=str(tenant.id), name="acme", role=pb.ROLE_ADMIN)]
    assert not who.HasField("token")


async def test_a_token_says_what_it_may_do(tenant):
    """In its own workspace, and is no user."""
    who = await tenant.editor.GetIdentity(pb.GetIdentityRequest())

    assert who.role == pb.ROLE_EDITOR
    assert [workspace.id for workspace in who.workspaces] == [str(tenant.id)]
    assert not who.HasField("user")


async def test_a_secret_is_kept_as_a_hash(api, tenant):
    """No table holds it."""
    person = await api.member(tenant)
    [(row,)] = await api.sql("SELECT s::text FROM sessions s WHERE user_id = :id", id=int(person.user_id))

    assert person.secret.startswith("mls_")
    assert len(person.secret) == 47
    assert person.secret not in row


async def test_only_services_begin_and_end_sessions(tenant):
    """No token or session does."""
    calls = {
        "SignIn": pb.SignInRequest(issuer=ISSUER, subject="x", email="x@example.com", email_verified=True),
        "SignInLocally": pb.SignInLocallyRequest(),
        "RevokeSession": pb.RevokeSessionRequest(),
    }
    refusals = {name: await refused(getattr(tenant.admin, name)(request)) for name, request in calls.items()}

    assert {refusal.code for refusal in refusals.values()} == {grpc.StatusCode.PERMISSION_DENIED}


async def test_an_address_that_is_not_verified_gets_nowhere(api, tenant):
    """Even where it is invited: whoever typed it in may not be who reads it."""
    invited = pb.InviteMemberRequest(email="eve@example.com", role=pb.ROLE_ADMIN)
    await tenant.admin.InviteMember(invited)
    refusal = await refused(api.sign_in("eve@example.com", email_verified=False))

    assert (refusal.code, refusal.reason) == (grpc.StatusCode.PERMISSION_DENIED, "EMAIL_UNVERIFIED")
    assert len((await tenant.admin.ListInvitations(pb.ListInvitationsRequest())).invitations) == 1


async def test_a_stranger_is_refused_and_not_kept(api):
    """Where sign-up is off, which it is unless it is set."""
    refusal = await refused(api.sign_in("stranger@example.com"))

    assert (refusal.code, refusal.reason) == (grpc.StatusCode.PERMISSION_DENIED, "NOT_A_MEMBER")
    assert not await api.sql("SELECT 1 FROM users WHERE email = 'stranger@example.com'")


async def test_sign_up_gives_a_stranger_a_workspace_of_their_own(api):
    """As its admin; the next sign-in opens the same, also where two come at once."""
    api.identities._sign_up = True
    secrets = await asyncio.gather(*(api.sign_in("new@example.com", name="Noa Vale") for _ in range(3)))
    found = [await identity(api, secret) for secret in secrets]

    assert {(who.workspace.name, who.role) for who in found} == {("Noa Vale's workspace", pb.ROLE_ADMIN)}
    assert len({who.workspace.id for who in found}) == 1


async def test_who_is_invited_joins_where_sign_up_is_on(api, tenant):
    """And gets no workspace beside."""
    api.identities._sign_up = True
    person = await api.member(tenant)

    assert [each.id for each in (await identity(api, person.secret)).workspaces] == [str(tenant.id)]


async def test_a_person_is_a_subject_of_an_issuer_not_an_address(api, tenant):
    """An address may change hands, and a person may change theirs."""
    person = await api.member(tenant, email="first@example.com")
    moved = await identity(api, await api.sign_in("married@example.com", subject=person.email))
    others = [
        await refused(api.sign_in(person.email, subject="another")),
        await refused(api.sign_in(person.email, issuer="https://other.example.com")),
    ]

    assert (moved.user.id, moved.user.email) == (person.user_id, "married@example.com")
    assert {refusal.reason for refusal in others} == {"NOT_A_MEMBER"}


async def test_everything_that_a_provider_tells_has_a_form(api):
    """All that is bad is said at once."""
    refusal = await refused(
        api.sign_in("no address", issuer="local", subject="", name="x" * 201, picture="http://example.com/x.png")
    )

    assert set(refusal.fields) == {"issuer", "subject", "email", "name", "picture"}


async def test_a_sign_in_ends_the_session_that_it_replaces(api, tenant):
    """And begins one with another secret."""
    person = await api.member(tenant)
    again = await api.sign_in(person.email, previous_secret=person.secret)

    assert again != person.secret
    assert not await is_good(api, person.secret)
    assert await is_good(api, again)


async def test_a_person_who_is_removed_while_they_sign_in_again_does_not_come_in(api, tenant):
    """Neither call fails for the other: both lock the membership first, and then what it holds."""
    person = await api.member(tenant)
    async with api.engine.begin() as removal:
        await removal.execute(
            text("SELECT 1 FROM memberships WHERE user_id = :id FOR UPDATE"), {"id": int(person.user_id)}
        )
        again = asyncio.create_task(refused(api.sign_in(person.email, previous_secret=person.secret)))
        async with asyncio.timeout(10):
            while not await api.sql("SELECT 1 FROM pg_locks WHERE NOT granted"):
                await asyncio.sleep(0.01)
        await removal.execute(text("DELETE FROM memberships WHERE user_id = :id"), {"id": int(person.user_id)})

    assert (await again).reason == "NOT_A_MEMBER"


async def test_a_revoked_session_opens_nothing(api, tenant):
    """Revoking it again changes nothing; the person's other sessions stay."""
    person = await api.member(tenant)
    other = await api.sign_in(person.email)
    for _ in range(2):
        await api.service.RevokeSession(pb.RevokeSessionRequest(secret=person.secret))

    assert not await is_good(api, person.secret)
    assert await is_good(api, other)
    assert (
        len(await api.sql("SELECT 1 FROM audit WHERE verb = 'session.revoke' AND workspace_id = :w", w=tenant.id)) == 1
    )


@pytest.mark.parametrize(
    ("column", "limit_s"), [("use_time", SESSION_LIMITS.idle_s), ("create_time", SESSION_LIMITS.absolute_s)]
)
async def test_a_session_ends_by_disuse_and_by_age(api, tenant, column, limit_s):
    """To the second."""
    person = await api.member(tenant)
    await aged(api, person.secret, column, limit_s - 30)
    before = await is_good(api, person.secret)
    await aged(api, person.secret, column, limit_s + 1)

    assert before
    assert not await is_good(api, person.secret)


async def test_a_session_ends_when_its_answer_said(api, tenant):
    """Which is what the cookie goes by."""
    person = await api.member(tenant)
    request = pb.SignInRequest(issuer=ISSUER, subject=person.email, email=person.email, email_verified=True)
    session = (await api.service.SignIn(request)).session
    [(left_s,)] = await api.sql(
        "SELECT extract(epoch FROM expire_time - now()) FROM sessions WHERE hash = :h", h=digest(session.secret)
    )
    await api.sql("UPDATE sessions SET expire_time = now() WHERE hash = :h", h=digest(session.secret))

    assert SESSION_LIMITS.absolute_s - 60 < left_s <= SESSION_LIMITS.absolute_s
    assert not await is_good(api, session.secret)


async def test_use_keeps_a_session(api, tenant):
    """It is noted beside the call, once a minute."""
    person = await api.member(tenant)
    await aged(api, person.secret, "use_time", SESSION_LIMITS.idle_s - 30)
    await identity(api, person.secret)
    noted = "SELECT 1 FROM sessions WHERE hash = :h AND use_time > now() - interval '1 min'"
    while not await api.sql(noted, h=digest(person.secret)):
        await asyncio.sleep(0.01)

    assert await is_good(api, person.secret)


async def test_a_person_has_a_bounded_number_of_sessions(api, tenant, monkeypatch):
    """The one that was not used for longest makes room."""
    monkeypatch.setattr(sessions, "MAX_SESSIONS", 2)
    person = await api.member(tenant)
    second = await api.sign_in(person.email)
    await aged(api, second, "use_time", 600)
    third = await api.sign_in(person.email)

    assert [await is_good(api, secret) for secret in (person.secret, second, third)] == [True, False, True]


async def test_a_session_switches_between_its_persons_workspaces(api, tenant):
    """With the role that they have there; the next sign-in opens the one that was entered last."""
    other = await api.tenant("globex")
    person = await api.member(tenant, email="both@example.com")
    await other.admin.InviteMember(pb.InviteMemberRequest(email=person.email, role=pb.ROLE_VIEWER))
    secret = await api.sign_in(person.email)
    switch = pb.SwitchWorkspaceRequest
    back = await api.client(secret).SwitchWorkspace(switch(workspace_id=str(tenant.id)))
    there = await api.client(secret).SwitchWorkspace(switch(workspace_id=str(other.id)))
    who = await identity(api, secret)

    assert (back.workspace.id, back.role) == (str(tenant.id), pb.ROLE_ADMIN)
    assert (there.workspace.id, there.role) == (str(other.id), pb.ROLE_VIEWER)
    assert (who.workspace.id, who.role, len(who.workspaces)) == (str(other.id), pb.ROLE_VIEWER, 2)
    assert (await identity(api, await api.sign_in(person.email))).workspace.id == str(other.id)
    assert (await identity(api, person.secret)).workspace.id == str(tenant.id)


async def test_a_token_switches_to_its_own_workspace_only(api, tenant):
    """Where it is already."""
    other = await api.tenant("other")
    own = await tenant.viewer.SwitchWorkspace(pb.SwitchWorkspaceRequest(workspace_id=str(tenant.id)))
    refusal = await refused(tenant.viewer.SwitchWorkspace(pb.SwitchWorkspaceRequest(workspace_id=str(other.id))))

    assert (own.workspace.id, own.role) == (str(tenant.id), pb.ROLE_VIEWER)
    assert refusal.reason == "WORKSPACE_NOT_FOUND"


async def test_the_person_at_the_machine_is_an_admin_of_the_oldest_workspace(api, tenant):
    """The same person each time, and one that no provider can name."""
    answers = [await api.service.SignInLocally(pb.SignInLocallyRequest()) for _ in range(2)]
    found = [await identity(api, answer.session.secret) for answer in answers]
    [(oldest,)] = await api.sql("SELECT min(id) FROM workspaces")

    assert {(who.workspace.id, who.role, who.user.email) for who in found} == {(str(oldest), pb.ROLE_ADMIN, "")}
    assert len({who.user.id for who in found}) == 1
    assert {(answer.session.secret[:4], len(answer.session.secret)) for answer in answers} == {("mll_", 47)}


async def test_an_admin_who_is_a_person_can_make_tokens_so_the_last_admin_token_may_go(api):
    """Somebody can still make another one."""
    tenant = await api.tenant()
    await api.member(tenant)
    own = (await tenant.admin.GetIdentity(pb.GetIdentityRequest())).token
    revoked = await tenant.admin.RevokeToken(pb.RevokeTokenRequest(token_id=own.id))

    assert revoked.token.HasField("revoke_time")


async def test_who_sits_at_the_machine_is_no_admin_for_whom_the_last_admin_token_may_go(api, tenant):
    """They cannot come in once there is a provider: nobody could make tokens any more."""
    await api.service.SignInLocally(pb.SignInLocallyRequest())
    local = "INSERT INTO memberships (workspace_id, user_id, role) SELECT :w, id, :r FROM users WHERE issuer = 'local'"
    await api.sql(f"{local} ON CONFLICT DO NOTHING", w=tenant.id, r=int(Role.ADMIN))
    own = (await tenant.admin.GetIdentity(pb.GetIdentityRequest())).token
    refusal = await refused(tenant.admin.RevokeToken(pb.RevokeTokenRequest(token_id=own.id)))

    assert refusal.reason == "LAST_ADMIN_TOKEN"
