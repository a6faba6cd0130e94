"""Who did what: a row for each verb that changed something, written in the commit of the change."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from maillane_scheduler.store import tables


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a token or a user in a workspace, from where the call came. Every change is scoped to the workspace."""

    workspace_id: int
    token_id: int | None
    name: str
    peer: str = ""
    user_id: int | None = None


async def record(
    connection: AsyncConnection, actor: Actor, verb: str, resource: str, detail: dict[str, Any] | None = None
) -> None:
    """Notes that a verb changed a resource (`campaigns/7`). The detail holds no addresses, bodies or secrets."""
    await connection.execute(
        insert(tables.audit).values(
            workspace_id=actor.workspace_id,
            token_id=actor.token_id,
            user_id=actor.user_id,
            verb=verb,
            resource=resource,
            detail=detail,
            peer=actor.peer,
        )
    )


@dataclass(frozen=True, slots=True)
class Entry:
    """One change: who, what, when, from where. Neither `token_id` nor `user_id`: the system itself."""

    id: int
    time: datetime
    token_id: int | None
    token_name: str
    peer: str
    verb: str
    resource: str
    detail: dict[str, Any]
    user_id: int | None
    user_name: str


async def list_page(
    connection: AsyncConnection, workspace_id: int, resource: str, before_id: int, limit: int
) -> list[Entry]:
    """Changes of the workspace with ids below one, the newest first; of one resource only, unless it is empty."""
    audit, tokens, users = tables.audit, tables.tokens, tables.users
    found = (
        select(audit, tokens.c.name, users.c.name.label("user_name"))
        .outerjoin(tokens, tokens.c.id == audit.c.token_id)
        .outerjoin(users, users.c.id == audit.c.user_id)
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
            user_id=row.user_id,
            user_name=row.user_name or "",
        )
        for row in await connection.execute(found)
    ]
