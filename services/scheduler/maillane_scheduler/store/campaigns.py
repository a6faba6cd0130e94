"""Campaigns: rows that people see and change, and the verbs that move their states.

Verbs take the campaign's row first, as imports, retries and completion do, so that each of them is before or after each
other. What the queue must be told is marked in the same commit: a revision that differs from queue_revision, and marks
of lanes that are planned anew.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from typing import Any

from maillane_chassis.errors import FailedPrecondition, Failure, NotFound, Violation
from sqlalchemy import ColumnElement, Row, Select, delete, func, insert, literal, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from maillane_scheduler.campaign import Campaign, Changes, Plan, Template
from maillane_scheduler.states import CampaignKind, CampaignState, ParkReason, UnconfirmedPolicy
from maillane_scheduler.store import audit, counts, imports, lane_plans, mailboxes, marks, messages, tables, variables
from maillane_scheduler.store.audit import Actor
from maillane_scheduler.validation.campaigns import Filters, check_startable

# Of template bodies in one page, so that a page of the largest templates is still one message: it ends early instead.
PAGE_BYTES = 2 * 1024 * 1024
_KEY_BYTES = 8

_CAMPAIGNS = tables.campaigns
_LANES = tables.lanes
_PARKS = tables.parks
# Of a state that needs no explanation.
_UNSAID = {"state_reason": "", "state_actor": ""}
# By field, where it stands in an update.
_WHILE_DRAFT = {
    "mailbox_ids": "campaign.mailbox_ids",
    "subject": "campaign.template.subject",
    "text": "campaign.template.text",
    "html": "campaign.template.html",
}


@dataclass(frozen=True, slots=True)
class Page:
    """Campaigns, and whether there are more behind them."""

    campaigns: list[Campaign]
    more: bool


async def create(connection: AsyncConnection, actor: Actor, plan: Plan) -> int:
    """Creates a draft, and returns its id.

    Raises:
        NotFound: MAILBOX_NOT_FOUND.
    """
    row = insert(_CAMPAIGNS).values(
        workspace_id=actor.workspace_id, key=secrets.token_hex(_KEY_BYTES), **_columns(plan)
    )
    await mailboxes.share(connection, actor.workspace_id, plan.mailbox_ids)
    campaign_id = int((await connection.execute(row.returning(_CAMPAIGNS.c.id))).scalar_one())
    await lane_plans.create(connection, campaign_id, plan.mailbox_ids)
    await audit.record(connection, actor, "campaign.create", _name(campaign_id))
    return campaign_id


async def get(connection: AsyncConnection, workspace_id: int, campaign_id: int) -> Campaign:
    """A campaign of the workspace, with its counts.

    Raises:
        NotFound: it has no such campaign.
    """
    row = (await connection.execute(_selected().where(_is(workspace_id, campaign_id)))).first()
    if row is None:
        raise _not_found()
    return _campaign(row)


async def list_page(
    connection: AsyncConnection, workspace_id: int, filters: Filters, before_id: int, limit: int
) -> Page:
    """Campaigns of the workspace with ids below one, the newest first.

    Fewer than `limit` where their bodies are large: pages are cut at PAGE_BYTES, but none is empty that has more behind
    it.

    Raises:
        NotFound: MAILBOX_NOT_FOUND, of the filter.
    """
    size = func.octet_length(_CAMPAIGNS.c.text) + func.octet_length(_CAMPAIGNS.c.html)
    found = (
        select(_CAMPAIGNS.c.id, size)
        .where(
            _CAMPAIGNS.c.workspace_id == workspace_id,
            _CAMPAIGNS.c.id < before_id,
            _CAMPAIGNS.c.kind == int(CampaignKind.CAMPAIGN),
        )
        .order_by(_CAMPAIGNS.c.id.desc())
        .limit(limit + 1)
    )
    if filters.state is not None:
        found = found.where(_CAMPAIGNS.c.state == int(filters.state))
    if filters.query:
        # Not LIKE: what people type holds its wildcards.
        text = func.lower(_CAMPAIGNS.c.name + "\n" + _CAMPAIGNS.c.subject)
        found = found.where(func.strpos(text, func.lower(filters.query)) > 0)
    if filters.mailbox_id is not None:
        await mailboxes.check_known(connection, workspace_id, filters.mailbox_id)
        lane = (_LANES.c.campaign_id == _CAMPAIGNS.c.id) & (_LANES.c.mailbox_id == filters.mailbox_id)
        found = found.where(select(literal(1)).where(lane).exists())
    candidates = (await connection.execute(found)).all()
    sizes = accumulate(bytes_ for _, bytes_ in candidates[:limit])
    fitting = max(1, sum(total <= PAGE_BYTES for total in sizes))
    ids = [campaign_id for campaign_id, _ in candidates[:fitting]]
    rows = await connection.execute(_selected().where(_CAMPAIGNS.c.id.in_(ids)).order_by(_CAMPAIGNS.c.id.desc()))
    return Page([_campaign(row) for row in rows], more=len(candidates) > fitting)


async def change(connection: AsyncConnection, actor: Actor, campaign_id: int, changes: Changes) -> None:
    """Changes a plan: of a draft all of it; of a started campaign what can be, with what has not left planned anew.

    Raises:
        NotFound: the workspace has no such campaign, or no such mailbox (MAILBOX_NOT_FOUND).
        FailedPrecondition: CAMPAIGN_ENDED; CAMPAIGN_NOT_DRAFT, a field is fixed by now; CAMPAIGN_INCOMPLETE, recipients
            would be left without mailboxes.
    """
    await lock(connection, actor.workspace_id, campaign_id)
    campaign = await get(connection, actor.workspace_id, campaign_id)
    _check_changeable(campaign, changes, await _now(connection))
    old, new = campaign.plan, changes.applied(campaign.plan)
    if new.mailbox_ids != old.mailbox_ids:
        await mailboxes.share(connection, actor.workspace_id, new.mailbox_ids)
        await _give_mailboxes(connection, campaign, new.mailbox_ids)
    if campaign.state is not CampaignState.DRAFT:
        await _replan(connection, campaign_id, old, new)
    await _write(connection, campaign_id, **_columns(new))
    if new.hourly_limit != old.hourly_limit:
        await _lift_limits(connection, campaign_id)
    await audit.record(connection, actor, "campaign.update", _name(campaign_id), {"fields": sorted(changes.fields)})


async def remove(connection: AsyncConnection, actor: Actor, campaign_id: int) -> None:
    """Deletes a draft with its recipients.

    Raises:
        NotFound: the workspace has no such campaign (any more).
        FailedPrecondition: CAMPAIGN_NOT_DRAFT.
    """
    if await lock(connection, actor.workspace_id, campaign_id) is not CampaignState.DRAFT:
        raise FailedPrecondition("only a draft can be deleted", reason="CAMPAIGN_NOT_DRAFT")
    await messages.remove_all(connection, campaign_id)
    await connection.execute(delete(_CAMPAIGNS).where(_CAMPAIGNS.c.id == campaign_id))
    await audit.record(connection, actor, "campaign.delete", _name(campaign_id))


async def start(connection: AsyncConnection, actor: Actor, campaign_id: int, *, has_links: bool = False) -> None:
    """Starts a draft: its lanes get their base, and the queue is to load them. Starting an active one changes nothing.

    Raises:
        NotFound: the workspace has no such campaign.
        FailedPrecondition: CAMPAIGN_INCOMPLETE, CAMPAIGN_EMPTY, VARIABLES_MISSING, CAMPAIGN_PAUSED or CAMPAIGN_ENDED.
    """
    state = await lock(connection, actor.workspace_id, campaign_id)
    if state is CampaignState.ACTIVE:
        return
    if state is not CampaignState.DRAFT:
        raise _refusal(state)
    campaign = await get(connection, actor.workspace_id, campaign_id)
    check_startable(campaign, has_links=has_links)
    if not campaign.counts.total and not await imports.is_open(connection, campaign_id):
        raise FailedPrecondition("the campaign has no recipients", reason="CAMPAIGN_EMPTY")
    await variables.check_present(connection, campaign)
    await lane_plans.begin(connection, campaign_id)
    await marks.add_lanes(connection, campaign_id)
    await _write(connection, campaign_id, state=int(CampaignState.ACTIVE), **_UNSAID)
    await audit.record(connection, actor, "campaign.start", _name(campaign_id))


async def pause(connection: AsyncConnection, actor: Actor, campaign_id: int) -> None:
    """Pauses an active campaign; pausing a paused one changes nothing.

    Raises:
        NotFound: the workspace has no such campaign.
        FailedPrecondition: CAMPAIGN_NOT_STARTED or CAMPAIGN_ENDED.
    """
    state = await lock(connection, actor.workspace_id, campaign_id)
    if state is CampaignState.PAUSED:
        return
    if state is not CampaignState.ACTIVE:
        raise _refusal(state)
    why = {"state_reason": f"paused by {actor.name}", "state_actor": actor.name}
    await _write(connection, campaign_id, state=int(CampaignState.PAUSED), **why)
    await audit.record(connection, actor, "campaign.pause", _name(campaign_id))


async def resume(connection: AsyncConnection, actor: Actor, campaign_id: int) -> None:
    """Resumes a paused campaign, or completes it where nothing is left to send; resuming an active one changes nothing.

    Raises:
        NotFound: the workspace has no such campaign.
        FailedPrecondition: CAMPAIGN_NOT_STARTED or CAMPAIGN_ENDED.
    """
    state = await lock(connection, actor.workspace_id, campaign_id)
    if state is CampaignState.ACTIVE:
        return
    if state is not CampaignState.PAUSED:
        raise _refusal(state)
    left = await counts.read(connection, campaign_id)
    if left.pending or left.sending or await imports.is_open(connection, campaign_id):
        await _write(connection, campaign_id, state=int(CampaignState.ACTIVE), **_UNSAID)
    else:
        await _end(connection, campaign_id, CampaignState.COMPLETED, **_UNSAID)
    await audit.record(connection, actor, "campaign.resume", _name(campaign_id))


async def cancel(connection: AsyncConnection, actor: Actor, campaign_id: int) -> None:
    """Ends a campaign; cancelling a cancelled one changes nothing.

    Its pending messages are not touched here, for a million of them must not hold up the verb: no claim of them
    succeeds from this commit on, and `messages.cancel_pending_after` turns them, some at a time.

    Raises:
        NotFound: the workspace has no such campaign.
        FailedPrecondition: CAMPAIGN_ENDED, it is completed.
    """
    state = await lock(connection, actor.workspace_id, campaign_id)
    if state is CampaignState.CANCELLED:
        return
    if state is CampaignState.COMPLETED:
        raise _refusal(state)
    why = {"state_reason": f"cancelled by {actor.name}", "state_actor": actor.name}
    await _end(connection, campaign_id, CampaignState.CANCELLED, **why)
    await audit.record(connection, actor, "campaign.cancel", _name(campaign_id))


async def lock_to_reopen(connection: AsyncConnection, workspace_id: int, campaign_id: int) -> None:
    """Holds a campaign whose messages are to be PENDING again; `reopen` it once they are.

    Raises:
        NotFound: the workspace has no such campaign.
        FailedPrecondition: CAMPAIGN_ENDED, it was cancelled.
    """
    state = await lock(connection, workspace_id, campaign_id)
    if state is CampaignState.CANCELLED:
        raise _refusal(state)


async def lock_open(connection: AsyncConnection, workspace_id: int, campaign_id: int) -> CampaignState:
    """Holds a campaign that has not ended; returns its state.

    Raises:
        NotFound: the workspace has no such campaign.
        FailedPrecondition: CAMPAIGN_ENDED.
    """
    state = await lock(connection, workspace_id, campaign_id)
    if state.ended:
        raise _refusal(state)
    return state


async def touch(connection: AsyncConnection, campaign_id: int) -> None:
    """Raises the revision of a campaign whose lanes have changed: permits of before are void, the queue is told."""
    await _write(connection, campaign_id)


async def reopen(connection: AsyncConnection, campaign_id: int) -> None:
    """Makes a completed campaign, which the caller holds, ACTIVE again; changes nothing in another state."""
    completed = (_CAMPAIGNS.c.id == campaign_id) & (_CAMPAIGNS.c.state == int(CampaignState.COMPLETED))
    await connection.execute(
        update(_CAMPAIGNS)
        .where(completed)
        .values(revision=_CAMPAIGNS.c.revision + 1, state=int(CampaignState.ACTIVE), **_UNSAID, end_time=None)
    )


async def lock(connection: AsyncConnection, workspace_id: int, campaign_id: int) -> CampaignState:
    """Holds a campaign's row until the transaction ends, against every change of its state; returns the state.

    Raises:
        NotFound: the workspace has no such campaign.
    """
    found = select(_CAMPAIGNS.c.state).where(_is(workspace_id, campaign_id)).with_for_update(key_share=True)
    row = (await connection.execute(found)).first()
    if row is None:
        raise _not_found()
    return CampaignState(row.state)


def _check_changeable(campaign: Campaign, changes: Changes, now: datetime) -> None:
    state = campaign.state
    if state is CampaignState.DRAFT:
        return
    if state.ended:
        raise _refusal(state)
    fixed = [path for field, path in _WHILE_DRAFT.items() if field in changes.fields]
    begun = campaign.plan.start_time is None or campaign.plan.start_time <= now
    if "start_time" in changes.fields and begun:
        fixed.append("campaign.start_time")
    if fixed:
        raise FailedPrecondition(
            f"fixed once the campaign was started: {', '.join(fixed)}",
            reason="CAMPAIGN_NOT_DRAFT",
            violations=[Violation(path, "is fixed once the campaign was started") for path in fixed],
        )


async def _give_mailboxes(connection: AsyncConnection, campaign: Campaign, mailbox_ids: Sequence[int]) -> None:
    if campaign.counts.total and not mailbox_ids:
        raise FailedPrecondition("a campaign with recipients needs a mailbox", reason="CAMPAIGN_INCOMPLETE")
    await lane_plans.replace(connection, campaign.id, mailbox_ids)
    if campaign.counts.total:
        await messages.assign_anew(connection, campaign.id)


async def _replan(connection: AsyncConnection, campaign_id: int, old: Plan, new: Plan) -> None:
    """Plans what has not left anew: from another start, or from where each lane is at another pace."""
    if new.start_time != old.start_time:
        await _write(connection, campaign_id, start_time=new.start_time)
        await lane_plans.begin(connection, campaign_id)
    elif new.delay_us != old.delay_us:
        await lane_plans.change_delay(connection, campaign_id, old.delay_us, new.delay_us)
    else:
        return
    await marks.add_lanes(connection, campaign_id)


async def _lift_limits(connection: AsyncConnection, campaign_id: int) -> None:
    """Forgets that lanes are parked by the campaign's limit: a raised one may leave room, else it parks again."""
    # By mailbox, as the table's key begins.
    mailbox_ids = select(_LANES.c.mailbox_id).where(_LANES.c.campaign_id == campaign_id)
    limit = (_PARKS.c.campaign_id == campaign_id) & (_PARKS.c.reason == int(ParkReason.LIMIT))
    await connection.execute(delete(_PARKS).where(limit, _PARKS.c.mailbox_id.in_(mailbox_ids)))


