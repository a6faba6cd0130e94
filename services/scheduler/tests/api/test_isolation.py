"""No tenant sees or moves another's rows, and no role does more than it may: for every rpc that there is.

Requests are made from the descriptors, so that a new rpc is covered the day it is added: a field `campaign_id` of any
request gets a campaign of the other workspace, and so on. An rpc that can name nothing of another workspace stands in
WITHOUT_IDS, by hand.
"""

from typing import Any

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message_factory import GetMessageClass
from maillane.options.v1 import access_pb2
from maillane.scheduler.v1 import audit_service_pb2 as audit_pb
from maillane.scheduler.v1 import campaign_service_pb2 as campaign_pb
from maillane.scheduler.v1 import identity_service_pb2 as identity_pb
from maillane.scheduler.v1 import mailbox_service_pb2 as mailbox_pb
from maillane.scheduler.v1 import message_service_pb2 as message_pb
from maillane.scheduler.v1 import overview_service_pb2 as overview_pb
from maillane.scheduler.v1 import suppression_service_pb2 as suppression_pb

from .making import campaign_of, mailbox_of, make_campaign, start
from .scheduler_api import SERVICES, chunks, refused
from .test_message_lists import listed, started
from .test_overview import become

_SERVICE = access_pb2.ACCESS_SERVICE
RPCS = [method for service in SERVICES.values() for method in service.methods]
NAMES = [method.name for method in RPCS]
# Closed to every token, whatever they name.
SERVICES_ONLY = {method.name for method in RPCS if method.GetOptions().Extensions[access_pb2.access] == _SERVICE}
# They name nothing by an id, or answer with the caller's own only; the tests of lists and overviews look at these.
WITHOUT_IDS = {
    "AddSuppressions",
    "CreateMailbox",
    "CreateToken",
    "GetAttention",
    "GetIdentity",
    "GetOverview",
    "ImportSuppressions",
    "InviteMember",
    "ListAudit",
    "ListInvitations",
    "ListMailboxes",
    "ListMembers",
    "ListSuppressions",
    "ListTokens",
    "RemoveSuppression",
    "ResumeWorkspace",
    "StopWorkspace",
    "Unsubscribe",
    "UpdateWorkspace",
    "WatchOverview",
    *SERVICES_ONLY,
}
# Beside ids, what makes a request of an rpc one that would do something.
BODIES: dict[str, dict[str, Any]] = {
    "CreateCampaign": {"campaign": campaign_of()},
    "CreateMailbox": {"mailbox": mailbox_of()},
    "InviteMember": {"email": "x@example.com", "role": identity_pb.ROLE_VIEWER},
    "UpdateMember": {"role": identity_pb.ROLE_VIEWER},
    "UpdateWorkspace": {"name": "x"},
    "CreateToken": {"name": "x", "role": identity_pb.ROLE_VIEWER},
    "UpdateCampaign": {"campaign": campaign_pb.Campaign(name="stolen"), "update_mask": FieldMask(paths=["name"])},
    "UpdateMailbox": {
        "mailbox": mailbox_pb.Mailbox(display_name="stolen"),
        "update_mask": FieldMask(paths=["display_name"]),
    },
    "AddSuppressions": {"emails": ["x@example.com"]},
    "ImportSuppressions": {"rows": [suppression_pb.SuppressionRow(email="x@example.com")]},
    "MoveMessages": {"to_mailbox_ids": ["9" * 9]},
    "PreviewMessage": {"template": campaign_pb.Template(subject="x")},
    "SendTestMessage": {"recipient": "x@example.com"},
    "RemoveSuppression": {"email": "x@example.com"},
    "ResolveMessage": {"resolution": message_pb.RESOLUTION_RESEND},
}


def request_of(rpc, ids):
    """A request with every id that it may hold; None where it may hold none."""
    request: Any = GetMessageClass(rpc.input_type)(**BODIES.get(rpc.name, {}))
    named = [field.name for field in rpc.input_type.fields if field.name in ids]
    for name in named:
        setattr(request, name, ids[name])
    if rpc.name == "CreateCampaign":
        request.campaign.mailbox_ids.append(ids["mailbox_id"])
        named.append("mailbox_id")
    return request if named else None


async def call(client, rpc, request):
    """The status code that a call ends with."""
    method = getattr(client, rpc.name)
    try:
        if rpc.name == "ImportRecipients":
            await method(chunks(request.campaign_id, ["x@example.com"]))
        elif rpc.client_streaming:
            await method(iter([request]))
        elif rpc.server_streaming:
            stream = method(request)
            await stream.read()
            stream.cancel()
        else:
            await method(request)
    except grpc.aio.AioRpcError as error:
        return error.code()
    return grpc.StatusCode.OK


