"""Connections, reused per mailbox and bounded everywhere."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from maillane_sender.smtp.connect import ConnectFailed, Connector, ConnectStage
from maillane_sender.smtp.protocol import CLOSING_CODE, Connection
from maillane_sender.smtp.slots import Slots
from maillane_sender.smtp.verdict import Command, Stage, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from maillane_sender.smtp.transport import Envelope, Transport

CONCURRENCY = 5
"""Transactions at a time in one process, unless a setting says otherwise."""

IDLE_S = 5.0
"""How long a connection waits for its mailbox's next message. Servers wait longer, and count it till it closes."""

MAX_IDLE = 100
"""Idle connections over all mailboxes; beyond it the longest idle closes. Keeps file descriptors bounded."""

MAX_MESSAGES = 1000
"""On one connection, where the server names no limit: an end to whatever a connection accumulates on either side."""

VERIFY_CONCURRENCY = 5
"""Verifications at a time, beside the transactions: a person waits for them."""

_MAX_TRIES = 3
"""A stale connection, a fresh one that cannot pipeline, one without pipelining: there is no fourth case."""


class PoolClosed(Exception):
    """The pool is closed, or was closed meanwhile: nothing was sent."""


@dataclass(frozen=True, slots=True)
class VerifyResult:
    """Whether a mailbox can send: the step that failed and why, both None where none did."""

    failed: ConnectStage | None = None
    reason: str | None = None
    code: int | None = None

    @property
    def ok(self) -> bool:
        """Connecting, encrypting and authenticating worked."""
        return self.failed is None


class Pool:
    """Sends messages over reused connections.

    At most `concurrency` transactions at a time, and at most a mailbox's `max_connections` connections to it; who has
    to wait is served in the order of asking. A connection left idle closes after `idle_s`.
    """

    def __init__(self, connector: Connector, *, concurrency: int = CONCURRENCY, idle_s: float = IDLE_S) -> None:
        self._connector = connector
        self._idle_s = idle_s
        self._slots = Slots(concurrency)
        self._verify_slots = Slots(VERIFY_CONCURRENCY)
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
        mailbox = self._enter(transport)
        try:
            async with mailbox.slots, self._slots:
                if self._closed:
                    raise PoolClosed
                return await self._deliver(transport, envelope, content() if callable(content) else content, on_content)
        finally:
            self._forget(transport.mailbox_id)

    async def verify(self, transport: Transport) -> VerifyResult:
        """Connects, encrypts, authenticates and says goodbye, on a connection of its own; sends nothing."""
        async with self._verify_slots:
            try:
                connection = await self._connector.connect(transport)
            except ConnectFailed as failure:
                return VerifyResult(failure.stage, failure.reason, failure.code)
            try:
                await connection.quit()
            finally:
                connection.abort()
        return VerifyResult()

    async def close(self) -> None:
        """Closes every connection: idle ones with a goodbye, busy ones at once.

        Wait for what is to end well before this. Who still waits for a turn gets `PoolClosed`. Safe to repeat.
        """
        self._closed = True
        if self._sweep is not None:
            self._sweep.cancel()
        for connection in self._busy:
            connection.abort()
        for connection in list(self._idle):
            self._leave(connection)
        while self._goodbyes:
            await asyncio.gather(*self._goodbyes)

    async def _deliver(
        self, transport: Transport, envelope: Envelope, content: bytes, on_content: Callable[[], None]
    ) -> Verdict:
        begun = False

        def begin() -> None:
            nonlocal begun
            begun = True
            on_content()

        for tried in range(1, _MAX_TRIES + 1):
            connection = self._take_idle(transport) if tried == 1 else None
            reused = connection is not None
            if connection is None:
                connection = await self._connector.connect(transport)
            verdict = await self._transact(transport, connection, envelope, content, begin)
            if connection.misbehaved:
                self._connector.distrust_pipelining(transport)
            if begun or not (connection.misbehaved or (reused and _gone(verdict))):
                break
        return verdict

    async def _transact(
        self,
        transport: Transport,
        connection: Connection,
        envelope: Envelope,
        content: bytes,
        on_content: Callable[[], None],
    ) -> Verdict:
        if self._closed:
            connection.abort()
            raise PoolClosed
        self._busy.add(connection)
        try:
            return await connection.transact(envelope, content, on_content)
        finally:
            self._busy.discard(connection)
            self._give_back(transport, connection)

    def _enter(self, transport: Transport) -> _Mailbox:
        mailbox = self._mailboxes.get(transport.mailbox_id)
        if mailbox is None:
            mailbox = _Mailbox(transport, Slots(max(1, transport.max_connections)))
            self._mailboxes[transport.mailbox_id] = mailbox
        elif transport.revision > mailbox.transport.revision:
            mailbox.transport = transport
            mailbox.slots.resize(max(1, transport.max_connections))
            self._discard_idle(transport.mailbox_id)
        return mailbox

    def _forget(self, mailbox_id: str) -> None:
        mailbox = self._mailboxes.get(mailbox_id)
        if mailbox is not None and mailbox.slots.unused and not mailbox.idle:
            del self._mailboxes[mailbox_id]

    def _take_idle(self, transport: Transport) -> Connection | None:
        """The connection used last, for it is the least likely to have been given up by the server."""
        mailbox = self._mailboxes[transport.mailbox_id]
        for connection in mailbox.idle[::-1]:
            if not connection.usable:
                self._leave(connection)
            elif self._idle[connection].transport == transport:
                self._remove_idle(connection)
                return connection
        return None

    def _give_back(self, transport: Transport, connection: Connection) -> None:
        mailbox = self._mailboxes[transport.mailbox_id]
        limit = connection.features.mail_max or MAX_MESSAGES
        spent = connection.transactions >= limit or mailbox.transport != transport
        if not connection.usable or spent or self._closed:
            self._leave(connection)
            return
        now = asyncio.get_running_loop().time()
        self._idle[connection] = _Idle(transport, now + self._idle_s)
        mailbox.idle.append(connection)
        if len(self._idle) > MAX_IDLE:
            oldest, its = next(iter(self._idle.items()))
            self._leave(oldest)
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
            self._leave(connection)
            self._forget(idle.transport.mailbox_id)
        self._arm()

    def _discard_idle(self, mailbox_id: str) -> None:
        for connection in list(self._mailboxes[mailbox_id].idle):
            self._leave(connection)

    def _remove_idle(self, connection: Connection) -> None:
        if (idle := self._idle.pop(connection, None)) is not None:
            self._mailboxes[idle.transport.mailbox_id].idle.remove(connection)

    def _leave(self, connection: Connection) -> None:
        self._remove_idle(connection)
        if not connection.usable:
            connection.abort()
            return
        goodbye = asyncio.get_running_loop().create_task(connection.quit())
        self._goodbyes.add(goodbye)
        goodbye.add_done_callback(self._goodbyes.discard)


@dataclass(slots=True)
class _Mailbox:
    """`transport` is the newest seen."""

    transport: Transport
    slots: Slots
    idle: list[Connection] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Idle:
    """`until` is in the loop's seconds."""

    transport: Transport
    until: float


def _gone(verdict: Verdict) -> bool:
    """Whether a reused connection ended before this message: the server had given it up, or did so just then."""
    closing = verdict.code == CLOSING_CODE and verdict.command in (Command.RSET, Command.MAIL)
    return verdict.stage is Stage.ENVELOPE or closing
