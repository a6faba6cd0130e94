"""Single messages as people see them: with their due time, their last attempt, and all that may hold them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from maillane_chassis.errors import NotFound
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    Row,
    Select,
    any_,
    cast,
    extract,
    func,
    literal,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from maillane_scheduler import plan, templates
from maillane_scheduler.message import Attempt, Circumstances, Message, header_id, name_of
from maillane_scheduler.states import CampaignState, MailboxState, MessageState, ParkReason
from maillane_scheduler.store import tables
from maillane_scheduler.store.due import LAST_TIME
from maillane_scheduler.store.parks import GATE

# Far above what the settings allow as tries of one message; those that are not spent are beside it.
ATTEMPTS_READ = 1000
# Characters of a subject and a name with the recipient's values in them: 200 messages are to fit into an answer.
SHOWN = 998

_MESSAGES = tables.messages
_ATTEMPTS = tables.attempts
_CAMPAIGNS = tables.campaigns
_LANES = tables.lanes
_RESENDS = tables.resends
_HELD = literal(LAST_TIME, DateTime(timezone=True))


@dataclass(frozen=True, slots=True)
class Detail:
    """A message with each of its attempts, the first first, its variables, and what may hold it."""

    message: Message
    history: list[Attempt]
    variables: dict[str, str]
    about: Circumstances
    header_id: str = ""


async def read(connection: AsyncConnection, ids: Sequence[int]) -> list[Message]:
    """Messages by their ids, in that order."""
    if not ids:
        return []
    found = await connection.execute(_selected().where(_MESSAGES.c.id == any_(literal(list(ids), ARRAY(BigInteger)))))
    by_id = {row.id: _message(row) for row in found}
    return [by_id[id_] for id_ in ids if id_ in by_id]


async def get(connection: AsyncConnection, workspace_id: int, message_id: int) -> Detail:
    """A message of the workspace.

    Raises:
        NotFound: it has no such message.
    """
    mailboxes, workspaces = tables.mailboxes, tables.workspaces
    found = (
        _selected()
        .add_columns(
            _CAMPAIGNS.c.state.label("campaign_state"),
            _CAMPAIGNS.c.key,
            mailboxes.c.address,
            mailboxes.c.state.label("mailbox_state"),
            workspaces.c.stopped,
            _us(func.now()).label("now_us"),
        )
        .join(mailboxes, mailboxes.c.id == _MESSAGES.c.mailbox_id)
        .join(workspaces, workspaces.c.id == _CAMPAIGNS.c.workspace_id)
        .where(_MESSAGES.c.id == message_id, _CAMPAIGNS.c.workspace_id == workspace_id)
    )
    row = (await connection.execute(found)).first()
    if row is None:
        raise NotFound("there is no such message", reason="MESSAGE_NOT_FOUND")
    about = Circumstances(
        now_us=row.now_us,
        stopped=row.stopped,
        campaign_state=CampaignState(row.campaign_state),
        mailbox_state=MailboxState(row.mailbox_state),
        due_us=_due_us(row),
        retry_us=row.retry_us,
        parks=await _parks(connection, row.mailbox_id, row.campaign_id),
        resend_us=row.resend_us,
    )
    history = await _history(connection, message_id)
    header = header_id(row.id, row.key, row.address)
    return Detail(_message(row), history, json.loads(row.variables), about, header)


def _selected() -> Select[*tuple[Any, ...]]:
    last = (
        select(_ATTEMPTS.c.state.label("last_state"), _ATTEMPTS.c.settle_time, _ATTEMPTS.c.reply, _ATTEMPTS.c.code)
        .where(_ATTEMPTS.c.message_id == _MESSAGES.c.id)
        .order_by(_ATTEMPTS.c.settle_time.desc())
        .limit(1)
        .lateral("last")
    )
    lane = (_LANES.c.campaign_id == _MESSAGES.c.campaign_id) & (_LANES.c.mailbox_id == _MESSAGES.c.mailbox_id)
    # What a late settle has ended meanwhile does not wait any more.
    waits = (_RESENDS.c.message_id == _MESSAGES.c.id) & (_MESSAGES.c.state == int(MessageState.PENDING))
    return (
        select(
            _MESSAGES.c.id,
            _MESSAGES.c.campaign_id,
            _MESSAGES.c.mailbox_id,
            _MESSAGES.c.email,
            _MESSAGES.c.state,
            _MESSAGES.c.attempt,
            _MESSAGES.c.ordinal,
            _us(func.coalesce(_RESENDS.c.ready_time, func.nullif(_MESSAGES.c.retry_time, _HELD))).label("retry_us"),
            _us(_RESENDS.c.ready_time).label("resend_us"),
            _us(_LANES.c.base).label("base_us"),
            _CAMPAIGNS.c.delay_us,
            _MESSAGES.c.line,
            _MESSAGES.c.variables,
            _CAMPAIGNS.c.subject,
            *last.c,
        )
        .select_from(_MESSAGES)
        .join(_CAMPAIGNS, _CAMPAIGNS.c.id == _MESSAGES.c.campaign_id)
        .outerjoin(_LANES, lane)
        .outerjoin(_RESENDS, waits)
        .outerjoin(last, true())
    )


async def _parks(connection: AsyncConnection, mailbox_id: int, campaign_id: int) -> list[tuple[ParkReason, int, str]]:
    parks = tables.parks
    found = select(parks.c.reason, _us(parks.c.until_time).label("until_us"), parks.c.detail).where(
        parks.c.mailbox_id == mailbox_id,
        or_(parks.c.campaign_id == GATE, parks.c.campaign_id == campaign_id),
        parks.c.until_time > func.now(),
    )
    return [(ParkReason(row.reason), row.until_us, row.detail) for row in await connection.execute(found)]


async def _history(connection: AsyncConnection, message_id: int) -> list[Attempt]:
    found = (
        select(_ATTEMPTS)
        .where(_ATTEMPTS.c.message_id == message_id)
        .order_by(_ATTEMPTS.c.settle_time)
        .limit(ATTEMPTS_READ)
    )
    return [
        Attempt(
            number=row.number,
            mailbox_id=row.mailbox_id,
            claim_time=row.claim_time,
            settle_time=row.settle_time,
            state=MessageState(row.state),
            code=row.code,
            reply=row.reply,
        )
        for row in await connection.execute(found)
    ]


def _message(row: Row[*tuple[Any, ...]]) -> Message:
    state = MessageState(row.state)
    variables = json.loads(row.variables)
    return Message(
        id=row.id,
        campaign_id=row.campaign_id,
        mailbox_id=row.mailbox_id,
        recipient=row.email,
        state=state,
        due_us=_due_us(row),
        send_time=row.settle_time if row.last_state == state == MessageState.SENT else None,
        attempts=row.attempt,
        last_reply=row.reply or "",
        settle_time=row.settle_time if row.last_state == state else None,
        last_code=row.code or 0,
        line=row.line,
        subject=templates.fill(row.subject, variables).text[:SHOWN],
        recipient_name=name_of(variables)[:SHOWN],
        is_retry=row.retry_us is not None and row.retry_us == _due_us(row),
    )


def _due_us(row: Row[*tuple[Any, ...]]) -> int | None:
    return None if row.base_us is None else plan.due_us(row.base_us, row.ordinal, row.delay_us, row.retry_us)


def _us(instant: ColumnElement[Any]) -> ColumnElement[int]:
    """An instant in µs since the epoch, also one before the year 1, which no datetime holds."""
    return cast(extract("epoch", instant) * 1_000_000, BigInteger)
