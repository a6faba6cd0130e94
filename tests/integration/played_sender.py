"""A sender as the system machine plays it: what it holds, has begun, has to tell; and the truth of what was sent."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from maillane.scheduler.v1 import dispatch_service_pb2 as pb

_numbers = itertools.count(1)

Outcome: TypeAlias = "pb.Outcome.ValueType"

SENT, FAILED, RETRY = pb.OUTCOME_SENT, pb.OUTCOME_FAILED, pb.OUTCOME_RETRY
RETURNED, UNCONFIRMED = pb.OUTCOME_RETURNED, pb.OUTCOME_UNCONFIRMED


@dataclass
class Mail:
    """What mail servers saw: nobody else in the test knows it, and nothing corrects it.

    Attributes:
        taken: messages of which content began and was not refused for now since, or that were refused for good: whoever
            begins one again sends it twice.
        sent: messages that a server took, for sure.
        refused: messages that a server refused at least once.
        spent: (message, token) of each permit that was used: content began, or the recipient was refused.
        excused: messages that may end as UNCONFIRMED: their sender died, or lost its connection in content.
    """

    taken: set[int] = field(default_factory=set)
    sent: set[int] = field(default_factory=set)
    refused: set[int] = field(default_factory=set)
    spent: set[tuple[int, int]] = field(default_factory=set)
    excused: set[int] = field(default_factory=set)


@dataclass
class Hold:
    """A message that a sender has. Begun: in content. Leased: its lease is good, as far as the sender knows."""

    message: int
    token: int
    begun: bool = False
    leased: bool = True


class PlayedSender:
    """One sender process after another under one name. It keeps the contract of DispatchService to the letter."""

    def __init__(self, mail: Mail) -> None:
        self._mail = mail
        self.name = f"s{next(_numbers)}"
        self.start()

    def start(self) -> None:
        """A new process, which knows nothing."""
        self.incarnation = f"i{next(_numbers)}"
        self.holds: list[Hold] = []
        self.outbox: list[pb.Settle] = []
        self.open_claim: pb.ClaimMessagesRequest | None = None
        # Requests that were made, for a network that delivers one of them again.
        self.old_claims: list[pb.ClaimMessagesRequest] = []
        self.old_settles: list[pb.Settle] = []

    def crash(self, open_messages: Sequence[int]) -> None:
        """Dies without a word: what it held, had to tell or was being handed is nobody's to know."""
        self._mail.excused |= {hold.message for hold in self.holds} | {settle.message_id for settle in self.outbox}
        self._mail.excused |= set(open_messages)
        self.start()

    # --- calls --------------------------------------------------------------------------------------------------------

    def claim(self, slots: int) -> pb.ClaimMessagesRequest:
        """The claim that is open, unchanged; else a new one, with all that is to be told."""
        if self.open_claim is None:
            self.open_claim = pb.ClaimMessagesRequest(
                sender_id=self.name,
                incarnation=self.incarnation,
                claim_id=next(_numbers),
                slots=slots,
                settles=self.outbox,
            )
        return self.open_claim

    def recall(self) -> pb.ClaimMessagesRequest:
        """The open claim without slots, as a sender asks that drains."""
        request = pb.ClaimMessagesRequest()
        request.CopyFrom(self.claim(0))
        request.slots = 0
        return request

    def answered(self, request: pb.ClaimMessagesRequest, answer: pb.ClaimMessagesResponse) -> None:
        """Takes what a claim brought; its settles are told."""
        self.open_claim = None
        self.old_claims.append(request)
        self.told(request.settles)
        holds = [Hold(message.message_id, answer.token) for message in answer.messages]
        self.holds += holds
        for hold in holds:
            if hold.message in answer.revoked:
                self.end(hold, RETURNED)

    def told(self, settles: Sequence[pb.Settle]) -> None:
        """The scheduler has confirmed outcomes."""
        self.old_settles += settles
        self.outbox = [settle for settle in self.outbox if settle not in settles]

    def settle(self) -> pb.SettleMessagesRequest:
        """Tells what is to be told, without a claim."""
        return pb.SettleMessagesRequest(sender_id=self.name, incarnation=self.incarnation, settles=self.outbox)

    def renew(self) -> pb.RenewClaimsRequest:
        """Asks to keep what is held."""
        tokens = sorted({hold.token for hold in self.holds})
        return pb.RenewClaimsRequest(sender_id=self.name, incarnation=self.incarnation, tokens=tokens)

    def renewed(self, asked: pb.RenewClaimsRequest, answer: pb.RenewClaimsResponse) -> None:
        """Hands back what is revoked or lost, and not begun; the rest is leased again."""
        lost, revoked = set(answer.lost_tokens), set(answer.revoked)
        for hold in list(self.holds):
            if hold.token in lost or hold.message in revoked:
                if not hold.begun:
                    self.end(hold, RETURNED)
            elif hold.token in asked.tokens:
                hold.leased = True

    # --- work ---------------------------------------------------------------------------------------------------------

    def begin(self, hold: Hold) -> None:
        """The first byte of content leaves."""
        assert hold.message not in self._mail.taken, f"message {hold.message} is sent twice"
        hold.begun = True
        self._mail.taken.add(hold.message)
        self._mail.spent.add((hold.message, hold.token))

    def end(self, hold: Hold, outcome: Outcome, scope: pb.OutcomeScope.ValueType = pb.OUTCOME_SCOPE_RECIPIENT) -> None:
        """What became of it is known, to the sender."""
        self.holds.remove(hold)
        if outcome == FAILED:
            self._mail.taken.add(hold.message)
            self._mail.refused.add(hold.message)
            self._mail.spent.add((hold.message, hold.token))
        elif outcome == RETRY:
            self._mail.taken.discard(hold.message)
            self._mail.refused.add(hold.message)
            self._mail.spent.add((hold.message, hold.token))
        elif outcome == SENT:
            self._mail.sent.add(hold.message)
        elif outcome == UNCONFIRMED:
            self._mail.excused.add(hold.message)
        code = {SENT: 250, FAILED: 550, RETRY: 451}.get(outcome, 0)
        settle = pb.Settle(message_id=hold.message, token=hold.token, outcome=outcome, scope=scope, code=code)
        self.outbox.append(settle)
