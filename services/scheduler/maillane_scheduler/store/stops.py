"""The stop switch of a workspace: nothing of it is handed out, whatever its campaigns and mailboxes say."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from maillane_scheduler.states import MessageState
from maillane_scheduler.store import audit, tables
from maillane_scheduler.store.audit import Actor

_WORKSPACES = tables.workspaces
_MAILBOXES = tables.mailboxes


@dataclass(frozen=True, slots=True)
class Held:
    """Messages of a workspace that a sender holds under one claim. A renewal moves `lease_until`."""

    token: int
    sender_id: str
    lease_until: datetime
    messages: int


_HELD = f"""
SELECT k.token, k.sender_id, k.lease_until, count(*)
FROM claims k CROSS JOIN LATERAL unnest(k.ids) AS u(id) JOIN messages m ON m.id = u.id
JOIN campaigns c ON c.id = m.campaign_id
WHERE k.lease_until IS NOT NULL AND m.token = k.token AND m.state = {MessageState.SENDING:d}
  AND c.workspace_id = :workspace {{more}}
GROUP BY k.token ORDER BY k.sender_id, k.token
"""
_ALL_HELD = text(_HELD.format(more=""))
_HELD_OF = text(_HELD.format(more="AND k.token = ANY(CAST(:tokens AS bigint[]))"))


async def turn(connection: AsyncConnection, actor: Actor, *, stopped: bool) -> list[int]:
    """Stops or resumes a workspace; where it is so already, changes nothing. Returns its mailboxes, for the queue.

    Each mailbox gets a revision, so that a stop and a resume that overtake each other on their way to the queue end as
    Postgres has it, and the sweep tells the queue where the caller cannot.
    """
    workspace = _WORKSPACES.c.id == actor.workspace_id
    was = (await connection.execute(select(_WORKSPACES.c.stopped).where(workspace).with_for_update())).scalar_one()
    living = (_MAILBOXES.c.workspace_id == actor.workspace_id) & _MAILBOXES.c.delete_time.is_(None)
    # In order of ids, as whoever else locks several of them.
    found = select(_MAILBOXES.c.id).where(living).order_by(_MAILBOXES.c.id).with_for_update(key_share=True)
    mailboxes = list((await connection.execute(found)).scalars())
    if was == stopped:
        return mailboxes
    await connection.execute(update(_WORKSPACES).where(workspace).values(stopped=stopped))
    await connection.execute(update(_MAILBOXES).where(living).values(revision=_MAILBOXES.c.revision + 1))
    verb = "workspace.stop" if stopped else "workspace.resume"
    await audit.record(connection, actor, verb, f"workspaces/{actor.workspace_id}")
    return mailboxes


async def held(connection: AsyncConnection, workspace_id: int, tokens: Collection[int] | None = None) -> list[Held]:
    """What senders hold of a workspace; of these claims only, where they are given."""
    if tokens is None:
        found = await connection.execute(_ALL_HELD, {"workspace": workspace_id})
    else:
        found = await connection.execute(_HELD_OF, {"workspace": workspace_id, "tokens": sorted(tokens)})
    return [Held(*row) for row in found]
