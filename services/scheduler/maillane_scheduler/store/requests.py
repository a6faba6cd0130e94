"""Creates that carry a request id: a repeat finds the first answer."""

from collections.abc import Awaitable, Callable

from maillane_chassis.errors import FailedPrecondition
from sqlalchemy import ColumnElement, select, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from maillane_scheduler.store import tables

_REQUESTS = tables.requests


async def once(
    connection: AsyncConnection,
    workspace_id: int,
    request_id: str,
    method: str,
    body_hash: bytes,
    create: Callable[[], Awaitable[int]],
) -> int:
    """Creates, unless the request id did so before: then gives the id of what it created.

    Both in the caller's transaction. Callers with one id at the same time wait for the first of them to commit. An
    empty request id creates always.

    Raises:
        FailedPrecondition: REQUEST_ID_REUSED, the id came with another body, or to another method.
    """
    if not request_id:
        return await create()
    row = postgresql.insert(_REQUESTS).values(
        workspace_id=workspace_id, request_id=request_id, method=method, body_hash=body_hash
    )
    taken = await connection.execute(row.on_conflict_do_nothing().returning(_REQUESTS.c.request_id))
    if taken.first() is None:
        return await _first_answer(connection, workspace_id, request_id, (method, body_hash))
    created = await create()
    await connection.execute(update(_REQUESTS).where(_is(workspace_id, request_id)).values(resource_id=created))
    return created


async def _first_answer(
    connection: AsyncConnection, workspace_id: int, request_id: str, request: tuple[str, bytes]
) -> int:
    found = await connection.execute(
        select(_REQUESTS.c.method, _REQUESTS.c.body_hash, _REQUESTS.c.resource_id).where(_is(workspace_id, request_id))
    )
    method, body_hash, resource_id = found.one()
    if (method, bytes(body_hash)) != request:
        raise FailedPrecondition("this request id came with another request before", reason="REQUEST_ID_REUSED")
    return int(resource_id)


def _is(workspace_id: int, request_id: str) -> ColumnElement[bool]:
    return (_REQUESTS.c.workspace_id == workspace_id) & (_REQUESTS.c.request_id == request_id)
