"""Sessions of people. A row belongs to the membership that it opens, and is deleted with it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from maillane_scheduler.api_token import Role
from maillane_scheduler.session import SessionLimits
from maillane_scheduler.store import tables
from maillane_scheduler.store.identity import USE_EXACT_TO_S

# Browsers and devices of one person; the one that has not been used for longest makes room.
MAX_SESSIONS = 20

_SESSIONS = tables.sessions
_MEMBERSHIPS = tables.memberships
_USERS = tables.users


@dataclass(frozen=True, slots=True)
class SessionBearer:
    """Whom a session's secret lets in. `unused_lately`: its last use is not noted within the minute."""

    session_id: int
    workspace_id: int
    user_id: int
    role: Role
    name: str
    unused_lately: bool


async def bearer(connection: AsyncConnection, digest: bytes, limits: SessionLimits) -> SessionBearer | None:
    """Whom the session with this digest lets in, with the role of now.

    None: there is none, it has ended or was not used for too long, or its user is no member any more.
    """
    # The absolute limit is looked at here as well: one that is shortened holds for sessions that are there.
    found = (
        select(_SESSIONS, _MEMBERSHIPS.c.role, _USERS.c.name, _older("use_time", USE_EXACT_TO_S).label("unused"))
        .join(_MEMBERSHIPS, _is_of_membership())
        .join(_USERS, _USERS.c.id == _SESSIONS.c.user_id)
        .where(
            _SESSIONS.c.hash == digest,
            _SESSIONS.c.expire_time > func.now(),
            ~_older("use_time", limits.idle_s),
            ~_older("create_time", limits.absolute_s),
        )
    )
    row = (await connection.execute(found)).first()
    if row is None:
        return None
    return SessionBearer(row.id, row.workspace_id, row.user_id, Role(row.role), row.name, row.unused)


async def note_use(connection: AsyncConnection, session_id: int) -> None:
    """Notes that a session was used now, unless that was noted within the minute."""
    await connection.execute(
        update(_SESSIONS)
        .where(_SESSIONS.c.id == session_id, _older("use_time", USE_EXACT_TO_S))
        .values(use_time=func.now())
    )


async def create(
    connection: AsyncConnection, user_id: int, workspace_id: int, digest: bytes, limits: SessionLimits
) -> tuple[int, datetime]:
    """Begins a session of a membership that the caller has locked. Returns its id, and when it ends at the latest."""
    row = insert(_SESSIONS).values(
        user_id=user_id,
        workspace_id=workspace_id,
        hash=digest,
        expire_time=func.now() + _seconds(limits.absolute_s),
    )
    made = (await connection.execute(row.returning(_SESSIONS.c.id, _SESSIONS.c.expire_time))).one()
    surplus = (
        select(_SESSIONS.c.id)
        .where(_SESSIONS.c.user_id == user_id, _SESSIONS.c.id != made.id)
        .order_by(_SESSIONS.c.use_time.desc(), _SESSIONS.c.id.desc())
        .offset(MAX_SESSIONS - 1)
    )
    await connection.execute(delete(_SESSIONS).where(_SESSIONS.c.id.in_(surplus)))
    return made.id, made.expire_time


async def switch(connection: AsyncConnection, session_id: int, workspace_id: int) -> None:
    """Makes a session open another workspace, of which its user is a member (which the caller has locked)."""
    await connection.execute(update(_SESSIONS).where(_SESSIONS.c.id == session_id).values(workspace_id=workspace_id))


@dataclass(frozen=True, slots=True)
class Ended:
    """A session that was there."""

    session_id: int
    workspace_id: int
    user_id: int


async def revoke(connection: AsyncConnection, digest: bytes) -> Ended | None:
    """Ends the session with this digest; None: there is none."""
    gone = delete(_SESSIONS).where(_SESSIONS.c.hash == digest)
    row = (
        await connection.execute(gone.returning(_SESSIONS.c.id, _SESSIONS.c.workspace_id, _SESSIONS.c.user_id))
    ).first()
    return None if row is None else Ended(row.id, row.workspace_id, row.user_id)


def _is_of_membership() -> ColumnElement[bool]:
    return (_MEMBERSHIPS.c.workspace_id == _SESSIONS.c.workspace_id) & (_MEMBERSHIPS.c.user_id == _SESSIONS.c.user_id)


def _older(column: str, than_s: int) -> ColumnElement[bool]:
    return _SESSIONS.c[column] <= func.now() - _seconds(than_s)


def _seconds(count: int) -> ColumnElement[object]:
    return func.make_interval(0, 0, 0, 0, 0, 0, count)
