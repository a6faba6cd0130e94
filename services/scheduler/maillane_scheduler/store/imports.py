"""Imports that go on now: a campaign does not complete while one is open."""

from sqlalchemy import delete, func, insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from maillane_scheduler.store import tables

# An import whose process died keeps its campaign from completing for so long after its last chunk.
EXPIRE_S = 60

_IMPORTS = tables.imports
_AHEAD = func.now() + func.make_interval(0, 0, 0, 0, 0, 0, EXPIRE_S)


async def open_one(connection: AsyncConnection, campaign_id: int) -> int:
    """Opens an import, and returns its id."""
    row = insert(_IMPORTS).values(campaign_id=campaign_id, expire_time=_AHEAD).returning(_IMPORTS.c.id)
    return int((await connection.execute(row)).scalar_one())


async def extend(connection: AsyncConnection, import_id: int) -> None:
    """Keeps an import open for another EXPIRE_S."""
    await connection.execute(update(_IMPORTS).where(_IMPORTS.c.id == import_id).values(expire_time=_AHEAD))


async def close(connection: AsyncConnection, import_id: int) -> None:
    """Ends an import. Safe to repeat."""
    await connection.execute(delete(_IMPORTS).where(_IMPORTS.c.id == import_id))


async def is_open(connection: AsyncConnection, campaign_id: int) -> bool:
    """Whether recipients of a campaign are being imported."""
    found = select(literal(1)).where(_IMPORTS.c.campaign_id == campaign_id, _IMPORTS.c.expire_time > func.now())
    return (await connection.execute(found.limit(1))).first() is not None
