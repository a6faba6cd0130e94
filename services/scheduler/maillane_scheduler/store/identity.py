"""Workspaces and the tokens that open them."""

from dataclasses import dataclass
from typing import Any

from maillane_chassis.errors import FailedPrecondition, NotFound, ResourceExhausted
from sqlalchemy import Row, Select, func, insert, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from maillane_scheduler.api_token import Role, Token, Workspace
from maillane_scheduler.member import LOCAL_PERSON
from maillane_scheduler.store import audit, tables
from maillane_scheduler.store.audit import Actor

# Of those that are not revoked: more is a leak of tokens, not a use of them.
MAX_TOKENS = 1000
# Last use, of sessions as well, is exact to a minute, so that it is written once a minute and not once a call.
USE_EXACT_TO_S = 60

_TOKENS = tables.tokens
_TOKEN = (
    _TOKENS.c.id,
    _TOKENS.c.name,
    _TOKENS.c.role,
    _TOKENS.c.create_time,
    _TOKENS.c.last_use_time,
    _TOKENS.c.revoke_time,
)
_UNUSED_LATELY = or_(
    _TOKENS.c.last_use_time.is_(None),
    _TOKENS.c.last_use_time < func.now() - func.make_interval(0, 0, 0, 0, 0, 0, USE_EXACT_TO_S),
)


@dataclass(frozen=True, slots=True)
class Bearer:
    """Whom a secret lets in. `unused_lately`: its last use is not noted within the minute."""

    workspace_id: int
    token_id: int
    role: Role
    name: str
    unused_lately: bool


async def create_workspace(connection: AsyncConnection, name: str) -> int:
    """Creates a tenant, and returns its id."""
    row = insert(tables.workspaces).values(name=name).returning(tables.workspaces.c.id)
    return int((await connection.execute(row)).scalar_one())


async def find_workspace(connection: AsyncConnection, name: str) -> int | None:
    """The oldest workspace of a name, or None."""
    found = select(func.min(tables.workspaces.c.id)).where(tables.workspaces.c.name == name)
    workspace_id: int | None = (await connection.execute(found)).scalar_one()
    return workspace_id


async def oldest_workspace(connection: AsyncConnection) -> int | None:
    """The first workspace that was made, or None."""
    workspace_id: int | None = (await connection.execute(select(func.min(tables.workspaces.c.id)))).scalar_one()
    return workspace_id


async def rename_workspace(connection: AsyncConnection, actor: Actor, name: str) -> None:
    """Gives the actor's workspace a name; the one that it has changes nothing."""
    workspaces = tables.workspaces
    renamed = update(workspaces).where(workspaces.c.id == actor.workspace_id, workspaces.c.name != name)
    if (await connection.execute(renamed.values(name=name))).rowcount:
        await audit.record(
            connection, actor, "workspace.update", f"workspaces/{actor.workspace_id}", {"fields": ["name"]}
        )


async def get_workspace(connection: AsyncConnection, workspace_id: int) -> Workspace:
    """A workspace."""
    workspaces = tables.workspaces
    found = select(workspaces.c.id, workspaces.c.name, workspaces.c.stopped).where(workspaces.c.id == workspace_id)
    return Workspace(*(await connection.execute(found)).one())


async def lock(connection: AsyncConnection, workspace_id: int) -> None:
    """What is counted of a workspace's tokens and members holds until the transaction ends."""
    workspaces = tables.workspaces
    await connection.execute(
        select(workspaces.c.id).where(workspaces.c.id == workspace_id).with_for_update(key_share=True)
    )


async def bearer(connection: AsyncConnection, digest: bytes) -> Bearer | None:
    """Whom the token with this digest lets in, or None: there is no such token, or it is revoked."""
    found = await connection.execute(
        select(
            _TOKENS.c.workspace_id, _TOKENS.c.id, _TOKENS.c.role, _TOKENS.c.name, _UNUSED_LATELY.label("unused")
        ).where(_TOKENS.c.hash == digest, _TOKENS.c.revoke_time.is_(None))
    )
    row = found.first()
    return None if row is None else Bearer(row.workspace_id, row.id, Role(row.role), row.name, row.unused)


async def note_use(connection: AsyncConnection, token_id: int) -> None:
    """Notes that a token was used now, unless that was noted within the minute."""
    await connection.execute(
        update(_TOKENS).where(_TOKENS.c.id == token_id, _UNUSED_LATELY).values(last_use_time=func.now())
    )


