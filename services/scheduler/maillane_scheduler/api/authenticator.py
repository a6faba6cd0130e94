"""Whom a secret lets in. Asked of Postgres on each call, so that what is revoked opens nothing from then on."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog
from maillane.options.v1.access_pb2 import ACCESS_ADMIN, ACCESS_EDITOR, ACCESS_VIEWER
from maillane_chassis.access import Access, Identity
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from maillane_scheduler import api_token, session
from maillane_scheduler.api_token import Role, digest
from maillane_scheduler.session import SessionLimits
from maillane_scheduler.store import identity, sessions

log = structlog.get_logger()

_ACCESS: dict[Role, Access] = {Role.VIEWER: ACCESS_VIEWER, Role.EDITOR: ACCESS_EDITOR, Role.ADMIN: ACCESS_ADMIN}

_NoteUse = Callable[[AsyncConnection, int], Awaitable[None]]


class Authenticator:
    """Resolves secrets to identities, for the chassis; notes once a minute that one is used, beside the call."""

    def __init__(self, engine: AsyncEngine, limits: SessionLimits) -> None:
        self._engine = engine
        self._limits = limits
        # One a token or session, so bounded by those that there are; a note that fails is made by a later call.
        self._notes: dict[tuple[str, int], asyncio.Task[None]] = {}

    async def __call__(self, secret: str) -> Identity | None:
        """Whom the secret lets in, or None."""
        if len(secret) == api_token.SECRET_LENGTH and secret.startswith(api_token.PREFIX):
            return await self._token(secret)
        if session.is_secret(secret):
            return await self._session(secret)
        return None

    async def _token(self, secret: str) -> Identity | None:
        async with self._engine.connect() as connection:
            bearer = await identity.bearer(connection, digest(secret))
        if bearer is None:
            return None
        if bearer.unused_lately:
            self._note("token", bearer.token_id, identity.note_use)
        return Identity(bearer.workspace_id, bearer.token_id, _ACCESS[bearer.role], bearer.name)

    async def _session(self, secret: str) -> Identity | None:
        async with self._engine.connect() as connection:
            bearer = await sessions.bearer(connection, digest(secret), self._limits)
        if bearer is None:
            return None
        if bearer.unused_lately:
            self._note("session", bearer.session_id, sessions.note_use)
        return Identity(bearer.workspace_id, None, _ACCESS[bearer.role], bearer.name, bearer.user_id, bearer.session_id)

    def _note(self, kind: str, id_: int, note_use: _NoteUse) -> None:
        if (kind, id_) not in self._notes:
            task = asyncio.create_task(self._note_use(kind, id_, note_use))
            self._notes[kind, id_] = task
            task.add_done_callback(lambda _: self._notes.pop((kind, id_)))

    async def _note_use(self, kind: str, id_: int, note_use: _NoteUse) -> None:
        try:
            async with self._engine.begin() as connection:
                await note_use(connection, id_)
        except (SQLAlchemyError, OSError):
            log.warning("use_not_noted", kind=kind, id=id_)
