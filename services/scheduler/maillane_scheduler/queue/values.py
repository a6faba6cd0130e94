"""The values that go into the queue and come out of it. Ids are positive ints, instants are µs since the epoch."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

ParkReason = Literal["limit", "backoff", "window"]


@dataclass(frozen=True, slots=True)
class Sentinel:
    """Which generation is served, and the run of the server that it was loaded into."""

    generation: int
    run_id: str


@dataclass(frozen=True, slots=True)
class GateConfig:
    """What Postgres says of a mailbox, as of a revision of its row.

    Attributes:
        gap_us: the least time between two hand-outs of the mailbox, 0 for none.
        cap: messages in flight at once; 0 holds everything.
        parks: every park of the mailbox (a reason that is missing is lifted), or None to leave them as they are.
    """

    revision: int
    paused: bool
    gap_us: int
    cap: int
    parks: Mapping[ParkReason, int] | None = None


@dataclass(frozen=True, slots=True)
class LaneConfig:
    """What Postgres says of a campaign for one of its lanes, as of a revision of the campaign's row.

    Attributes:
        gap_us: the least time between two hand-outs of the lane, 0 for none.
    """

    revision: int
    paused: bool
    gap_us: int


@dataclass(frozen=True, slots=True)
class Standing:
    """How a lane stands: how many wait, when the first of them is due, and the last service of lane and gate."""

    waiting: int
    head_us: int | None
    served_us: int | None
    gate_served_us: int | None


@dataclass(frozen=True, slots=True)
class Tally:
    """What a lane holds: how many wait, how many of it are in flight; and the revisions it was told, 0 for none."""

    waiting: int
    flying: int
    gate_revision: int
    lane_revision: int

    @property
    def held(self) -> int:
        """Waiting or in flight."""
        return self.waiting + self.flying


@dataclass(frozen=True, slots=True)
class Offer:
    """A lane that can hand out `count` messages now, if all offers before it in the list are taken as well."""

    mailbox: int
    campaign: int
    count: int


@dataclass(frozen=True, slots=True)
class Due:
    """What can be handed out now, in serving order, and when to look again.

    Attributes:
        next_us: the next instant at which anything can be due, once every offer was taken; `now_us` if the slots did
            not suffice to see the end; None if nothing waits for time. Whoever takes less than was offered, or
            parks, looks again afterwards instead.
        now_us: the instant at which this was so, by the server's clock.
    """

    offers: list[Offer]
    next_us: int | None
    now_us: int


@dataclass(frozen=True, slots=True)
class Grant:
    """Up to `count` messages of a lane, for which there are permits.

    Attributes:
        is_last: no more permits can be reserved now.
    """

    mailbox: int
    campaign: int
    count: int
    is_last: bool = False


class Claimed(NamedTuple):
    """A message that a claim put in flight."""

    mailbox: int
    campaign: int
    message: int
    due_us: int


@dataclass(frozen=True, slots=True)
class Turn:
    """What was due, and what of it was taken: the lanes for which there were permits enough."""

    due: Due
    claimed: list[Claimed]

    def unmet(self) -> list[Offer]:
        """What was offered and not taken, in serving order."""
        taken = {(one.mailbox, one.campaign) for one in self.claimed}
        return [offer for offer in self.due.offers if (offer.mailbox, offer.campaign) not in taken]


class Settled(NamedTuple):
    """The end of a message's flight: gone, or back in its lane if there is a due time."""

    mailbox: int
    message: int
    token: int
    due_us: int | None = None


@dataclass(frozen=True, slots=True)
class Expired:
    """A claim whose hand-over lease ran out before anybody confirmed or settled it."""

    mailbox: int
    campaign: int
    message: int
    token: int
    due_us: int


@dataclass(frozen=True, slots=True)
class InFlight:
    """A message in flight, as the gate has it."""

    campaign: int
    message: int
    token: int
    due_us: int
