"""Who may be at which connection: mailboxes take turns, and each sends in the order of asking."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from maillane_sender.smtp.protocol import Connection
    from maillane_sender.smtp.transport import Envelope, Transport


@dataclass(slots=True, eq=False)
class Berth:
    """A place at one mailbox's server, and the connection there, once there is one.

    One message is at it, or two where the envelope of the next rides behind the content of the one before.
    """

    transport: Transport
    connection: Connection | None = None
    messages: int = 0

    @property
    def takes_next(self) -> bool:
        """Whether another message may come to the one that is here."""
        return self.messages == 1 and self.connection is not None and self.connection.takes_next

    def abandon(self) -> None:
        """To be called by whose message does not come to its end: its envelope may have been written."""
        if self.connection is not None:
            self.connection.give_up()


@dataclass(slots=True, eq=False)
class _Waiting:
    transport: Transport
    envelope: Envelope
    turn: asyncio.Future[Berth]


class Berths:
    """At most `size` berths, and at most a mailbox's own limit of them at its server.

    A message gets a berth of its own where one is free, else it rides with another of its mailbox, else it waits. A
    berth that comes free goes to the mailbox that has the fewest: the others' messages ride where they are. Whose
    mailbox is at its limit holds up nobody else.
    """

    def __init__(self, size: int) -> None:
        self._free = size
        self._limits: dict[str, int] = {}
        self._taken: dict[str, list[Berth]] = {}
        self._waiting: OrderedDict[str, deque[_Waiting]] = OrderedDict()  # By mailbox; who was let in last comes last.

    def limit(self, mailbox_id: str, berths: int) -> None:
        """Sets how many a mailbox may have. What it has beyond that it keeps; it gets no other until they are left."""
        self._limits[mailbox_id] = berths
        self.look()

    def excess(self, mailbox_id: str, beside: int) -> int:
        """By how many a mailbox has more connections than it may: one at each of its berths, and those beside them."""
        return len(self._taken.get(mailbox_id, ())) + beside - self._limits[mailbox_id]

    def forget(self, mailbox_id: str) -> bool:
        """Forgets the limit of a mailbox for which nobody is here or waits; says whether that is so."""
        if mailbox_id in self._taken or mailbox_id in self._waiting:
            return False
        self._limits.pop(mailbox_id, None)
        return True

    def look(self) -> None:
        """Lets in who waits and may come now. To be called when a connection begins to take a next message."""
        if not self._waiting:
            return
        for mailbox_id in sorted(self._waiting, key=lambda mailbox_id: len(self._taken.get(mailbox_id, ()))):
            while (first := self._first(mailbox_id)) and (berth := self._find(first.transport)):
                self._let_in(first, berth)

    def following(self, berth: Berth) -> Envelope | None:
        """The envelope of who rides behind the content that is about to be written there, and is let in by this."""
        if berth.messages > 1 or berth.connection is None:
            return None
        first = self._first(berth.transport.mailbox_id)
        if first is None or first.transport != berth.transport or not berth.connection.carries(first.envelope):
            return None
        self._let_in(first, berth)
        return first.envelope

    async def take(self, transport: Transport, envelope: Envelope) -> Berth:
        """A berth for one message, which must `leave` it."""
        berth = self._find(transport)
        return self._enter(berth) if berth is not None else await self._wait(transport, envelope)

    def leave(self, berth: Berth) -> None:
        """One message is no longer there. Who leaves one as the last leaves its `connection` unset."""
        berth.messages -= 1
        if not berth.messages:
            self._free += 1
            mine = self._taken[berth.transport.mailbox_id]
            mine.remove(berth)
            if not mine:
                del self._taken[berth.transport.mailbox_id]
        self.look()

    async def _wait(self, transport: Transport, envelope: Envelope) -> Berth:
        waiting = _Waiting(transport, envelope, asyncio.get_running_loop().create_future())
        self._waiting.setdefault(transport.mailbox_id, deque()).append(waiting)
        try:
            return await waiting.turn
        except asyncio.CancelledError:
            if waiting.turn.cancelled():
                self._remove(waiting)
            else:
                # Got it in the moment of giving up.
                waiting.turn.result().abandon()
                self.leave(waiting.turn.result())
            raise

    def _first(self, mailbox_id: str) -> _Waiting | None:
        """Who of a mailbox asked first, and has not given up."""
        return next((waiting for waiting in self._waiting.get(mailbox_id, ()) if not waiting.turn.done()), None)

    def _find(self, transport: Transport) -> Berth | None:
        mine = self._taken.get(transport.mailbox_id, [])
        if self._free and len(mine) < self._limits[transport.mailbox_id]:
            return Berth(transport)
        return next((berth for berth in mine if berth.takes_next and berth.transport == transport), None)

    def _let_in(self, waiting: _Waiting, berth: Berth) -> None:
        self._waiting.move_to_end(berth.transport.mailbox_id)
        self._remove(waiting)
        waiting.turn.set_result(self._enter(berth))

    def _remove(self, waiting: _Waiting) -> None:
        line = self._waiting[waiting.transport.mailbox_id]
        line.remove(waiting)
        if not line:
            del self._waiting[waiting.transport.mailbox_id]

    def _enter(self, berth: Berth) -> Berth:
        if not berth.messages:
            self._free -= 1
            self._taken.setdefault(berth.transport.mailbox_id, []).append(berth)
        berth.messages += 1
        return berth
