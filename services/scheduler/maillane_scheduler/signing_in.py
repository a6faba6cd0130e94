"""How a person comes to a session: who they are, where they belong, what they open first."""

from dataclasses import dataclass
from datetime import datetime

from maillane_chassis.errors import FailedPrecondition, PermissionDenied
from sqlalchemy.ext.asyncio import AsyncConnection

from maillane_scheduler.api_token import Role, digest
from maillane_scheduler.member import LOCAL_PERSON, MAX_NAME, Person
from maillane_scheduler.session import SessionLimits, new_secret
from maillane_scheduler.store import audit, identity, invitations, members, sessions
from maillane_scheduler.store.audit import Actor


@dataclass(frozen=True, slots=True)
class Session:
    """What was begun: the secret is nowhere else."""

    secret: str
    expire_time: datetime


async def sign_in(
    connection: AsyncConnection,
    person: Person,
    previous_secret: str,
    peer: str,
    limits: SessionLimits,
    *,
    sign_up: bool,
) -> Session:
    """Begins a session for a person whose address is verified, in the workspace that they entered last.

    The session of the previous secret, if there is one, ends.

    Raises:
        PermissionDenied: NOT_A_MEMBER, they belong nowhere, and may not sign up. Nothing is kept of them.
    """
    user_id = await members.put_user(connection, person)
    name = person.name or person.email
    await invitations.accept(connection, user_id, name, person.email, peer)
    workspace_id = await members.enter_last(connection, user_id)
    if workspace_id is None and sign_up:
        workspace_id = await identity.create_workspace(connection, f"{name[: MAX_NAME - 20]}'s workspace")
        await members.join(connection, Actor(workspace_id, None, name, peer, user_id), Role.ADMIN)
    if workspace_id is None:
        raise PermissionDenied("this account is in no workspace and has no invitation", reason="NOT_A_MEMBER")
    return await _begin(connection, Actor(workspace_id, None, name, peer, user_id), previous_secret, limits)


async def sign_in_locally(
    connection: AsyncConnection, previous_secret: str, peer: str, limits: SessionLimits
) -> Session:
    """Begins a session for whoever sits at the machine, as an admin of the oldest workspace; the previous one ends.

    Raises:
        FailedPrecondition: NO_WORKSPACE, none was made yet.
    """
    workspace_id = await identity.oldest_workspace(connection)
    if workspace_id is None:
        raise FailedPrecondition("no workspace was made yet", reason="NO_WORKSPACE")
    user_id = await members.put_user(connection, LOCAL_PERSON)
    actor = Actor(workspace_id, None, LOCAL_PERSON.name, peer, user_id)
    await members.join(connection, actor, Role.ADMIN)
    await members.enter(connection, workspace_id, user_id)
    return await _begin(connection, actor, previous_secret, limits, is_local=True)


async def sign_out(connection: AsyncConnection, secret: str, peer: str) -> None:
    """Ends the session of a secret, if there is one; the empty secret has none."""
    if not secret:
        return
    ended = await sessions.revoke(connection, digest(secret))
    if ended is not None:
        actor = Actor(ended.workspace_id, None, "", peer, ended.user_id)
        await audit.record(connection, actor, "session.revoke", f"sessions/{ended.session_id}")


async def _begin(
    connection: AsyncConnection, actor: Actor, previous_secret: str, limits: SessionLimits, *, is_local: bool = False
) -> Session:
    assert actor.user_id is not None
    # Not before the membership is locked: whoever removes a member locks it first, and then its sessions.
    await sign_out(connection, previous_secret, actor.peer)
    secret = new_secret(is_local=is_local)
    session_id, expire_time = await sessions.create(
        connection, actor.user_id, actor.workspace_id, digest(secret), limits
    )
    await audit.record(connection, actor, "session.create", f"sessions/{session_id}")
    return Session(secret, expire_time)
