"""What is the sender's: messages, and the leases that they are held under."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from maillane_sender.smtp import Revoked

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from maillane.scheduler.v1 import dispatch_service_pb2 as pb

USUAL_LEASE_S = 60.0
"""Until a scheduler has said how long its leases are."""

MIN_LEASE_LEFT_S = 20.0
"""No content begins on less: time for a server's usual answer, for a few lost renewals, and for clocks that differ."""

LEASE_PARTS = 3
"""Of a lease shorter than three times that, a third must be left: else none of its messages could ever begin."""


@dataclass(slots=True)
class Lease:
    """Of one claim.

    `until_s` is by the clock that runs through a suspend, counted from before the sender asked, so that it ends here
    no later than at the scheduler. No content begins after `begin_until_s`. `unsettled` messages are held under it.
    """

    token: int
    until_s: float
    begin_until_s: float
    unsettled: int


@dataclass(slots=True, eq=False)
class Held:
    """A message that was claimed.

    `revoked`: it must not begin. `begun`: its first byte of content may have left, so that it is never handed back.
    """

    message: pb.ClaimedMessage
    lease: Lease
    revoked: bool = False
    begun: bool = False

    def check(self, now_s: float) -> None:
        """Holds the message against its lease.

        Raises:
            Revoked: it must not begin (any more).
        """
        if self.revoked or now_s > self.lease.begin_until_s:
            raise Revoked

    def begin(self, now_s: float) -> None:
        """Notes that its content begins now.

        Raises:
            Revoked: it must not, and has not.
        """
        self.check(now_s)
        self.begun = True


class Holding:
    """Counts what is held. A message occupies a slot until its outcome is known, and its lease until that is told.

    `lease_s` is how long the scheduler's leases are, by its last word.
    """

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self.lease_s = USUAL_LEASE_S
        self._leases: dict[int, Lease] = {}
        # In the order in which they were claimed.
        self._unfinished: dict[Held, None] = {}

    @property
    def free(self) -> int:
        """Slots that nothing occupies."""
        return self.slots - len(self._unfinished)

    @property
    def held(self) -> int:
        """Messages claimed and not settled."""
        return sum(lease.unsettled for lease in self._leases.values())

    @property
    def tokens(self) -> list[int]:
        """Of every lease under which something is held."""
        return list(self._leases)

    def unfinished(self) -> list[Held]:
        """Those without an outcome, in the order in which they were claimed."""
        return list(self._unfinished)

    def take(self, token: int, asked_s: float, lease_s: float, messages: Sequence[pb.ClaimedMessage]) -> list[Held]:
        """Takes what a claim brought that was asked for at this reading of the clock."""
        self.lease_s = lease_s or self.lease_s
        if not messages:
            return []
        lease = self._leases[token] = Lease(token, *_ends(asked_s, lease_s), len(messages))
        taken = [Held(message, lease) for message in messages]
        self._unfinished.update(dict.fromkeys(taken))
        return taken

    def finish(self, held: Held) -> None:
        """Its outcome is known."""
        del self._unfinished[held]

    def told(self, settles: Iterable[pb.Settle]) -> None:
        """Their outcomes are durable at the scheduler."""
        for settle in settles:
            lease = self._leases[settle.token]
            lease.unsettled -= 1
            if not lease.unsettled:
                del self._leases[settle.token]

    def renew(self, tokens: Collection[int], asked_s: float, lease_s: float) -> None:
        """Renews these leases, as far as they are still held, by an answer that was asked for at that reading."""
        self.lease_s = lease_s or self.lease_s
        for token in tokens:
            if (lease := self._leases.get(token)) is not None:
                lease.until_s, lease.begin_until_s = _ends(asked_s, lease_s)


def _ends(asked_s: float, lease_s: float) -> tuple[float, float]:
    return asked_s + lease_s, asked_s + lease_s - min(MIN_LEASE_LEFT_S, lease_s / LEASE_PARTS)
