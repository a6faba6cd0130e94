"""Whether every sender has acknowledged that a workspace is stopped."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncEngine

from maillane_scheduler.store import stops
from maillane_scheduler.store.stops import Held

# Senders renew every 5 s, and are told then what to hand back; gateways wait 10 s for an answer.
WAIT_S = 8.0
LOOK_EVERY_S = 0.2
# From a renewal's answer until what it revoked is back.
HAND_BACK_S = 1.0
SENDERS_NAMED = 100


@dataclass(frozen=True, slots=True)
class Holding:
    """What a sender still holds; acknowledged: it has handed back what it had not begun."""

    sender_id: str
    messages: int
    acknowledged: bool


class Acknowledgements:
    """Of one stop. Claims are followed from when nothing new of the workspace can be claimed any more.

    A claim that was renewed since is one whose sender was told what to hand back; what it holds a moment later is in
    content, and ends by itself.
    """

    def __init__(self, held: Sequence[Held]) -> None:
        self._leases = {one.token: one.lease_until for one in held}
        self._told_at: dict[int, float] = {}

    @property
    def tokens(self) -> set[int]:
        """The claims to follow."""
        return set(self._leases)

    def look(self, held: Sequence[Held], now: float) -> list[Holding]:
        """Who holds what, given what is held now, by this process's monotonic clock."""
        holdings: dict[str, Holding] = {}
        for one in held:
            if one.lease_until > self._leases[one.token]:
                self._told_at.setdefault(one.token, now)
            acknowledged = now - self._told_at.get(one.token, now) >= HAND_BACK_S
            before = holdings.get(one.sender_id, Holding(one.sender_id, 0, acknowledged=True))
            holdings[one.sender_id] = Holding(
                one.sender_id, before.messages + one.messages, before.acknowledged and acknowledged
            )
        return list(holdings.values())


async def acknowledged(engine: AsyncEngine, workspace_id: int) -> list[Holding]:
    """Waits until every sender has acknowledged the stop of a workspace, for WAIT_S at most; returns who holds what.

    Only after the stop's commit and its barrier.
    """
    until = time.monotonic() + WAIT_S
    held = await _held(engine, workspace_id, None)
    acknowledgements = Acknowledgements(held)
    while True:
        now = time.monotonic()
        holdings = acknowledgements.look(held, now)
        if all(holding.acknowledged for holding in holdings) or now >= until:
            return holdings
        await asyncio.sleep(LOOK_EVERY_S)
        held = await _held(engine, workspace_id, acknowledgements.tokens)


async def _held(engine: AsyncEngine, workspace_id: int, tokens: set[int] | None) -> list[Held]:
    # No connection is kept while this waits.
    async with engine.connect() as connection:
        return await stops.held(connection, workspace_id, tokens)
