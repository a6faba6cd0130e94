"""Invitations: addresses that are to become members when they sign in."""

from typing import Any

from maillane_chassis.errors import AlreadyExists, NotFound, ResourceExhausted
from sqlalchemy import ColumnElement, Row, delete, func, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from maillane_scheduler.api_token import Role
from maillane_scheduler.member import Invitation
from maillane_scheduler.store import audit, identity, members, tables
from maillane_scheduler.store.audit import Actor

# Long enough for somebody on holiday, short enough that a mistyped address does not stand open for good.
LASTS_DAYS = 14
# With the members, in one workspace.
MAX_MEMBERS = 1000

_INVITATIONS = tables.invitations
_INVITATION = (
    _INVITATIONS.c.id,
    _INVITATIONS.c.email,
    _INVITATIONS.c.role,
    _INVITATIONS.c.create_time,
    _INVITATIONS.c.expire_time,
)


async def invite(connection: AsyncConnection, actor: Actor, email: str, role: Role) -> Invitation:
    """Invites a normalised address in lower case; one that is invited gets this role, and the whole time, again.

    Raises:
        AlreadyExists: ALREADY_A_MEMBER.
        ResourceExhausted: TOO_MANY_MEMBERS.
    """
    await identity.lock(connection, actor.workspace_id)
    await _check_room(connection, actor.workspace_id, email)
    lasting: Any = {
        "role": int(role),
        "create_time": func.now(),
        "expire_time": func.now() + func.make_interval(0, 0, 0, LASTS_DAYS),
    }
    row = insert(_INVITATIONS).values(workspace_id=actor.workspace_id, email=email, **lasting)
    row = row.on_conflict_do_update(index_elements=["email", "workspace_id"], set_=lasting)
    made = _invitation((await connection.execute(row.returning(*_INVITATION))).one())
    await audit.record(connection, actor, "member.invite", f"invitations/{made.id}", {"role": role.name})
    return made


async def list_page(connection: AsyncConnection, workspace_id: int, after_id: int, limit: int) -> list[Invitation]:
    """Open invitations of the workspace with ids above one, the oldest first."""
    found = (
        select(*_INVITATION)
        .where(_INVITATIONS.c.workspace_id == workspace_id, _INVITATIONS.c.id > after_id, _is_open())
        .order_by(_INVITATIONS.c.id)
        .limit(limit)
    )
    return [_invitation(row) for row in await connection.execute(found)]


async def revoke(connection: AsyncConnection, actor: Actor, invitation_id: int) -> None:
    """Takes an invitation back.

    Raises:
        NotFound: INVITATION_NOT_FOUND, the workspace has none of this id, or not any more.
    """
    gone = delete(_INVITATIONS).where(
        _INVITATIONS.c.workspace_id == actor.workspace_id, _INVITATIONS.c.id == invitation_id, _is_open()
    )
    if not (await connection.execute(gone)).rowcount:
        raise NotFound("there is no such invitation", reason="INVITATION_NOT_FOUND")
    await audit.record(connection, actor, "invitation.revoke", f"invitations/{invitation_id}")


async def accept(connection: AsyncConnection, user_id: int, name: str, email: str, peer: str) -> None:
    """Makes a user a member wherever the address, which is verified to be theirs, is invited."""
    taken = delete(_INVITATIONS).where(_INVITATIONS.c.email == email.lower(), _is_open())
    rows = await connection.execute(taken.returning(_INVITATIONS.c.workspace_id, _INVITATIONS.c.role))
    for row in rows.all():
        actor = Actor(row.workspace_id, None, name, peer, user_id)
        await members.join(connection, actor, Role(row.role))


async def _check_room(connection: AsyncConnection, workspace_id: int, email: str) -> None:
    users, memberships = tables.users, tables.memberships
    there = (
        select(literal(1))
        .select_from(memberships.join(users, users.c.id == memberships.c.user_id))
        .where(memberships.c.workspace_id == workspace_id, func.lower(users.c.email) == email)
    )
    if (await connection.execute(there.limit(1))).first() is not None:
        raise AlreadyExists("this address is a member's", reason="ALREADY_A_MEMBER")
    joined = select(func.count()).where(memberships.c.workspace_id == workspace_id).scalar_subquery()
    # But for the one that is invited again.
    invited = (
        select(func.count())
        .where(_INVITATIONS.c.workspace_id == workspace_id, _INVITATIONS.c.email != email, _is_open())
        .scalar_subquery()
    )
    if (await connection.execute(select(joined + invited))).scalar_one() >= MAX_MEMBERS:
        raise ResourceExhausted(f"the workspace has {MAX_MEMBERS} members and invitations", reason="TOO_MANY_MEMBERS")


def _is_open() -> ColumnElement[bool]:
    return _INVITATIONS.c.expire_time > func.now()


def _invitation(row: Row[*tuple[Any, ...]]) -> Invitation:
    return Invitation(row.id, row.email, Role(row.role), row.create_time, row.expire_time)
