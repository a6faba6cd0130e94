"""Creates that carry a request id: a repeat finds the first answer."""

from maillane_chassis.errors import FailedPrecondition
from sqlalchemy import ColumnElement, select, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from maillane_scheduler.store import tables

_REQUESTS = tables.requests


async def begin(
    connection: AsyncConnection, workspace_id: int, request_id: str, method: str, body_hash: bytes
) -> int | None:
    """Takes a request id; None where it was free, then the caller creates and calls `finish` in this transaction.

    Otherwise the id of what it created. Callers with one id at the same time wait for the first of them to commit.

    Raises:
        FailedPrecondition: REQUEST_ID_REUSED, the id came with another body, or to another method.
    """
    row = postgresql.insert(_REQUESTS).values(
        workspace_id=workspace_id, request_id=request_id, method=method, body_hash=body_hash
    )
    taken = await connection.execute(row.on_conflict_do_nothing().returning(_REQUESTS.c.request_id))
    if taken.first() is not None:
        return None
    found = await connection.execute(
        select(_REQUESTS.c.method, _REQUESTS.c.body_hash, _REQUESTS.c.resource_id).where(_is(workspace_id, request_id))
    )
    first_method, first_hash, resource_id = found.one()
    if (first_method, bytes(first_hash)) != (method, body_hash):
        raise FailedPrecondition("this request id came with another request before", reason="REQUEST_ID_REUSED")
    return int(resource_id)


async def finish(connection: AsyncConnection, workspace_id: int, request_id: str, resource_id: int) -> None:
    """Notes what a request id created, in the transaction that took it."""
    await connection.execute(update(_REQUESTS).where(_is(workspace_id, request_id)).values(resource_id=resource_id))


def _is(workspace_id: int, request_id: str) -> ColumnElement[bool]:
    return (_REQUESTS.c.workspace_id == workspace_id) & (_REQUESTS.c.request_id == request_id)
