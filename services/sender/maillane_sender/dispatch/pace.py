"""How fast the sender asks, renews, tells and repeats."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

_JITTER = 0.2
"""Give or take a fifth, so that senders that lost one scheduler do not ask the next in step."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds, all of them."""

    claim_wait_s: float = 20.0
    """A long poll: a third of a lease, so that what comes at its end has most of its lease left."""
    answer_s: float = 10.0
    """For an answer, beyond what the call itself waits for. The scheduler answers in milliseconds, or is in trouble."""
    renew_every_s: float = 5.0
    """What a person pauses comes back within this; a lease survives ten lost renewals."""
    settle_within_s: float = 0.05
    """How long an outcome waits for the next claim to take it along: one commit then does for both."""
    claim_answers_within_s: float = 0.02
    """A claim that is open for longer than this found nothing, and waits: outcomes are then told at once."""
    retry_first_s: float = 0.1
    retry_most_s: float = 1.0
    """A scheduler that restarts is back within a second or two, and wanted at once."""

    def pauses(self) -> Iterator[float]:
        """Between tries, for ever: doubling from the first to the most."""
        pause_s = self.retry_first_s
        while True:
            yield pause_s * random.uniform(1 - _JITTER, 1 + _JITTER)
            pause_s = min(self.retry_most_s, pause_s * 2)
