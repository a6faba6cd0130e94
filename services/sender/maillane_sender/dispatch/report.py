"""What became of a message, in the contract's words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from maillane.scheduler.v1 import dispatch_service_pb2 as pb

from maillane_sender.smtp import Kind, Outcome, Scope

if TYPE_CHECKING:
    from maillane_sender.dispatch.holding import Held

MAX_REPLY_CHARS: Final = 512
"""What is kept of a reply; the contract cuts there as well."""

_OUTCOMES: Final = {
    Kind.SENT: pb.OUTCOME_SENT,
    Kind.FAILED: pb.OUTCOME_FAILED,
    Kind.RETRY: pb.OUTCOME_RETRY,
    Kind.NOT_SENT: pb.OUTCOME_RETURNED,
    Kind.UNCONFIRMED: pb.OUTCOME_UNCONFIRMED,
}
_WORDS: Final = {kind: pb.Outcome.Name(outcome).removeprefix("OUTCOME_").lower() for kind, outcome in _OUTCOMES.items()}
_SCOPES: Final = {
    Scope.RECIPIENT: pb.OUTCOME_SCOPE_RECIPIENT,
    Scope.MAILBOX: pb.OUTCOME_SCOPE_MAILBOX,
    Scope.SERVER: pb.OUTCOME_SCOPE_SERVER,
    Scope.CAMPAIGN: pb.OUTCOME_SCOPE_CAMPAIGN,
    Scope.CONNECTION: pb.OUTCOME_SCOPE_CONNECTION,
}


@dataclass(frozen=True, slots=True)
class Report:
    """An outcome. `code` is 0 where the server gave none; `reply` is its answer on one line, or what else happened.

    `permit_spent`: of what is not sent, content had begun, or the server refused the recipient. `fewer_connections`: it
    was one too many.
    """

    kind: Kind
    scope: Scope
    code: int = 0
    reply: str = ""
    suppress: bool = False
    permit_spent: bool = False
    fewer_connections: bool = False

    @property
    def outcome(self) -> str:
        """In the contract's word, for logs and metrics."""
        return _WORDS[self.kind]

    @classmethod
    def of(cls, outcome: Outcome, code: int, reply: str) -> Report:
        """From what a server's answer was found to mean."""
        spent = outcome.kind is Kind.NOT_SENT and not outcome.refund
        return cls(outcome.kind, outcome.scope, code, reply, outcome.suppress, spent, outcome.fewer_connections)

    def settle(self, held: Held) -> pb.Settle:
        """As the scheduler is told."""
        return pb.Settle(
            message_id=held.message.message_id,
            token=held.lease.token,
            outcome=_OUTCOMES[self.kind],
            scope=_SCOPES[self.scope],
            # Whatever a library made of a broken reply, the contract knows only these.
            code=self.code if 200 <= self.code <= 599 else 0,
            reply=self.reply[:MAX_REPLY_CHARS],
            suppress=self.suppress,
            permit_spent=self.permit_spent,
            fewer_connections=self.fewer_connections,
        )


RETURNED: Final = Report(Kind.NOT_SENT, Scope.CONNECTION)
"""Handed back as it was. Nothing to say about it: it leaves no trace in the message's history."""

UNANSWERED: Final = Report(
    Kind.UNCONFIRMED, Scope.CONNECTION, reply="the sender stopped before the server answered to the content"
)