async def belongings(api, tenant):
    """Ids of one of each kind that a workspace has, by the names of the fields that take them."""
    person = await api.member(tenant)
    invite = identity_pb.InviteMemberRequest(email="invited@example.com", role=identity_pb.ROLE_EDITOR)
    campaign = await make_campaign(tenant.editor, 1)
    await start(tenant.editor, campaign.id)
    messages = await tenant.viewer.ListMessages(message_pb.ListMessagesRequest())
    token = await tenant.admin.CreateToken(identity_pb.CreateTokenRequest(name="x", role=identity_pb.ROLE_VIEWER))
    return {
        "campaign_id": campaign.id,
        "mailbox_id": campaign.mailbox_ids[0],
        "message_id": messages.messages[0].id,
        "token_id": token.token.id,
        "workspace_id": str(tenant.id),
        "user_id": person.user_id,
        "invitation_id": (await tenant.admin.InviteMember(invite)).invitation.id,
    }


async def snapshot(api, workspace_id):
    """All that a workspace has."""
    tables = (
        "campaigns t WHERE workspace_id = :w",
        "mailboxes t WHERE workspace_id = :w",
        "tokens t WHERE workspace_id = :w",
        "memberships t WHERE workspace_id = :w",
        "sessions t WHERE workspace_id = :w",
        "invitations t WHERE workspace_id = :w",
        "workspaces t WHERE id = :w",
        "suppressions t WHERE workspace_id = :w",
        "messages t WHERE campaign_id IN (SELECT id FROM campaigns WHERE workspace_id = :w)",
        "lanes t WHERE campaign_id IN (SELECT id FROM campaigns WHERE workspace_id = :w)",
    )
    drop = "- 'last_use_time' - 'queue_revision'"
    return [await api.sql(f"SELECT to_jsonb(t) {drop} FROM {table} ORDER BY 1", w=workspace_id) for table in tables]


@pytest.mark.parametrize("kind", ["token", "person"])
async def test_another_workspaces_ids_are_not_found_and_nothing_changes(api, tenant, kind):
    """Whatever the rpc, and with a token, or as a person, that may do everything in its own workspace."""
    caller = tenant.admin if kind == "token" else (await api.member(tenant)).client
    other = await api.tenant("other")
    ids = await belongings(api, other)
    await api.sync.close()
    before = await snapshot(api, other.id)
    codes = {
        rpc.name: await call(caller, rpc, request) for rpc in RPCS if (request := request_of(rpc, ids)) is not None
    }

    assert {name for name, code in codes.items() if code != grpc.StatusCode.NOT_FOUND} == set()
    assert set(NAMES) - set(codes) == WITHOUT_IDS
    assert await snapshot(api, other.id) == before


async def test_each_id_of_another_workspace_is_not_found_by_itself(api, tenant):
    """A list with a filter of another workspace does not hide behind its other filters."""
    ids = await belongings(api, await api.tenant("other"))
    codes = {
        (rpc.name, name): await call(tenant.admin, rpc, request)
        for rpc in RPCS
        for name, value in ids.items()
        if rpc.name.startswith("List") and (request := request_of(rpc, {name: value})) is not None
    }

    assert len(codes) == 3
    assert set(codes.values()) == {grpc.StatusCode.NOT_FOUND}


async def test_lists_show_only_ones_own(api, tenant):
    """Each list of a new workspace is empty, or holds its own tokens."""
    other = await api.tenant("other")
    await belongings(api, other)
    await other.editor.AddSuppressions(suppression_pb.AddSuppressionsRequest(emails=["x@example.com"]))
    await tenant.editor.RemoveSuppression(suppression_pb.RemoveSuppressionRequest(email="x@example.com"))
    client = tenant.admin

    assert {entry.token_name for entry in (await client.ListAudit(audit_pb.ListAuditRequest())).entries} == {""}
    assert not (await client.ListCampaigns(campaign_pb.ListCampaignsRequest())).campaigns
    assert not (await client.ListMailboxes(mailbox_pb.ListMailboxesRequest())).mailboxes
    assert not (await client.ListMessages(message_pb.ListMessagesRequest())).messages
    assert not (await client.ListSuppressions(suppression_pb.ListSuppressionsRequest())).suppressions
    assert not (await client.ListMembers(identity_pb.ListMembersRequest())).members
    assert not (await client.ListInvitations(identity_pb.ListInvitationsRequest())).invitations
    assert len((await client.ListTokens(identity_pb.ListTokensRequest())).tokens) == 3
    assert len((await other.viewer.ListSuppressions(suppression_pb.ListSuppressionsRequest())).suppressions) == 1
    assert (await client.GetIdentity(identity_pb.GetIdentityRequest())).workspace.id == str(tenant.id)