async def _end(connection: AsyncConnection, campaign_id: int, state: CampaignState, **why: str) -> None:
    await _write(connection, campaign_id, state=int(state), end_time=func.now(), **why)


async def _write(connection: AsyncConnection, campaign_id: int, **values: Any) -> None:
    await connection.execute(
        update(_CAMPAIGNS).where(_CAMPAIGNS.c.id == campaign_id).values(revision=_CAMPAIGNS.c.revision + 1, **values)
    )


async def _now(connection: AsyncConnection) -> datetime:
    now: datetime = (await connection.execute(select(func.now()))).scalar_one()
    return now


def _selected() -> Select[*tuple[Any, ...]]:
    summed = counts.lateral()
    used = (_LANES.c.campaign_id == _CAMPAIGNS.c.id) & _LANES.c.leave_time.is_(None)
    ids = select(_LANES.c.mailbox_id).where(used).order_by(_LANES.c.position)
    return select(_CAMPAIGNS, func.array(ids.scalar_subquery()).label("mailbox_ids"), *summed.c).join_from(
        _CAMPAIGNS, summed, true()
    )


def _is(workspace_id: int, campaign_id: int) -> ColumnElement[bool]:
    return (_CAMPAIGNS.c.workspace_id == workspace_id) & (_CAMPAIGNS.c.id == campaign_id)


