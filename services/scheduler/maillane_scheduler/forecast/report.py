"""What people are told of a forecast: by hour, and what sets the pace."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from maillane_scheduler.forecast.trace import Repeat, Run, Trace
from maillane_scheduler.forecast.world import LIMITS, Pace

# A limit that holds a lane up for less of the time than this does not set its pace.
_MATTERS = 0.05
# What holds a lane only until it begins.
_BEFORE = frozenset((Pace.START, Pace.PARKED))


@dataclass(frozen=True, slots=True)
class Binding:
    """What sets the pace, from when on, and of a limit how many it allows."""

    reason: Pace
    from_us: int
    limit: int | None = None


def binding(trace: Trace) -> Binding | None:
    """What binds a lane for most of its time: a limit, where one does for some of it; None where nothing leaves."""
    spent = {reason: us for reason, us in trace.spent_us.items() if us > 0}
    going = {reason: us for reason, us in spent.items() if reason not in _BEFORE} or spent
    if not going or trace.last_us is None or trace.first_us is None:
        return None
    matters = _MATTERS * max(1, trace.last_us - trace.first_us)
    limits = {reason: us for reason, us in going.items() if reason in LIMITS and us >= matters}
    # The wait for a day's end holds the waits for its hours' ends.
    reason = max(limits or going, key=going.__getitem__)
    return Binding(reason, trace.since_us[reason], trace.limits.get(reason))


def by_hour(trace: Trace, hour_us: int, until_us: int) -> Counter[int]:
    """How many leave in each hour that begins before an instant, by the hour's begin."""
    found: Counter[int] = Counter()
    for part in trace.parts:
        for run in _runs(part, until_us):
            if run.start_us >= until_us:
                break
            _spread(found, run, hour_us, until_us)
    return found


def first_runs(trace: Trace, most: int) -> list[Run]:
    """The first runs, those that go on at the same step as one."""
    found: list[Run] = []
    for run in trace.runs():
        last = found[-1] if found else None
        if last is not None and run.start_us - last.last_us == last.step_us and (run.step_us == last.step_us):
            found[-1] = Run(last.start_us, last.step_us, last.count + run.count)
        elif len(found) == most:
            break
        else:
            found.append(run)
    return found


def ends_last(traces: Iterable[tuple[int, Trace]]) -> tuple[int, Trace] | None:
    """The mailbox (and its trace) whose last message is the last of all; None where nothing leaves."""
    ended = [(trace.last_us, mailbox, trace) for mailbox, trace in traces if trace.last_us is not None]
    if not ended:
        return None
    _, mailbox, trace = max(ended, key=lambda end: (end[0], -end[1]))
    return mailbox, trace


def _runs(part: Run | Repeat, until_us: int) -> Iterable[Run]:
    if isinstance(part, Run):
        return (part,)
    times = range(min(part.times, max(0, _periods(part.runs, part.period_us, until_us))))
    return (run for time in times for run in part.at(time))


def _periods(runs: Sequence[Run], period_us: int, until_us: int) -> int:
    return (until_us - runs[0].start_us) // period_us + 1


def _spread(found: Counter[int], run: Run, hour_us: int, until_us: int) -> None:
    hour = run.start_us - run.start_us % hour_us
    last = min(run.last_us, until_us - 1)
    before = 0
    while hour <= last and before < run.count:
        upto = run.before(hour + hour_us)
        found[hour] += upto - before
        # The hour of the next: a gap may be longer than an hour.
        following = run.start_us + upto * run.step_us
        before, hour = upto, following - following % hour_us
