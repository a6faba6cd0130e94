"""Who did what: a row for each verb that changed something, written in the commit of the change."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from maillane_scheduler.store import tables


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a token of a workspace. Every change is scoped to the workspace."""

    workspace_id: int
    token_id: int | None
    name: str


async def record(
    connection: AsyncConnection, actor: Actor, verb: str, resource: str, detail: dict[str, Any] | None = None
) -> None:
    """Notes that a verb changed a resource (`campaigns/7`). The detail holds no addresses, bodies or secrets."""
    await connection.execute(
        insert(tables.audit).values(
            workspace_id=actor.workspace_id, token_id=actor.token_id, verb=verb, resource=resource, detail=detail
        )
    )