async def create_token(connection: AsyncConnection, actor: Actor, name: str, role: Role, digest: bytes) -> Token:
    """Creates a token of which only the digest is kept.

    Raises:
        ResourceExhausted: TOO_MANY_TOKENS, the workspace has MAX_TOKENS that are not revoked.
    """
    await lock(connection, actor.workspace_id)
    good = select(func.count()).where(_TOKENS.c.workspace_id == actor.workspace_id, _TOKENS.c.revoke_time.is_(None))
    if (await connection.execute(good)).scalar_one() >= MAX_TOKENS:
        raise ResourceExhausted(f"the workspace has {MAX_TOKENS} tokens: revoke some", reason="TOO_MANY_TOKENS")
    row = insert(_TOKENS).values(workspace_id=actor.workspace_id, name=name, role=int(role), hash=digest)
    token = _token((await connection.execute(row.returning(*_TOKEN))).one())
    await audit.record(connection, actor, "token.create", f"tokens/{token.id}", {"role": role.name})
    return token


async def get_token(connection: AsyncConnection, workspace_id: int, token_id: int) -> Token:
    """A token of the workspace.

    Raises:
        NotFound: it has no such token.
    """
    found = select(*_TOKEN).where(_TOKENS.c.workspace_id == workspace_id, _TOKENS.c.id == token_id)
    row = (await connection.execute(found)).first()
    if row is None:
        raise NotFound("there is no such token", reason="TOKEN_NOT_FOUND")
    return _token(row)


async def list_tokens(connection: AsyncConnection, workspace_id: int, after_id: int, limit: int) -> list[Token]:
    """Tokens of the workspace with ids above one, the oldest first, also those that are revoked."""
    found = (
        select(*_TOKEN)
        .where(_TOKENS.c.workspace_id == workspace_id, _TOKENS.c.id > after_id)
        .order_by(_TOKENS.c.id)
        .limit(limit)
    )
    return [_token(row) for row in await connection.execute(found)]


async def revoke_token(connection: AsyncConnection, actor: Actor, token_id: int) -> Token:
    """Revokes a token; revoking a revoked one changes nothing.

    Raises:
        NotFound: the workspace has no such token.
        FailedPrecondition: LAST_ADMIN_TOKEN, nobody could make tokens any more.
    """
    await lock(connection, actor.workspace_id)
    token = await get_token(connection, actor.workspace_id, token_id)
    if token.revoke_time is not None:
        return token
    if token.role is Role.ADMIN and not await _has_other_admin(connection, actor.workspace_id, token_id):
        raise FailedPrecondition(
            "nobody else could make tokens: make another admin token first, or an admin of a member",
            reason="LAST_ADMIN_TOKEN",
        )
    row = update(_TOKENS).where(_TOKENS.c.id == token_id).values(revoke_time=func.now()).returning(*_TOKEN)
    token = _token((await connection.execute(row)).one())
    await audit.record(connection, actor, "token.revoke", f"tokens/{token_id}")
    return token


async def _has_other_admin(connection: AsyncConnection, workspace_id: int, token_id: int) -> bool:
    others = select(literal(1)).where(
        _TOKENS.c.workspace_id == workspace_id,
        _TOKENS.c.id != token_id,
        _TOKENS.c.role == int(Role.ADMIN),
        _TOKENS.c.revoke_time.is_(None),
    )
    either = others.union_all(people_who_are_admins(workspace_id)).limit(1)
    return (await connection.execute(either)).first() is not None


def people_who_are_admins(workspace_id: int) -> Select[Any]:
    """A row for each person who is an admin of the workspace, for as long as anybody can sign in.

    Not who sits at the machine: they cannot come in once there is a provider.
    """
    memberships, users = tables.memberships, tables.users
    return (
        select(literal(1))
        .join_from(memberships, users, users.c.id == memberships.c.user_id)
        .where(
            users.c.issuer != LOCAL_PERSON.issuer,
            memberships.c.workspace_id == workspace_id,
            memberships.c.role == int(Role.ADMIN),
        )
    )


def _token(row: Row[*tuple[Any, ...]]) -> Token:
    return Token(row.id, row.name, Role(row.role), row.create_time, row.last_use_time, row.revoke_time)
