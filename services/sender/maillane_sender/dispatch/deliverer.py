"""One message, from its turn to its outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import grpc
import structlog

from maillane_sender.dispatch.recent import Recent
from maillane_sender.dispatch.report import RETURNED, Report
from maillane_sender.message import BadValue, TemplateError
from maillane_sender.smtp import (
    MESSAGES_AT_WORK,
    ConnectFailed,
    Kind,
    PoolClosed,
    Revoked,
    Scope,
    Verdict,
    classify,
    classify_connect,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from maillane_chassis.clock import Clock

    from maillane_sender.dispatch.holding import Held
    from maillane_sender.dispatch.letters import Letter, Letters
    from maillane_sender.dispatch.lines import Line
    from maillane_sender.smtp import Pool

MAX_LOSSES: Final = 3
"""Connections lost in a row before a mailbox's server is found to be in trouble. One may be chance; and without an end
a server that always hangs up would get the same messages again and again."""

MAX_LOSING_MAILBOXES: Final = 1000
"""For which losses are counted."""

_NOT_NOW: Final = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.CANCELLED,
    }
)

_log = structlog.get_logger(__name__)


class Deliverer:
    """Sends messages, and says of each what became of it."""

    def __init__(self, letters: Letters, pool: Pool, clock: Clock) -> None:
        self._letters = letters
        self._pool = pool
        self._clock = clock
        self._losses: Recent[int, int] = Recent(MAX_LOSING_MAILBOXES)

    async def deliver(self, held: Held, line: Line, ready: Callable[[], None]) -> Report:
        """Sends a message on its lease, or not at all: content begins only while the lease is long enough.

        `ready` is called once the line's limit is known: more of it may then be worked at, behind this one. Where this
        is cancelled, `held.begun` says whether the message can have been sent.
        """
        try:
            async with line.turn:
                held.check(self._clock.monotonic())
                letter = await self._letters.letter(held.message)
                line.limit = letter.transport.max_connections * MESSAGES_AT_WORK
            ready()
            # Nothing is awaited in between: messages ask the pool in their order.
            verdict = await self._send(held, letter)
        except Revoked:
            return RETURNED
        except Exception as error:  # noqa: BLE001 - whatever it is, the message has an outcome
            return self._failed(held, error)
        return self._judged(held, verdict)

    async def _send(self, held: Held, letter: Letter) -> Verdict:
        return await self._pool.send(
            letter.transport,
            letter.envelope,
            lambda: letter.content(self._clock.wall()),
            lambda: held.begin(self._clock.monotonic()),
        )

    def _judged(self, held: Held, verdict: Verdict) -> Report:
        mailbox_id = held.message.mailbox_id
        report = Report.of(classify(verdict), verdict.code, verdict.line)
        if report.kind is not Kind.NOT_SENT or report.scope is not Scope.CONNECTION:
            self._losses.forget(mailbox_id)
            return report
        if held.revoked or not self._may_begin(held):
            return RETURNED
        losses = (self._losses.get(mailbox_id) or 0) + 1
        self._losses.put(mailbox_id, losses)
        if losses < MAX_LOSSES:
            return report
        return Report(Kind.NOT_SENT, Scope.SERVER, report.code, report.reply)

    def _may_begin(self, held: Held) -> bool:
        try:
            held.check(self._clock.monotonic())
        except Revoked:
            return False
        return True

    def _failed(self, held: Held, error: Exception) -> Report:
        """What it means that there is no verdict."""
        if isinstance(error, ConnectFailed):
            return Report.of(classify_connect(error), error.code or 0, error.reply.line if error.reply else str(error))
        if isinstance(error, BadValue) and error.field == "from":
            # No recipient's fault: the mailbox rests, and says why.
            return Report(Kind.NOT_SENT, Scope.MAILBOX, reply=str(error))
        if isinstance(error, BadValue):
            return Report(Kind.FAILED, Scope.RECIPIENT, reply=str(error))
        if isinstance(error, TemplateError):
            return Report(Kind.FAILED, Scope.CAMPAIGN, reply=f"the template: {error}")
        if isinstance(error, grpc.aio.AioRpcError):
            return self._unmade(held, error)
        return RETURNED if isinstance(error, PoolClosed) else self._unforeseen(held, error)

    def _unmade(self, held: Held, error: grpc.aio.AioRpcError) -> Report:
        """The scheduler did not say what the message is made from, or how to reach its server."""
        code = error.code()
        _log.warning("letter_not_made", message_id=str(held.message.message_id), code=code.name)
        if code in _NOT_NOW:
            # With a reason, unlike what is handed back as it was: it waits a moment before it is tried again.
            return Report(Kind.NOT_SENT, Scope.CONNECTION, reply=f"the scheduler did not answer ({code.name})")
        # Not for lack of a scheduler, so it would be the same at once again: the mailbox rests.
        return Report(Kind.NOT_SENT, Scope.MAILBOX, reply=f"the scheduler does not say how to send it ({code.name})")

    def _unforeseen(self, held: Held, error: Exception) -> Report:
        """A mistake of ours. It costs an attempt, or the message would come back at once, and so for ever."""
        _log.error("delivery_failed", message_id=str(held.message.message_id), exc_info=error)
        kind = Kind.UNCONFIRMED if held.begun else Kind.RETRY
        return Report(kind, Scope.CONNECTION, reply=f"the sender failed: {type(error).__name__}")
