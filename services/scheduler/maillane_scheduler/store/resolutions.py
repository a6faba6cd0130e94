"""What a person makes of a message of which nobody knows whether it arrived."""

from dataclasses import dataclass

from maillane_chassis.errors import FailedPrecondition, NotFound
from sqlalchemy import func, insert, literal, literal_column, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from maillane_scheduler.states import MessageState
from maillane_scheduler.store import audit, campaigns, counts, mailboxes, resends, tables
from maillane_scheduler.store.audit import Actor

_MESSAGES = tables.messages
_CAMPAIGNS = tables.campaigns
_ATTEMPTS = tables.attempts


@dataclass(frozen=True, slots=True)
class _Place:
    campaign_id: int
    mailbox_id: int
    state: MessageState


async def resend(connection: AsyncConnection, actor: Actor, message_id: int, wait_s: float) -> int:
    """Makes an unconfirmed message PENDING, to be sent again after a wait; changes nothing where it is so already.

    Returns its campaign, which the queue is to be told of: it may be open again.

    Args:
        wait_s: from when it became unconfirmed until its first try can no longer succeed.

    Raises:
        NotFound: the workspace has no such message.
        FailedPrecondition: MESSAGE_NOT_UNCONFIRMED, CAMPAIGN_ENDED (it was cancelled) or MAILBOX_DELETED.
    """
    place = await _find(connection, actor.workspace_id, message_id)
    await campaigns.lock_to_reopen(connection, actor.workspace_id, place.campaign_id)
    if place.mailbox_id not in await mailboxes.share_living(connection, place.campaign_id):
        raise FailedPrecondition("its mailbox is deleted", reason="MAILBOX_DELETED")
    if await resends.hold(connection, place.campaign_id, [message_id], wait_s):
        await audit.record(connection, actor, "message.resend", f"messages/{message_id}")
    else:
        await _check_state(connection, actor, message_id, MessageState.PENDING)
    return place.campaign_id


async def accept(connection: AsyncConnection, actor: Actor, message_id: int) -> None:
    """Takes an unconfirmed message as sent, with an attempt that says so; changes nothing where it is SENT already.

    Raises:
        NotFound: the workspace has no such message.
        FailedPrecondition: MESSAGE_NOT_UNCONFIRMED.
    """
    place = await _find(connection, actor.workspace_id, message_id)
    taken = await connection.execute(
        update(_MESSAGES)
        .where(_MESSAGES.c.id == message_id, _MESSAGES.c.state == int(MessageState.UNCONFIRMED))
        .values(state=int(MessageState.SENT))
    )
    if not taken.rowcount:
        await _check_state(connection, actor, message_id, MessageState.SENT)
        return
    await _note_accepted(connection, actor, message_id)
    await counts.add(connection, place.campaign_id, unconfirmed=-1, sent=1)
    await audit.record(connection, actor, "message.accept", f"messages/{message_id}")


async def _note_accepted(connection: AsyncConnection, actor: Actor, message_id: int) -> None:
    mine = _ATTEMPTS.c.message_id == message_id
    claimed = select(func.max(_ATTEMPTS.c.claim_time)).where(mine).scalar_subquery()
    settled = select(func.max(_ATTEMPTS.c.settle_time)).where(mine).scalar_subquery()
    row = select(
        _MESSAGES.c.id,
        _MESSAGES.c.campaign_id,
        func.coalesce(claimed, func.now()),
        # Behind what it became unconfirmed by, whatever the clock did since: the last attempt is the one that counts.
        func.greatest(func.now(), settled + literal_column("interval '1 microsecond'")),
        _MESSAGES.c.mailbox_id,
        _MESSAGES.c.attempt,
        literal(int(MessageState.SENT)),
        literal(0),
        literal(f"taken as sent by {actor.name}"),
    ).where(_MESSAGES.c.id == message_id)
    columns = [column.name for column in _ATTEMPTS.c]
    await connection.execute(insert(_ATTEMPTS).from_select(columns, row))


async def _find(connection: AsyncConnection, workspace_id: int, message_id: int) -> _Place:
    found = (
        select(_MESSAGES.c.campaign_id, _MESSAGES.c.mailbox_id, _MESSAGES.c.state)
        .join(_CAMPAIGNS, _CAMPAIGNS.c.id == _MESSAGES.c.campaign_id)
        .where(_MESSAGES.c.id == message_id, _CAMPAIGNS.c.workspace_id == workspace_id)
    )
    row = (await connection.execute(found)).first()
    if row is None:
        raise NotFound("there is no such message", reason="MESSAGE_NOT_FOUND")
    return _Place(row.campaign_id, row.mailbox_id, MessageState(row.state))


async def _check_state(connection: AsyncConnection, actor: Actor, message_id: int, wanted: MessageState) -> None:
    state = (await _find(connection, actor.workspace_id, message_id)).state
    if state is not wanted:
        raise FailedPrecondition(
            f"the message is not unconfirmed: it is {state.name}", reason="MESSAGE_NOT_UNCONFIRMED"
        )
