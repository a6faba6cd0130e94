"""The audit over gRPC: who changed what, and when."""

from maillane.scheduler.v1 import audit_service_pb2 as pb
from maillane.scheduler.v1 import campaign_service_pb2 as campaign_pb
from maillane.scheduler.v1 import identity_service_pb2 as identity_pb

from .making import make_campaign, start
from .scheduler_api import refused


async def entries(client, **filters):
    """All entries, page by page."""
    found, token = [], ""
    while True:
        page = await client.ListAudit(pb.ListAuditRequest(page_size=2, page_token=token, **filters))
        found += page.entries
        token = page.next_page_token
        if not token:
            return found


async def test_every_verb_leaves_an_entry_the_newest_first(tenant):
    """With the token that did it, and from where its call came; what changed nothing leaves none."""
    campaign = await make_campaign(tenant.editor, 1)
    await start(tenant.editor, campaign.id)
    for _ in range(2):
        await tenant.editor.PauseCampaign(campaign_pb.PauseCampaignRequest(campaign_id=campaign.id))
    await tenant.admin.StopWorkspace(identity_pb.StopWorkspaceRequest())
    await tenant.admin.ResumeWorkspace(identity_pb.ResumeWorkspaceRequest())

    found = await entries(tenant.admin)
    assert [(entry.verb, entry.resource, entry.token_name) for entry in found] == [
        ("workspace.resume", f"workspaces/{tenant.id}", "admin"),
        ("workspace.stop", f"workspaces/{tenant.id}", "admin"),
        ("campaign.pause", f"campaigns/{campaign.id}", "editor"),
        ("campaign.start", f"campaigns/{campaign.id}", "editor"),
        ("campaign.create", f"campaigns/{campaign.id}", "editor"),
        ("mailbox.create", f"mailboxes/{campaign.mailbox_ids[0]}", "editor"),
        *[("token.create", found[-3 + n].resource, "") for n in range(3)],
    ]
    assert all("127.0.0.1" in entry.peer for entry in found[:-3])
    assert [dict(entry.detail) for entry in found[-3:]] == [{"role": "ADMIN"}, {"role": "EDITOR"}, {"role": "VIEWER"}]


async def test_a_filter_leaves_one_resource(tenant):
    """Exactly."""
    campaign = await make_campaign(tenant.editor)

    found = await entries(tenant.admin, resource=f"campaigns/{campaign.id}")
    assert [entry.verb for entry in found] == ["campaign.create"]


async def test_a_bad_filter_is_named(tenant):
    """And so is a page token of another list."""
    page = await tenant.admin.ListAudit(pb.ListAuditRequest(page_size=1))
    request = pb.ListAuditRequest(resource="x" * 101, page_token=page.next_page_token)

    assert set((await refused(tenant.admin.ListAudit(request))).fields) == {"resource", "page_token"}
