"""Who did what: a row for each verb that changed something, written in the commit of the change."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from maillane_scheduler.store import tables


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a token of a workspace, from where its call came. Every change is scoped to the workspace."""

    workspace_id: int
    token_id: int | None
    name: str
    peer: str = ""


async def record(
    connection: AsyncConnection, actor: Actor, verb: str, resource: str, detail: dict[str, Any] | None = None
) -> None:
    """Notes that a verb changed a resource (`campaigns/7`). The detail holds no addresses, bodies or secrets."""
    await connection.execute(
        insert(tables.audit).values(
            workspace_id=actor.workspace_id,
            token_id=actor.token_id,
            verb=verb,
            resource=resource,
            detail=detail,
            peer=actor.peer,
        )
    )


@dataclass(frozen=True, slots=True)
class Entry:
    """One change: who, what, when, from where. `token_id` None: the system itself."""

    id: int
    time: datetime
    token_id: int | None
    token_name: str
    peer: str
    verb: str
    resource: str
    detail: dict[str, Any]


async def list_page(
    connection: AsyncConnection, workspace_id: int, resource: str, before_id: int, limit: int
) -> list[Entry]:
    """Changes of the workspace with ids below one, the newest first; of one resource only, unless it is empty."""
    audit, tokens = tables.audit, tables.tokens
    found = (
        select(audit, tokens.c.name)
        .outerjoin(tokens, tokens.c.id == audit.c.token_id)
        .where(audit.c.workspace_id == workspace_id, audit.c.id < before_id)
        .order_by(audit.c.id.desc())
        .limit(limit)
    )
    if resource:
        found = found.where(audit.c.resource == resource)
    return [
        Entry(
            id=row.id,
            time=row.create_time,
            token_id=row.token_id,
            token_name=row.name or "",
            peer=row.peer,
            verb=row.verb,
            resource=row.resource,
            detail=row.detail or {},
        )
        for row in await connection.execute(found)
    ]
