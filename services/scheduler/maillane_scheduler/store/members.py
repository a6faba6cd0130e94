"""Users, and the workspaces that they are members of."""

from typing import Any

from maillane_chassis.errors import FailedPrecondition, NotFound
from sqlalchemy import Row, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from maillane_scheduler.api_token import Role
from maillane_scheduler.member import Member, Membership, Person, User
from maillane_scheduler.store import audit, identity, tables
from maillane_scheduler.store.audit import Actor

# Of one user, told with who it is; nobody has more.
MOST_MEMBERSHIPS = 200

_USERS = tables.users
_MEMBERSHIPS = tables.memberships
_USER = (_USERS.c.id, _USERS.c.email, _USERS.c.name, _USERS.c.picture)
_MEMBER = (*_USER, _MEMBERSHIPS.c.role, _MEMBERSHIPS.c.create_time, _MEMBERSHIPS.c.enter_time)


async def list_page(connection: AsyncConnection, workspace_id: int, after_id: int, limit: int) -> list[Member]:
    """Members of the workspace whose user ids are above one."""
    found = _members(workspace_id).where(_USERS.c.id > after_id).order_by(_USERS.c.id).limit(limit)
    return [_member(row) for row in await connection.execute(found)]


async def get(connection: AsyncConnection, workspace_id: int, user_id: int) -> Member:
    """A member of the workspace.

    Raises:
        NotFound: MEMBER_NOT_FOUND.
    """
    row = (await connection.execute(_members(workspace_id).where(_USERS.c.id == user_id))).first()
    if row is None:
        raise NotFound("there is no such member", reason="MEMBER_NOT_FOUND")
    return _member(row)


async def set_role(connection: AsyncConnection, actor: Actor, user_id: int, role: Role) -> Member:
    """Gives a member a role; the one that they have changes nothing.

    Raises:
        NotFound: the workspace has no such member.
        FailedPrecondition: LAST_ADMIN.
    """
    await identity.lock(connection, actor.workspace_id)
    member = await get(connection, actor.workspace_id, user_id)
    if member.role is role:
        return member
    await _check_admins(connection, actor.workspace_id, member)
    await connection.execute(update(_MEMBERSHIPS).where(_is(actor.workspace_id, user_id)).values(role=int(role)))
    await audit.record(connection, actor, "member.update", f"members/{user_id}", {"role": role.name})
    return await get(connection, actor.workspace_id, user_id)


async def remove(connection: AsyncConnection, actor: Actor, user_id: int) -> None:
    """Removes a member, and with it its sessions in the workspace.

    Raises:
        NotFound: the workspace has no such member.
        FailedPrecondition: LAST_ADMIN.
    """
    await identity.lock(connection, actor.workspace_id)
    member = await get(connection, actor.workspace_id, user_id)
    await _check_admins(connection, actor.workspace_id, member)
    await connection.execute(delete(_MEMBERSHIPS).where(_is(actor.workspace_id, user_id)))
    await audit.record(connection, actor, "member.remove", f"members/{user_id}")


async def put_user(connection: AsyncConnection, person: Person) -> int:
    """Keeps what a provider says of a person; returns the user's id. Two at the same time wait for each other."""
    told = {"email": person.email, "name": person.name or person.email, "picture": person.picture}
    row = insert(_USERS).values(issuer=person.issuer, subject=person.subject, **told)
    row = row.on_conflict_do_update(index_elements=["issuer", "subject"], set_=told)
    return int((await connection.execute(row.returning(_USERS.c.id))).scalar_one())


async def get_user(connection: AsyncConnection, user_id: int) -> User:
    """A user that is there."""
    return User(*(await connection.execute(select(*_USER).where(_USERS.c.id == user_id))).one())


async def join(connection: AsyncConnection, actor: Actor, role: Role) -> None:
    """Makes the user who acts a member; one that is a member stays what it is."""
    assert actor.user_id is not None
    row = insert(_MEMBERSHIPS).values(workspace_id=actor.workspace_id, user_id=actor.user_id, role=int(role))
    joined = await connection.execute(row.on_conflict_do_nothing().returning(_MEMBERSHIPS.c.role))
    if joined.first() is not None:
        await audit.record(connection, actor, "member.join", f"members/{actor.user_id}", {"role": role.name})


async def memberships(connection: AsyncConnection, user_id: int) -> list[Membership]:
    """The workspaces of a user, the oldest first."""
    workspaces = tables.workspaces
    found = (
        select(workspaces.c.id, workspaces.c.name, _MEMBERSHIPS.c.role)
        .join(workspaces, workspaces.c.id == _MEMBERSHIPS.c.workspace_id)
        .where(_MEMBERSHIPS.c.user_id == user_id)
        .order_by(workspaces.c.id)
        .limit(MOST_MEMBERSHIPS)
    )
    return [Membership(row.id, row.name, Role(row.role)) for row in await connection.execute(found)]


async def enter_last(connection: AsyncConnection, user_id: int) -> int | None:
    """Locks the membership that its user entered last, as entered now; returns its workspace. None: there is none."""
    last = (
        select(_MEMBERSHIPS.c.workspace_id)
        .where(_MEMBERSHIPS.c.user_id == user_id)
        .order_by(_MEMBERSHIPS.c.enter_time.desc(), _MEMBERSHIPS.c.workspace_id)
        .limit(1)
    )
    entered = (
        update(_MEMBERSHIPS)
        .where(_MEMBERSHIPS.c.user_id == user_id, _MEMBERSHIPS.c.workspace_id == last.scalar_subquery())
        .values(enter_time=func.now())
        .returning(_MEMBERSHIPS.c.workspace_id)
    )
    workspace_id: int | None = (await connection.execute(entered)).scalar()
    return workspace_id


async def enter(connection: AsyncConnection, workspace_id: int, user_id: int) -> Role:
    """Locks a membership, as entered now.

    Raises:
        NotFound: WORKSPACE_NOT_FOUND, the user is no member of such a workspace.
    """
    entered = update(_MEMBERSHIPS).where(_is(workspace_id, user_id)).values(enter_time=func.now())
    role = (await connection.execute(entered.returning(_MEMBERSHIPS.c.role))).scalar()
    if role is None:
        raise NotFound("you are in no such workspace", reason="WORKSPACE_NOT_FOUND")
    return Role(role)


async def _check_admins(connection: AsyncConnection, workspace_id: int, leaving: Member) -> None:
    """Under the workspace's lock: somebody else can manage members when this one cannot any more."""
    if leaving.role is not Role.ADMIN:
        return
    others = identity.people_who_are_admins(workspace_id).where(_MEMBERSHIPS.c.user_id != leaving.user.id)
    if (await connection.execute(others.limit(1))).first() is None:
        raise FailedPrecondition(
            "it is the last admin of the workspace: make another member one first", reason="LAST_ADMIN"
        )


def _members(workspace_id: int) -> Any:
    joined = select(*_MEMBER).join(_MEMBERSHIPS, _MEMBERSHIPS.c.user_id == _USERS.c.id)
    return joined.where(_MEMBERSHIPS.c.workspace_id == workspace_id)


def _is(workspace_id: int, user_id: int) -> Any:
    return (_MEMBERSHIPS.c.workspace_id == workspace_id) & (_MEMBERSHIPS.c.user_id == user_id)


def _member(row: Row[*tuple[Any, ...]]) -> Member:
    user = User(row.id, row.email, row.name, row.picture)
    return Member(user, Role(row.role), row.create_time, row.enter_time)
