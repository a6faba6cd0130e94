"""What a forecast says of a lane: runs of messages at an even pace, and spans of them that repeat."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from maillane_scheduler.forecast.world import Pace


@dataclass(frozen=True, slots=True)
class Run:
    """`count` messages, the first at `start_us`, each `step_us` after the one before."""

    start_us: int
    step_us: int
    count: int

    @property
    def last_us(self) -> int:
        """When the last leaves."""
        return self.start_us + (self.count - 1) * self.step_us

    def before(self, instant_us: int) -> int:
        """How many leave before an instant."""
        if instant_us <= self.start_us:
            return 0
        return min(self.count, -((self.start_us - instant_us) // self.step_us))

    def later(self, shift_us: int) -> "Run":
        """The same, later."""
        return Run(self.start_us + shift_us, self.step_us, self.count)


@dataclass(frozen=True, slots=True)
class Repeat:
    """Runs that come again, `times` times, each `period_us` after the time before; first a period after the runs."""

    runs: Sequence[Run]
    period_us: int
    times: int

    @property
    def each(self) -> int:
        """Messages in a period."""
        return sum(run.count for run in self.runs)

    def at(self, time: int) -> Iterator[Run]:
        """The runs of one of its times, from 0."""
        return (run.later((time + 1) * self.period_us) for run in self.runs)


@dataclass(frozen=True, slots=True)
class Wait:
    """A lane that waits, and why."""

    reason: Pace
    from_us: int
    until_us: int
    limit: int | None = None


@dataclass(slots=True)
class Trace:
    """When the messages of one lane leave, in order.

    Attributes:
        waits: the first of them, up to MOST_WAITS.
        spent_us: how long each reason bound the lane, in all.
        since_us: from when on it first did.
    """

    parts: list[Run | Repeat] = field(default_factory=list)
    waits: list[Wait] = field(default_factory=list)
    spent_us: dict[Pace, int] = field(default_factory=dict)
    since_us: dict[Pace, int] = field(default_factory=dict)
    limits: dict[Pace, int] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """Messages in all."""
        return sum(part.count if isinstance(part, Run) else part.each * part.times for part in self.parts)

    @property
    def first_us(self) -> int | None:
        """When the first leaves; None where none does."""
        return next((run.start_us for run in self.runs()), None)

    @property
    def last_us(self) -> int | None:
        """When the last leaves; None where none does."""
        if not self.parts:
            return None
        last = self.parts[-1]
        return last.last_us if isinstance(last, Run) else list(last.at(last.times - 1))[-1].last_us

    def runs(self) -> Iterator[Run]:
        """All runs, in order; there may be many of them."""
        for part in self.parts:
            if isinstance(part, Run):
                yield part
            else:
                for time in range(part.times):
                    yield from part.at(time)

    def time_us(self, position: int) -> int | None:
        """When the message at a position (from 0) leaves; None where the lane has none there."""
        left = position
        for part in self.parts:
            if isinstance(part, Run):
                if left < part.count:
                    return part.start_us + left * part.step_us
                left -= part.count
            elif left < part.each * part.times:
                return _within(part, left)
            else:
                left -= part.each * part.times
        return None

    def position(self, instant_us: int) -> int:
        """How many leave at an instant or before."""
        found = 0
        for part in self.parts:
            if isinstance(part, Run):
                found += part.before(instant_us + 1)
            else:
                found += _of_repeat(part, instant_us + 1)
        return found


def _within(part: Repeat, position: int) -> int:
    time, left = divmod(position, part.each)
    ends = list(accumulate(run.count for run in part.runs))
    place = bisect_right(ends, left)
    run = part.runs[place]
    before = ends[place] - run.count
    return run.start_us + (left - before) * run.step_us + (time + 1) * part.period_us


def _of_repeat(part: Repeat, instant_us: int) -> int:
    # Of all but the two times that the instant may lie in, all or nothing is before it.
    whole = min(part.times, max(0, (instant_us - part.runs[-1].last_us - 1) // part.period_us))
    rest = range(whole, min(part.times, whole + 2))
    return whole * part.each + sum(run.before(instant_us) for time in rest for run in part.at(time))
