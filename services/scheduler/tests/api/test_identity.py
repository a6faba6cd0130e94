"""Tokens over gRPC: made, shown once, used, revoked."""

import asyncio

import grpc
import pytest
from maillane.scheduler.v1 import identity_service_pb2 as pb
from maillane_scheduler import stopping
from maillane_scheduler.store import identity

from .making import make_campaign, start
from .scheduler_api import refused

ROLES = (pb.ROLE_VIEWER, pb.ROLE_EDITOR, pb.ROLE_ADMIN)


async def make(client, name="mine", role=pb.ROLE_ADMIN):
    return await client.CreateToken(pb.CreateTokenRequest(name=name, role=role))


async def revoke(client, token_id):
    return (await client.RevokeToken(pb.RevokeTokenRequest(token_id=token_id))).token


async def test_a_token_opens_its_workspace_with_its_role(api, tenant):
    """And says who it is."""
    made = await make(tenant.admin, "ci", pb.ROLE_VIEWER)
    who = await api.client(made.secret).GetIdentity(pb.GetIdentityRequest())

    assert who.workspace == pb.Workspace(id=str(tenant.id), name="acme")
    assert (who.token.id, who.token.name, who.token.role) == (made.token.id, "ci", pb.ROLE_VIEWER)


async def test_a_secret_is_shown_once_and_kept_as_a_hash(api, tenant):
    """No list shows it, and no table holds it."""
    made = await make(tenant.admin)
    listed = await tenant.admin.ListTokens(pb.ListTokensRequest())
    rows = await api.sql("SELECT t::text FROM tokens t WHERE id = :id", id=int(made.token.id))

    assert made.secret.startswith("mln_")
    assert len(made.secret) == 47
    assert made.secret not in str(listed)
    assert made.secret not in rows[0][0]


async def test_a_revoked_token_opens_nothing_from_the_next_call_on(api, tenant):
    """Revoking it again changes nothing."""
    made = await make(tenant.admin)
    client = api.client(made.secret)
    await client.GetIdentity(pb.GetIdentityRequest())
    first = await revoke(tenant.admin, made.token.id)
    again = await revoke(tenant.admin, made.token.id)
    refusal = await refused(client.GetIdentity(pb.GetIdentityRequest()))

    assert first.revoke_time == again.revoke_time
    assert refusal.code == grpc.StatusCode.UNAUTHENTICATED


@pytest.mark.parametrize("secret", ["", "x", "mln_" + "a" * 43, "mln_" + "a" * 1000])
async def test_a_secret_that_nobody_was_given_opens_nothing(api, secret):
    """Whatever its form."""
    refusal = await refused(api.client(secret).GetIdentity(pb.GetIdentityRequest()))

    assert refusal.code == grpc.StatusCode.UNAUTHENTICATED


async def test_the_last_admin_token_is_not_revoked(api):
    """Nobody could make another one; also where two are revoked at the same time."""
    tenant = await api.tenant()
    other = await make(tenant.admin)
    own = (await tenant.admin.GetIdentity(pb.GetIdentityRequest())).token
    results = await asyncio.gather(
        revoke(tenant.admin, other.token.id), revoke(tenant.admin, own.id), return_exceptions=True
    )
    left = await api.sql(
        "SELECT count(*) FROM tokens WHERE workspace_id = :w AND role = 3 AND revoke_time IS NULL", w=tenant.id
    )

    # The second may also come too late to be let in at all.
    assert left == [(1,)]
    assert len([result for result in results if isinstance(result, grpc.aio.AioRpcError)]) == 1


async def test_revoking_the_last_admin_token_says_why_not(tenant):
    """LAST_ADMIN_TOKEN."""
    own = (await tenant.admin.GetIdentity(pb.GetIdentityRequest())).token
    refusal = await refused(tenant.admin.RevokeToken(pb.RevokeTokenRequest(token_id=own.id)))

    assert (refusal.code, refusal.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "LAST_ADMIN_TOKEN")


async def test_use_is_noted_once_a_minute(api, tenant):
    """Beside the calls, not before them."""
    made = await make(tenant.admin)
    client = api.client(made.secret)
    used = "SELECT last_use_time FROM tokens WHERE id = :id"
    for _ in range(3):
        await client.GetIdentity(pb.GetIdentityRequest())
    while (first := await api.sql(used, id=int(made.token.id))) == [(None,)]:
        await asyncio.sleep(0.01)
    await client.GetIdentity(pb.GetIdentityRequest())

    assert await api.sql(used, id=int(made.token.id)) == first


