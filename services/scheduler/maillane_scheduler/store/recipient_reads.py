"""Recipients of a campaign as previews and tests need them: whose values stand in the message."""

import json
from dataclasses import dataclass, field
from typing import Any

from maillane_chassis.errors import NotFound
from sqlalchemy import Row, Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from maillane_scheduler.store import tables

_MESSAGES = tables.messages


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody to write to; `message_id` and `mailbox_id` None where they are made up."""

    email: str = ""
    variables: dict[str, str] = field(default_factory=dict)
    message_id: int | None = None
    mailbox_id: int | None = None


async def of_message(connection: AsyncConnection, campaign_id: int, message_id: int) -> Person:
    """The recipient of a message of a campaign.

    Raises:
        NotFound: MESSAGE_NOT_FOUND, the campaign has no such message.
    """
    found = _selected().where(_MESSAGES.c.id == message_id, _MESSAGES.c.campaign_id == campaign_id)
    row = (await connection.execute(found)).first()
    if row is None:
        raise NotFound("the campaign has no such message", reason="MESSAGE_NOT_FOUND")
    return _person(row)


async def nth(connection: AsyncConnection, campaign_id: int, index: int) -> Person:
    """The n-th recipient of a campaign, from 0, in the order of the import: 0.2 s for the millionth.

    Raises:
        NotFound: RECIPIENT_NOT_FOUND, it has not so many.
    """
    # The index alone finds the id; the row is read once.
    ids = select(_MESSAGES.c.id).where(_MESSAGES.c.campaign_id == campaign_id).order_by(_MESSAGES.c.id)
    wanted = ids.offset(index).limit(1).scalar_subquery()
    row = (await connection.execute(_selected().where(_MESSAGES.c.id == wanted))).first()
    if row is None:
        raise NotFound("the campaign has not so many recipients", reason="RECIPIENT_NOT_FOUND")
    return _person(row)


def _selected() -> Select[*tuple[Any, ...]]:
    return select(_MESSAGES.c.id, _MESSAGES.c.email, _MESSAGES.c.variables, _MESSAGES.c.mailbox_id)


def _person(row: Row[*tuple[Any, ...]]) -> Person:
    return Person(row.email, json.loads(row.variables), row.id, row.mailbox_id)
