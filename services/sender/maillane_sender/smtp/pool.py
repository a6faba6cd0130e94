"""Connections, reused per mailbox and bounded everywhere."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from maillane_sender.smtp.berths import Berths
from maillane_sender.smtp.connect import Connector
from maillane_sender.smtp.protocol import CLOSING_CODE, Connection
from maillane_sender.smtp.verdict import Command, Stage, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from maillane_sender.smtp.berths import Berth
    from maillane_sender.smtp.transport import Envelope, Transport

CONCURRENCY = 5
"""Connections at work in one process, unless a setting says otherwise."""

MESSAGES_AT_WORK = 2
"""On one connection: one in its content, and one whose envelope rides behind it."""

IDLE_S = 5.0
"""How long a connection waits for its mailbox's next message. Servers wait longer, and count it till it closes."""

MAX_IDLE = 100
"""Idle connections over all mailboxes; beyond it the longest idle closes. Keeps file descriptors bounded."""

_MAX_TRIES = 3
"""A stale connection, a fresh one that cannot pipeline, one without pipelining: there is no fourth case."""


class PoolClosed(Exception):
    """The pool is closed, or was closed meanwhile: nothing was sent."""


class Pool:
    """Sends messages over reused connections.

    At most `concurrency` connections are at work at a time, and at most a mailbox's `max_connections` are open at its
    server, also idle ones, and those that say goodbye. Where some have to wait, mailboxes take turns, and the messages
    of each are served in the order of asking, or ride behind another of it where that comes first. A connection left
    idle closes after `idle_s`.
    """

    def __init__(self, connector: Connector, *, concurrency: int = CONCURRENCY, idle_s: float = IDLE_S) -> None:
        self._connector = connector
        self._idle_s = idle_s
        self._berths = Berths(concurrency)
        self._mailboxes: dict[str, _Mailbox] = {}
        self._busy: set[Connection] = set()
        self._idle: dict[Connection, _Idle] = {}  # The longest idle first.
        self._sweep: asyncio.TimerHandle | None = None
        self._goodbyes: set[asyncio.Task[None]] = set()
        self._closed = False

    @property
    def connections(self) -> int:
        """Connections that are open: in a transaction, or idle. Not those being opened."""
        return len(self._busy) + len(self._idle)

    async def send(
        self,
        transport: Transport,
        envelope: Envelope,
        content: bytes | Callable[[], bytes],
        on_content: Callable[[], None],
    ) -> Verdict:
        """Sends one message and says what became of it.

        `content` is wire-ready but for the final dot (CRLF lines, dot-stuffed, CRLF at the end); a callable is called
        once, when the message's turn has come, and what it raises is passed on, nothing having been sent. `on_content`
        is called at most once, synchronously, right before the first byte of content is written; where it raises
        `Revoked`, the message is not sent. A connection that the server gave up while idle, or one that cannot
        pipeline, is replaced unseen, as long as `on_content` was not called.

        When this is cancelled, the connection is closed; if `on_content` was called, nobody knows what became of it.

        Raises:
            ConnectFailed: nothing was sent.
            PoolClosed: nothing was sent.
            ValueError: the envelope or the content would break the conversation; nothing was sent.
        """
        self._learn(transport)
        try:
            berth = await self._berths.take(transport, envelope)
            try:
                return await self._send(berth, envelope, content, on_content)
            finally:
                self._berths.leave(berth)
        finally:
            self._forget(transport.mailbox_id)

    async def close(self) -> None:
        """Closes every connection: idle ones with a goodbye, busy ones at once.

        Wait for what is to end well before this. Who still waits for a turn gets `PoolClosed`. Safe to repeat.
        """
        self._closed = True
        if self._sweep is not None:
            self._sweep.cancel()
        for connection in self._busy:
            connection.abort()
        for connection, idle in list(self._idle.items()):
            self._leave(connection, idle.transport.mailbox_id)
        while self._goodbyes:
            await asyncio.gather(*self._goodbyes)

    async def _send(
        self,
        berth: Berth,
        envelope: Envelope,
        content: bytes | Callable[[], bytes],
        on_content: Callable[[], None],
    ) -> Verdict:
        try:
            return await self._deliver(berth, envelope, content() if callable(content) else content, on_content)
        except BaseException:
            berth.abandon()
            raise
        finally:
            self._leave_berth(berth)

    async def _deliver(
        self, berth: Berth, envelope: Envelope, content: bytes, on_content: Callable[[], None]
    ) -> Verdict:
        begun = False

        def begin() -> Envelope | None:
            nonlocal begun
            begun = True
            on_content()
            following = self._berths.following(berth)
            if following is None:
                # Its content is written right after this: from the loop's next turn on another may ride behind it.
                asyncio.get_running_loop().call_soon(self._berths.look)
            return following

        for tried in range(1, _MAX_TRIES + 1):
            connection, reused = await self._connection(berth, fresh=tried > 1)
            verdict = await connection.transact(envelope, content, begin)
            if connection.misbehaved:
                self._connector.distrust_pipelining(berth.transport)
            if begun or not (connection.misbehaved or (reused and _gone(verdict))):
                break
        return verdict

    async def _connection(self, berth: Berth, *, fresh: bool) -> tuple[Connection, bool]:
        """The connection of a berth: the one of who is there already, an idle one, a fresh one; and if it was used."""
        self._check_open()
        found = None if fresh else berth.connection or self._take_idle(berth.transport)
        connection = found or await self._connect(berth.transport)
        try:
            self._check_open()
        except PoolClosed:
            connection.abort()
            raise
        self._put(berth, connection)
        return connection, found is not None

    async def _connect(self, transport: Transport) -> Connection:
        """Opens a connection, once those that its server would have too many with it have said goodbye."""
        mailbox = self._mailboxes[transport.mailbox_id]
        while self._make_room(transport.mailbox_id) and mailbox.leaving:
            await asyncio.wait(mailbox.leaving, return_when=asyncio.FIRST_COMPLETED)
            self._check_open()
        return await self._connector.connect(transport)

    def _make_room(self, mailbox_id: str) -> bool:
        """Closes what is idle beyond a mailbox's limit, and says whether more than that is open yet."""
        mailbox = self._mailboxes[mailbox_id]
        while mailbox.idle and self._berths.excess(mailbox_id, len(mailbox.idle)) > 0:
            self._leave(mailbox.idle[0], mailbox_id)
        return self._berths.excess(mailbox_id, len(mailbox.idle) + len(mailbox.leaving)) > 0

    def _check_open(self) -> None:
        if self._closed:
            raise PoolClosed

    def _put(self, berth: Berth, connection: Connection) -> None:
        if berth.connection is not None and berth.connection is not connection:
            self._busy.discard(berth.connection)
            berth.connection.abort()
        berth.connection = connection
        self._busy.add(connection)

    def _leave_berth(self, berth: Berth) -> None:
        """To be called before the berth is left: who is the last there gives its connection back."""
        if berth.messages == 1 and berth.connection is not None:
            self._busy.discard(berth.connection)
            self._give_back(berth.transport, berth.connection)
            berth.connection = None

    def _learn(self, transport: Transport) -> None:
        """Takes what is newest of a mailbox for what holds."""
        mailbox = self._mailboxes.get(transport.mailbox_id)
        if mailbox is None:
            self._mailboxes[transport.mailbox_id] = _Mailbox(transport)
        elif transport.revision > mailbox.transport.revision:
            if mailbox.transport != transport:
                self._discard_idle(transport.mailbox_id)
            mailbox.transport = transport
        else:
            return
        self._berths.limit(transport.mailbox_id, max(1, transport.max_connections))
        self._make_room(transport.mailbox_id)

    def _forget(self, mailbox_id: str) -> None:
        mailbox = self._mailboxes.get(mailbox_id)
        if mailbox is not None and not mailbox.idle and not mailbox.leaving and self._berths.forget(mailbox_id):
            del self._mailboxes[mailbox_id]

    def _take_idle(self, transport: Transport) -> Connection | None:
        """The connection used last, for it is the least likely to have been given up by the server."""
        mailbox = self._mailboxes[transport.mailbox_id]
        for connection in mailbox.idle[::-1]:
            if not connection.usable:
                self._leave(connection, transport.mailbox_id)
            elif self._idle[connection].transport == transport:
                self._remove_idle(connection)
                return connection
        return None

    def _give_back(self, transport: Transport, connection: Connection) -> None:
        mailbox = self._mailboxes[transport.mailbox_id]
        spent = connection.spent or mailbox.transport != transport
        if not connection.usable or spent or self._closed:
            self._leave(connection, transport.mailbox_id)
            return
        now = asyncio.get_running_loop().time()
        self._idle[connection] = _Idle(transport, now + self._idle_s)
        mailbox.idle.append(connection)
        if len(self._idle) > MAX_IDLE:
            oldest, its = next(iter(self._idle.items()))
            self._leave(oldest, its.transport.mailbox_id)
            self._forget(its.transport.mailbox_id)
        self._arm()

    def _arm(self) -> None:
        """One timer for all: set when something becomes idle and none is set, for when the first of them expires."""
        if self._sweep is None and self._idle:
            due = next(iter(self._idle.values())).until
            self._sweep = asyncio.get_running_loop().call_at(due, self._expire)

    def _expire(self) -> None:
        self._sweep = None
        now = asyncio.get_running_loop().time()
        for connection, idle in list(self._idle.items()):
            if idle.until > now:
                break
            self._leave(connection, idle.transport.mailbox_id)
            self._forget(idle.transport.mailbox_id)
        self._arm()

    def _discard_idle(self, mailbox_id: str) -> None:
        for connection in list(self._mailboxes[mailbox_id].idle):
            self._leave(connection, mailbox_id)

    def _remove_idle(self, connection: Connection) -> None:
        if (idle := self._idle.pop(connection, None)) is not None:
            self._mailboxes[idle.transport.mailbox_id].idle.remove(connection)

    def _leave(self, connection: Connection, mailbox_id: str) -> None:
        self._remove_idle(connection)
        if not connection.usable:
            connection.abort()
            return
        goodbye = asyncio.get_running_loop().create_task(connection.quit())
        self._goodbyes.add(goodbye)
        self._mailboxes[mailbox_id].leaving.add(goodbye)
        goodbye.add_done_callback(lambda ended: self._left(ended, mailbox_id))

    def _left(self, goodbye: asyncio.Task[None], mailbox_id: str) -> None:
        self._goodbyes.discard(goodbye)
        self._mailboxes[mailbox_id].leaving.discard(goodbye)
        self._forget(mailbox_id)


@dataclass(slots=True)
class _Mailbox:
    """`transport` is the newest seen; `leaving` are the goodbyes of connections that its server has yet."""

    transport: Transport
    idle: list[Connection] = field(default_factory=list)
    leaving: set[asyncio.Task[None]] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Idle:
    """`until` is in the loop's seconds."""

    transport: Transport
    until: float


def _gone(verdict: Verdict) -> bool:
    """Whether a reused connection ended before this message: the server had given it up, or did so just then."""
    closing = verdict.code == CLOSING_CODE and verdict.command in (Command.RSET, Command.MAIL)
    return verdict.stage is Stage.ENVELOPE or closing
