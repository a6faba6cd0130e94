"""Members and invitations over gRPC: invited, joined, changed, removed."""

import asyncio

import grpc
import pytest
from maillane.scheduler.v1 import identity_service_pb2 as pb
from maillane_scheduler.api_token import Role
from maillane_scheduler.store import invitations

from .scheduler_api import refused


async def invite(client, email, role=pb.ROLE_EDITOR):
    return (await client.InviteMember(pb.InviteMemberRequest(email=email, role=role))).invitation


async def members(client):
    return (await client.ListMembers(pb.ListMembersRequest())).members


async def open_invitations(client):
    return (await client.ListInvitations(pb.ListInvitationsRequest())).invitations


async def set_role(client, user_id, role):
    return (await client.UpdateMember(pb.UpdateMemberRequest(user_id=user_id, role=role))).member


async def remove(client, user_id):
    await client.RemoveMember(pb.RemoveMemberRequest(user_id=user_id))


async def test_an_invitation_makes_a_member_of_whoever_signs_in_with_the_address(api, tenant):
    """In whatever case; and is then used up."""
    await invite(tenant.admin, "Mira@Example.com")
    secret = await api.sign_in("mira@EXAMPLE.com", name="Mira Holm", picture="https://example.com/mira.png")
    who = await api.client(secret).GetIdentity(pb.GetIdentityRequest())
    [member] = await members(tenant.viewer)

    assert member.user == who.user
    assert (member.user.email, member.user.name) == ("mira@example.com", "Mira Holm")
    assert member.user.picture == "https://example.com/mira.png"
    assert member.role == pb.ROLE_EDITOR
    assert not await open_invitations(tenant.viewer)


async def test_inviting_again_replaces_the_role(tenant):
    """One invitation an address, with its whole time before it."""
    first = await invite(tenant.admin, "lena@example.com", pb.ROLE_VIEWER)
    again = await invite(tenant.admin, "LENA@example.com", pb.ROLE_ADMIN)
    [listed] = await open_invitations(tenant.viewer)

    assert (listed.id, listed.email, listed.role) == (first.id, "lena@example.com", pb.ROLE_ADMIN)
    assert listed == again
    assert listed.expire_time.seconds - listed.create_time.seconds == invitations.LASTS_DAYS * 86_400


async def test_an_invitation_that_was_revoked_or_has_expired_makes_nobody_a_member(api, tenant):
    """Revoking it twice finds nothing the second time."""
    revoked = await invite(tenant.admin, "revoked@example.com")
    expired = await invite(tenant.admin, "expired@example.com")
    request = pb.RevokeInvitationRequest(invitation_id=revoked.id)
    await tenant.admin.RevokeInvitation(request)
    await api.sql("UPDATE invitations SET expire_time = now() WHERE id = :id", id=int(expired.id))
    refusals = [await refused(api.sign_in(email)) for email in ("revoked@example.com", "expired@example.com")]

    assert {refusal.reason for refusal in refusals} == {"NOT_A_MEMBER"}
    assert (await refused(tenant.admin.RevokeInvitation(request))).reason == "INVITATION_NOT_FOUND"
    assert not await open_invitations(tenant.viewer)


async def test_a_member_is_not_invited(api, tenant):
    """ALREADY_A_MEMBER."""
    person = await api.member(tenant)
    refusal = await refused(invite(tenant.admin, person.email.upper()))

    assert (refusal.code, refusal.reason) == (grpc.StatusCode.ALREADY_EXISTS, "ALREADY_A_MEMBER")


async def test_an_address_and_a_role_are_needed(tenant):
    """Both are said at once."""
    refusal = await refused(invite(tenant.admin, "nobody", pb.ROLE_UNSPECIFIED))

    assert set(refusal.fields) == {"email", "role"}