def _columns(plan: Plan) -> dict[str, Any]:
    """All of a plan but its mailboxes, which are its lanes."""
    return {
        "name": plan.name,
        "subject": plan.template.subject,
        "text": plan.template.text,
        "html": plan.template.html,
        "start_time": plan.start_time,
        "delay_us": plan.delay_us,
        "hourly_limit": plan.hourly_limit,
        "unconfirmed_policy": int(plan.unconfirmed_policy),
        "move_after_us": plan.move_after_us,
    }


def _campaign(row: Row[*tuple[Any, ...]]) -> Campaign:
    plan = Plan(
        name=row.name,
        mailbox_ids=tuple(row.mailbox_ids),
        template=Template(row.subject, row.text, row.html),
        start_time=row.start_time,
        delay_us=row.delay_us,
        hourly_limit=row.hourly_limit,
        unconfirmed_policy=UnconfirmedPolicy(row.unconfirmed_policy),
        move_after_us=row.move_after_us,
    )
    return Campaign(
        id=row.id,
        workspace_id=row.workspace_id,
        plan=plan,
        state=CampaignState(row.state),
        state_reason=row.state_reason,
        state_actor=row.state_actor,
        counts=counts.of_row(row),
        create_time=row.create_time,
        end_time=row.end_time,
    )


def _name(campaign_id: int) -> str:
    return f"campaigns/{campaign_id}"


def _not_found() -> NotFound:
    return NotFound("there is no such campaign", reason="CAMPAIGN_NOT_FOUND")


def _refusal(state: CampaignState) -> Failure:
    message, reason = {
        CampaignState.DRAFT: ("the campaign has not been started", "CAMPAIGN_NOT_STARTED"),
        CampaignState.PAUSED: ("the campaign is paused: resume it", "CAMPAIGN_PAUSED"),
        CampaignState.COMPLETED: ("the campaign is completed", "CAMPAIGN_ENDED"),
        CampaignState.CANCELLED: ("the campaign was cancelled", "CAMPAIGN_ENDED"),
    }[state]
    return FailedPrecondition(message, reason=reason)
