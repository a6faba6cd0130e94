"""Tests: each a campaign of its own, of one message, that no list shows.

So a test goes through the ordinary queue under every rule that there is (limits, parks, suppressions, replays), its
template is a snapshot, and nothing of the campaign that it is of changes by it.
"""

import secrets
from dataclasses import dataclass

from maillane_chassis.errors import FailedPrecondition, ResourceExhausted, Violation
from sqlalchemy import func, insert, literal_column, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from maillane_scheduler.campaign import Campaign
from maillane_scheduler.states import CampaignKind, CampaignState
from maillane_scheduler.store import audit, lane_plans, mailboxes, recipient_reads, recipients, tables
from maillane_scheduler.store.audit import Actor
from maillane_scheduler.store.recipients import Added
from maillane_scheduler.validation.campaigns import check_complete, needed_variables
from maillane_scheduler.validation.previews import As
from maillane_scheduler.validation.recipients import Row

# Of a workspace, that have not left yet: a person looks at a few, and a paused mailbox must not gather them for ever.
MAX_OPEN = 100
# A test that leaves an hour later surprises more than it tells.
EXPIRE_S = 3600
_KEY_BYTES = 8

_CAMPAIGNS = tables.campaigns


@dataclass(frozen=True, slots=True)
class Made:
    """A test that was made: its campaign, its message, and what the queue must be told."""

    campaign_id: int
    message_id: int
    added: Added


async def make(
    connection: AsyncConnection, actor: Actor, campaign: Campaign, mailbox_id: int | None, row: Row, *, has_links: bool
) -> Made:
    """Makes a test of a campaign as it is given, due at once.

    Args:
        mailbox_id: from which; None: the campaign's first.
        row: to whom, with the values.

    Raises:
        NotFound: MAILBOX_NOT_FOUND, the workspace has no such mailbox.
        FailedPrecondition: CAMPAIGN_INCOMPLETE or VARIABLES_MISSING.
        ResourceExhausted: TOO_MANY_TESTS.
    """
    chosen = (mailbox_id,) if mailbox_id is not None else campaign.plan.mailbox_ids[:1]
    check_complete(campaign.plan.template, chosen, has_links=has_links)
    _check_variables(campaign, row)
    await _check_open(connection, actor.workspace_id)
    await mailboxes.share(connection, actor.workspace_id, chosen)
    test_id = await _create(connection, campaign)
    await lane_plans.create(connection, test_id, chosen)
    await lane_plans.begin(connection, test_id)
    target = await recipients.target(connection, actor.workspace_id, test_id, kind=CampaignKind.TEST)
    added = await recipients.add(connection, target, [row])
    [[(message_id, _)]] = added.messages().values()
    detail = {"message": message_id}
    await audit.record(connection, actor, "campaign.send_test", f"campaigns/{campaign.id}", detail)
    return Made(test_id, message_id, added)


async def values(connection: AsyncConnection, campaign: Campaign, as_whom: As) -> dict[str, str]:
    """Whose values a test is sent with.

    Raises:
        NotFound: RECIPIENT_NOT_FOUND.
    """
    if as_whom.sample is not None:
        return as_whom.sample.variables
    if as_whom.index is None and not campaign.counts.total:
        return {}
    return (await recipient_reads.nth(connection, campaign.id, as_whom.index or 0)).variables


async def expire(connection: AsyncConnection) -> list[int]:
    """Cancels tests that have not left within EXPIRE_S; returns their campaigns, whose messages are still to turn."""
    overdue = (
        (_CAMPAIGNS.c.kind == int(CampaignKind.TEST))
        & _CAMPAIGNS.c.state.in_((int(CampaignState.ACTIVE), int(CampaignState.PAUSED)))
        & (_CAMPAIGNS.c.create_time < func.now() - literal_column(f"interval '{EXPIRE_S} seconds'"))
    )
    ended = {
        "state": int(CampaignState.CANCELLED),
        "state_reason": "a test that has not left within an hour is cancelled",
        "state_actor": "",
        "end_time": func.now(),
        "revision": _CAMPAIGNS.c.revision + 1,
    }
    done = await connection.execute(update(_CAMPAIGNS).where(overdue).values(ended).returning(_CAMPAIGNS.c.id))
    return list(done.scalars())


async def _create(connection: AsyncConnection, campaign: Campaign) -> int:
    template = campaign.plan.template
    row = insert(_CAMPAIGNS).values(
        workspace_id=campaign.workspace_id,
        key=secrets.token_hex(_KEY_BYTES),
        name=campaign.plan.name,
        subject=template.subject,
        text=template.text,
        html=template.html,
        delay_us=0,
        kind=int(CampaignKind.TEST),
        state=int(CampaignState.ACTIVE),
    )
    return int((await connection.execute(row.returning(_CAMPAIGNS.c.id))).scalar_one())


async def _check_open(connection: AsyncConnection, workspace_id: int) -> None:
    """One after the other in a workspace, until each has committed: two that count at once would both see room."""
    workspace = select(tables.workspaces.c.id).where(tables.workspaces.c.id == workspace_id)
    await connection.execute(workspace.with_for_update(key_share=True))
    waiting = select(func.count()).where(
        _CAMPAIGNS.c.workspace_id == workspace_id,
        # As numbers, so that the planner finds the index of just these.
        _CAMPAIGNS.c.kind == literal_column("2"),
        _CAMPAIGNS.c.state.in_([literal_column("2"), literal_column("3")]),
    )
    if (await connection.execute(waiting)).scalar_one() >= MAX_OPEN:
        raise ResourceExhausted(f"{MAX_OPEN} tests of this workspace have not left yet", reason="TOO_MANY_TESTS")


def _check_variables(campaign: Campaign, row: Row) -> None:
    missing = [name for name in needed_variables(campaign.plan.template) if name not in row.names]
    if missing:
        raise FailedPrecondition(
            f"the test lacks variables that the template needs: {', '.join(missing)}",
            reason="VARIABLES_MISSING",
            violations=[Violation(f"variables.{name}", "must be given, or have a fallback") for name in missing],
        )