async def test_a_name_and_a_role_are_needed(tenant):
    """Both are said at once."""
    refusal = await refused(make(tenant.admin, "", pb.ROLE_UNSPECIFIED))

    assert set(refusal.fields) == {"name", "role"}


async def test_a_workspace_has_a_bounded_number_of_tokens(tenant, monkeypatch):
    """Those that are revoked do not count."""
    monkeypatch.setattr(identity, "MAX_TOKENS", 4)
    fourth = await make(tenant.admin)
    refusal = await refused(make(tenant.admin))
    await revoke(tenant.admin, fourth.token.id)
    await make(tenant.admin)

    assert (refusal.code, refusal.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_TOKENS")


async def test_pages_hold_each_token_once_the_oldest_first(tenant):
    """Also those that are revoked."""
    made = [(await make(tenant.admin, f"t{n}")).token for n in range(3)]
    await revoke(tenant.admin, made[0].id)
    names, token = [], ""
    while True:
        page = await tenant.admin.ListTokens(pb.ListTokensRequest(page_size=2, page_token=token))
        names += [found.name for found in page.tokens]
        token = page.next_page_token
        if not token:
            break

    assert names == ["viewer", "editor", "admin", "t0", "t1", "t2"]


async def stop(client):
    return await client.StopWorkspace(pb.StopWorkspaceRequest())


async def test_a_stopped_workspace_hands_out_nothing_until_it_is_resumed(api, tenant):
    """Whatever its campaigns and mailboxes say; others go on. Stopping it twice is as good as once."""
    campaign = await make_campaign(tenant.editor, 1)
    await start(tenant.editor, campaign.id)
    await api.sync.close()

    async def is_offered():
        return int(campaign.id) in {offer.campaign for offer in (await api.queue.due(1000)).offers}

    before = await is_offered()
    stopped = [await stop(tenant.admin) for _ in range(2)]
    during = await is_offered()
    resumed = await tenant.admin.ResumeWorkspace(pb.ResumeWorkspaceRequest())

    assert (before, during, await is_offered()) == (True, False, True)
    assert [(answer.workspace.stopped, answer.acknowledged, len(answer.holdings)) for answer in stopped] == [
        (True, True, 0)
    ] * 2
    assert not resumed.workspace.stopped
    assert (
        len(await api.sql("SELECT 1 FROM audit WHERE verb = 'workspace.stop' AND workspace_id = :w", w=tenant.id)) == 1
    )


async def test_a_stop_names_who_has_not_acknowledged_it(api, tenant, monkeypatch):
    """A sender that is not heard of; it does not hold the answer up for longer than it may."""
    monkeypatch.setattr(stopping, "WAIT_S", 0.3)
    campaign = await make_campaign(tenant.editor, 3)
    await start(tenant.editor, campaign.id)
    await held(api, campaign.id, "s1")
    answer = await stop(tenant.admin)

    assert not answer.acknowledged
    assert list(answer.holdings) == [pb.SenderHolding(sender_id="s1", messages=3, acknowledged=False)]


async def test_a_sender_that_renews_has_acknowledged_once_it_had_time_to_hand_back(api, tenant, monkeypatch):
    """What it still holds then is in content."""
    monkeypatch.setattr(stopping, "HAND_BACK_S", 0.3)
    campaign = await make_campaign(tenant.editor, 3)
    await start(tenant.editor, campaign.id)
    await held(api, campaign.id, "s2")
    stopped = asyncio.create_task(stop(tenant.admin))
    while not (await api.sql("SELECT stopped FROM workspaces WHERE id = :w", w=tenant.id))[0][0]:
        await asyncio.sleep(0.01)
    while not stopped.done():
        await api.sql("UPDATE claims SET lease_until = lease_until + interval '1 s' WHERE sender_id = 's2'")
        await api.sql(
            "UPDATE messages SET state = 1 WHERE campaign_id = :c AND line = 1 AND state = 2", c=int(campaign.id)
        )
        await asyncio.sleep(0.1)
    answer = stopped.result()

    assert answer.acknowledged
    assert list(answer.holdings) == [pb.SenderHolding(sender_id="s2", messages=2, acknowledged=True)]


async def held(api, campaign_id, sender):
    """What a hand-out of a whole campaign to a sender leaves."""
    await api.sql(
        "WITH m AS (UPDATE messages SET state = 2, token = campaign_id WHERE campaign_id = :id RETURNING id)"
        " INSERT INTO claims (token, claim_id, sender_id, incarnation, lease_until, ids)"
        " SELECT :id, :id, :sender, 'i', now() + interval '1 min', array_agg(id ORDER BY id) FROM m",
        id=int(campaign_id),
        sender=sender,
    )
