"""What the link of a message is about, and what it does: its recipient gets nothing more from the workspace."""

from dataclasses import dataclass

from maillane_chassis.errors import NotFound
from sqlalchemy import func, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from maillane_scheduler.states import CampaignKind, SuppressionReason
from maillane_scheduler.store import audit, tables
from maillane_scheduler.store.audit import Actor

_SUPPRESSIONS = tables.suppressions


@dataclass(frozen=True, slots=True)
class Subject:
    """A message that carried a link: who wrote, and to whom.

    Attributes:
        sender: the display name of the mailbox, or its address.
        suppressed: the workspace does not write to the recipient any more, for whatever reason.
    """

    workspace_id: int
    campaign_id: int
    recipient: str
    sender: str
    is_test: bool
    suppressed: bool


def invalid() -> NotFound:
    """The refusal of a link that was not made here, or whose message is gone: the two must not be told apart."""
    return NotFound("this link is not valid", reason="UNSUBSCRIBE_TOKEN_INVALID")


async def subject(connection: AsyncConnection, message_id: int) -> Subject:
    """What a message's link is about.

    Raises:
        NotFound: UNSUBSCRIBE_TOKEN_INVALID, the message is gone.
    """
    messages, campaigns, mailboxes = tables.messages, tables.campaigns, tables.mailboxes
    suppressed = (
        select(literal(1))
        .where(
            _SUPPRESSIONS.c.workspace_id == campaigns.c.workspace_id,
            _SUPPRESSIONS.c.email == func.lower(messages.c.email),
        )
        .exists()
    )
    found = (
        select(
            campaigns.c.workspace_id,
            campaigns.c.id,
            messages.c.email,
            func.coalesce(func.nullif(mailboxes.c.display_name, ""), mailboxes.c.address),
            campaigns.c.kind == int(CampaignKind.TEST),
            suppressed,
        )
        .join(campaigns, campaigns.c.id == messages.c.campaign_id)
        .join(mailboxes, mailboxes.c.id == messages.c.mailbox_id)
        .where(messages.c.id == message_id)
    )
    row = (await connection.execute(found)).first()
    if row is None:
        raise invalid()
    return Subject(*row)


async def unsubscribe(connection: AsyncConnection, about: Subject, peer: str) -> None:
    """Suppresses a recipient for the workspace, from this commit on; one that is suppressed stays as it is."""
    row = insert(_SUPPRESSIONS).values(
        workspace_id=about.workspace_id,
        # Lower case by Postgres, as hand-outs compare it.
        email=func.lower(about.recipient),
        reason=int(SuppressionReason.UNSUBSCRIBED),
        campaign_id=about.campaign_id,
    )
    added = await connection.execute(row.on_conflict_do_nothing().returning(_SUPPRESSIONS.c.workspace_id))
    if added.first() is not None:
        by = Actor(about.workspace_id, None, "", peer)
        await audit.record(connection, by, "suppressions.unsubscribe", f"campaigns/{about.campaign_id}")