async def test_a_workspace_has_a_bounded_number_of_members_and_invitations(api, tenant, monkeypatch):
    """Inviting one of them again takes no place."""
    monkeypatch.setattr(invitations, "MAX_MEMBERS", 2)
    await api.member(tenant)
    await invite(tenant.admin, "second@example.com")
    await invite(tenant.admin, "second@example.com")
    refusal = await refused(invite(tenant.admin, "third@example.com"))

    assert (refusal.code, refusal.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_MEMBERS")


async def test_a_role_holds_from_the_next_call_on(api, tenant):
    """Up and down, in the session that is open."""
    person = await api.member(tenant, Role.VIEWER)
    before = await refused(invite(person.client, "x@example.com"))
    await set_role(tenant.admin, person.user_id, pb.ROLE_ADMIN)
    await invite(person.client, "x@example.com")
    await api.member(tenant, Role.ADMIN)
    await set_role(tenant.admin, person.user_id, pb.ROLE_EDITOR)
    after = await refused(invite(person.client, "y@example.com"))

    assert before.reason == after.reason == "ROLE_TOO_SMALL"
    assert (await person.client.GetIdentity(pb.GetIdentityRequest())).role == pb.ROLE_EDITOR


async def test_a_member_that_is_removed_is_out_at_once(api, tenant):
    """And is told so when it signs in again."""
    await api.member(tenant)
    person = await api.member(tenant)
    await remove(tenant.admin, person.user_id)
    refusal = await refused(person.client.GetIdentity(pb.GetIdentityRequest()))

    assert refusal.code == grpc.StatusCode.UNAUTHENTICATED
    assert (await refused(api.sign_in(person.email))).reason == "NOT_A_MEMBER"
    assert person.user_id not in {member.user.id for member in await members(tenant.viewer)}


async def test_who_sits_at_the_machine_is_no_admin_that_others_can_count_on(api, tenant):
    """Where there is a provider, they cannot come in."""
    person = await api.member(tenant)
    await api.sql(
        "WITH u AS (INSERT INTO users (issuer, subject, email, name, picture) VALUES ('local', 'local', '', 'L', '')"
        " ON CONFLICT (issuer, subject) DO UPDATE SET name = 'L' RETURNING id)"
        " INSERT INTO memberships (workspace_id, user_id, role) SELECT :w, id, 3 FROM u",
        w=tenant.id,
    )

    assert (await refused(remove(tenant.admin, person.user_id))).reason == "LAST_ADMIN"


@pytest.mark.parametrize("leave", ["lowered", "removed"])
async def test_the_last_admin_stays(api, tenant, leave):
    """Also where the last two leave at the same time."""
    people = [await api.member(tenant) for _ in range(2)]

    async def go(user_id):
        await (remove(tenant.admin, user_id) if leave == "removed" else set_role(tenant.admin, user_id, pb.ROLE_VIEWER))

    results = await asyncio.gather(*(refused(go(person.user_id)) for person in people), return_exceptions=True)
    admins = [member for member in await members(tenant.viewer) if member.role == pb.ROLE_ADMIN]

    assert len(admins) == 1
    assert sorted(getattr(result, "reason", "") for result in results) == ["", "LAST_ADMIN"]


async def test_pages_hold_each_member_and_invitation_once(api, tenant):
    """In the order in which they came."""
    people = [await api.member(tenant) for _ in range(3)]
    invited = [await invite(tenant.admin, f"i{n}@example.com") for n in range(3)]

    async def pages(call, request, field):
        found, token = [], ""
        while True:
            page = await call(request(page_size=2, page_token=token))
            found += getattr(page, field)
            token = page.next_page_token
            if not token:
                return found

    found = await pages(tenant.viewer.ListMembers, pb.ListMembersRequest, "members")
    assert [member.user.id for member in found] == [person.user_id for person in people]
    assert await pages(tenant.viewer.ListInvitations, pb.ListInvitationsRequest, "invitations") == invited


async def test_what_a_user_did_is_in_the_audit_under_its_name(api, tenant):
    """And not under a token's."""
    from maillane.scheduler.v1 import audit_service_pb2 as audit_pb

    person = await api.member(tenant)
    await person.client.UpdateWorkspace(pb.UpdateWorkspaceRequest(name="acme, renamed"))
    found = (await tenant.admin.ListAudit(audit_pb.ListAuditRequest())).entries

    assert [(entry.verb, entry.user_id, entry.user_name, entry.token_id) for entry in found[:3]] == [
        (verb, person.user_id, person.email, "") for verb in ("workspace.update", "session.create", "member.join")
    ]
    assert (await tenant.viewer.GetIdentity(pb.GetIdentityRequest())).workspace.name == "acme, renamed"