async def test_what_goes_over_a_workspace_shows_only_ones_own(api, tenant):
    """Messages in each order and as a file, its overview, decisions and use: all empty beside another's."""
    other = await api.tenant("other")
    ids = await belongings(api, other)
    await become(api, ids["campaign_id"], [("r0", 4, 552, "552 5.2.2 full")])
    totals = overview_pb.Overview(scheduled=0, sent=0, attention=0, active_campaigns=0)

    async def seen(client):
        usage = await client.GetUsage(overview_pb.GetUsageRequest())
        overview = (await client.GetOverview(overview_pb.GetOverviewRequest())).overview
        stream = client.WatchOverview(overview_pb.WatchOverviewRequest())
        watched = (await stream.read()).overview
        stream.cancel()
        return [
            *[
                bool((await client.ListMessages(message_pb.ListMessagesRequest(order=order, query="r"))).messages)
                for order in (message_pb.MESSAGE_ORDER_CAMPAIGN, message_pb.MESSAGE_ORDER_LATEST)
            ],
            len([part async for part in client.ExportMessages(message_pb.ExportMessagesRequest())]) > 1,
            bool((await client.GetAttention(overview_pb.GetAttentionRequest())).decisions),
            bool(usage.hours) and bool(usage.mailboxes),
            overview != totals and watched != totals,
        ]

    assert await seen(other.viewer) == [True] * 6
    assert await seen(tenant.viewer) == [False] * 6


async def test_what_waits_elsewhere_is_not_listed(api, tenant):
    """In the order of leaving, which asks the queue, which knows no workspaces."""
    other = await api.tenant("other")
    await started(other, ["a@x.example", "b@x.example"])
    await started(tenant, ["c@x.example"])

    found = await listed(tenant.viewer, order=message_pb.MESSAGE_ORDER_LEAVING)

    assert [message.recipient for message in found] == ["c@x.example"]


async def test_ids_of_others_are_not_found_within_what_is_ones_own(api, tenant):
    """A plan with their mailbox, and one's own campaign as their recipient would get it."""
    ids = await belongings(api, await api.tenant("other"))
    own = await make_campaign(tenant.editor, 1)
    plan = campaign_pb.ForecastCampaignRequest(campaign=campaign_pb.Campaign(mailbox_ids=[ids["mailbox_id"]]))
    shown = campaign_pb.PreviewMessageRequest(campaign_id=own.id, message_id=ids["message_id"])

    assert (await refused(tenant.viewer.ForecastCampaign(plan))).reason == "MAILBOX_NOT_FOUND"
    assert (await refused(tenant.viewer.PreviewMessage(shown))).reason == "MESSAGE_NOT_FOUND"


async def test_decisions_are_about_ones_own(api, tenant):
    """Unconfirmed messages, failures, campaigns and mailboxes that stopped, where another workspace has each too."""
    for each in (tenant, await api.tenant("other")):
        own = [await make_campaign(each.editor, 2) for _ in range(2)]
        await become(api, own[0].id, [("r0", 4, 552, "552 5.2.2 full"), ("r1", 5, 0, "lost")])
        await api.sql("UPDATE campaigns SET state = 3, state_reason = 'refused' WHERE id = :id", id=int(own[1].id))
        await api.sql("UPDATE mailboxes SET stop_reason = 2, stop_time = now() WHERE id = :id",
                      id=int(own[1].mailbox_ids[0]))  # fmt: skip
        found = await each.viewer.GetAttention(overview_pb.GetAttentionRequest())

        assert [group.campaign_id for group in (*found.failures, *found.unconfirmed)] == [own[0].id] * 2
        assert [group.campaign_id for group in found.campaigns] == [own[1].id]
        assert [group.mailbox_id for group in found.mailboxes] == list(own[1].mailbox_ids)


@pytest.mark.parametrize("role", ["viewer", "editor", "admin"])
async def test_each_role_opens_what_its_protos_say(tenant, role):
    """Roles contain each other; what is too much for a role is refused before anything is looked at."""
    rank = {"viewer": access_pb2.ACCESS_VIEWER, "editor": access_pb2.ACCESS_EDITOR, "admin": access_pb2.ACCESS_ADMIN}
    kinds = ("campaign", "mailbox", "message", "token", "workspace", "user", "invitation")
    nothing = {f"{kind}_id": "9" * 9 for kind in kinds}
    wrong = []
    for rpc in RPCS:
        least = rpc.GetOptions().Extensions[access_pb2.access]
        request = request_of(rpc, nothing) or GetMessageClass(rpc.input_type)(**BODIES.get(rpc.name, {}))
        code = await call(getattr(tenant, role), rpc, request)
        is_closed = least != access_pb2.ACCESS_OPEN and rank[role] < least
        if (code == grpc.StatusCode.PERMISSION_DENIED) != is_closed:
            wrong.append((rpc.name, code))

    assert not wrong
