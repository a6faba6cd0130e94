"""Whom a bearer token lets in. Asked of Postgres on each call, so that a revoked token opens nothing from then on."""

import asyncio

import structlog
from maillane.options.v1.access_pb2 import ACCESS_ADMIN, ACCESS_EDITOR, ACCESS_VIEWER
from maillane_chassis.access import Access, Identity
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from maillane_scheduler.api_token import PREFIX, SECRET_LENGTH, Role, digest
from maillane_scheduler.store import identity

log = structlog.get_logger()

_ACCESS: dict[Role, Access] = {Role.VIEWER: ACCESS_VIEWER, Role.EDITOR: ACCESS_EDITOR, Role.ADMIN: ACCESS_ADMIN}


class Authenticator:
    """Resolves secrets to identities, for the chassis; notes once a minute that a token is used, beside the call."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        # One a token, so bounded by the tokens that there are; a note that fails is made by a later call.
        self._notes: dict[int, asyncio.Task[None]] = {}

    async def __call__(self, secret: str) -> Identity | None:
        """Whom the secret lets in, or None."""
        if len(secret) != SECRET_LENGTH or not secret.startswith(PREFIX):
            return None
        async with self._engine.connect() as connection:
            bearer = await identity.bearer(connection, digest(secret))
        if bearer is None:
            return None
        if bearer.unused_lately:
            self._note(bearer.token_id)
        return Identity(bearer.workspace_id, bearer.token_id, _ACCESS[bearer.role], bearer.name)

    def _note(self, token_id: int) -> None:
        if token_id not in self._notes:
            task = asyncio.create_task(self._note_use(token_id))
            self._notes[token_id] = task
            task.add_done_callback(lambda _: self._notes.pop(token_id))

    async def _note_use(self, token_id: int) -> None:
        try:
            async with self._engine.begin() as connection:
                await identity.note_use(connection, token_id)
        except (SQLAlchemyError, OSError):
            log.warning("token_use_not_noted", token_id=token_id)
