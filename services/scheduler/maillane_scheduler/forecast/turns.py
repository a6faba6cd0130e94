"""One mailbox within one slice of time: which of its lanes send, at which pace, until what."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from heapq import heapify, heapreplace

from maillane_scheduler.forecast.trace import Run, Wait
from maillane_scheduler.forecast.world import Gate, Lane, Pace, Place

# What a message takes at least: some in flight at once, each for a few round trips.
LEAST_GAP_US = 10_000
NEVER_US = 2**62
# Turns that are walked one by one: with so few, what a part of a turn comes to would matter.
MOST_WALKED = 64
# Instants of each run that are listed to find one among them, where halving would take some steps more.
MOST_LISTED = 6
# Of a wait that is looked for: to a millionth of where it began.
_HALVINGS = 20


@dataclass(slots=True)
class LaneState:
    """A lane as far as it was walked.

    Attributes:
        next_us: when its next message may leave, by what is its own.
        running: it sends at a pace; else it joins at `next_us`.
        credit: of a turn that is shared, the part that it has not had yet.
    """

    lane: Lane
    count: int
    next_us: int
    running: bool = False
    credit: float = 0.0
    runs: list[Run] = field(default_factory=list)
    waits: list[Wait] = field(default_factory=list)
    spent: list[tuple[Pace, int, int]] = field(default_factory=list)
    place: Place = (0, 0)

    def sends(self, run: Run) -> None:
        """Takes a run of its messages."""
        self.runs.append(run)
        self.count -= run.count
        self.next_us = run.last_us + self.lane.gap_us
        self.running = True


@dataclass(slots=True)
class GateState:
    """A mailbox as far as it was walked.

    Attributes:
        hour, day: what is used of the current windows.
        hour_end_us, day_end_us: when these end.
        free: its limits cannot be met by what is left.
    """

    gate: Gate
    gap_us: int
    next_us: int
    hour: int
    day: int
    lanes: list[LaneState]
    hour_end_us: int = 0
    day_end_us: int = 0
    free: bool = False

    @classmethod
    def of(cls, gate: Gate, now_us: int) -> "GateState":
        """A mailbox as it is now."""
        lanes = [
            LaneState(lane, lane.count, max(lane.ready_us, now_us), place=lane.place)
            for lane in gate.lanes
            if lane.count
        ]
        day = gate.day.used if gate.day else 0
        gap_us = max(gate.gap_us, LEAST_GAP_US)
        return cls(gate, gap_us, max(gate.ready_us, now_us), gate.hour.used, day, lanes)

    def room(self) -> tuple[int, Wait]:
        """How many may still leave in this slice, and the wait that begins behind the last of them."""
        if self.free:
            return sum(lane.count for lane in self.lanes), Wait(Pace.HOURLY_LIMIT, 0, 0)
        allowed, day = self.gate.hour, self.gate.day
        hour = allowed.limit - self.hour
        if day is not None and day.limit - self.day <= hour:
            return max(0, day.limit - self.day), Wait(Pace.DAILY_LIMIT, 0, self.day_end_us, day.limit)
        return max(0, hour), Wait(Pace.HOURLY_LIMIT, 0, self.hour_end_us, allowed.limit)

    def earliest_us(self) -> int:
        """Before which nothing leaves: by pace, parks and limits. NEVER_US: nothing is left."""
        first = min((lane.next_us for lane in self.lanes if lane.count), default=NEVER_US)
        room, wait = self.room()
        return max(first, self.next_us, 0 if room else wait.until_us)

    def waiting(self) -> Iterator[LaneState]:
        """The lanes that have something left."""
        return (state for state in self.lanes if state.count)


def walk(state: GateState, start_us: int, end_us: int, cuts: Mapping[Place, int]) -> None:
    """Sends what leaves within [start, end), and moves the state to its end.

    Args:
        cuts: by lane, from when on its campaign's own limit stops it.
    """
    room, wait = state.room()
    at = max(start_us, state.next_us)
    while at < end_us and room > 0:
        left = [lane for lane in state.lanes if lane.count and at < cuts.get(lane.place, end_us)]
        if not left:
            return
        ready = [lane for lane in left if lane.running or lane.next_us <= at]
        if not ready:
            at = max(min(lane.next_us for lane in left), state.next_us)
            continue
        until = end_us
        for lane in left:
            if not lane.running and lane.next_us > at:
                until = min(until, lane.next_us)
            until = min(until, cuts.get(lane.place, end_us))
        sent, at = _segment(state, ready, at, until, room)
        room -= sent
        if room <= 0:
            _hold([lane for lane in left if lane.count], at, wait)


def _segment(state: GateState, ready: Sequence[LaneState], at: int, until: int, room: int) -> tuple[int, int]:
    """Sends within [at, until), in which the same lanes take part; returns how many, and up to when that holds."""
    if len(ready) == 1:
        return _free(state, ready, at, until, room)
    crowded = sum(state.gap_us / max(lane.lane.gap_us, 1) for lane in ready) > 1
    first = max(state.next_us, at)
    turns = Run(first, state.gap_us, room).before(until)
    if crowded and turns <= MOST_WALKED:
        return _walked(state, ready, first, until, turns)
    if joining := sorted((lane for lane in ready if not lane.running), key=lambda lane: lane.next_us):
        return _join(state, joining, at, until, room)
    return _contended(state, ready, first, until, turns) if crowded else _free(state, ready, at, until, room)


def _join(state: GateState, joining: Sequence[LaneState], at: int, until: int, room: int) -> tuple[int, int]:
    """A turn for each lane that joins, who could go for the longest time first: others wait for it already."""
    sent = 0
    for lane in joining:
        first = max(state.next_us, at)
        if first >= until or sent == room:
            return sent, until if sent < room else first
        _send(state, lane, Run(first, max(lane.lane.gap_us, state.gap_us), 1), until)
        state.next_us = first + state.gap_us
        sent += 1
    return sent, max(at, min(until, state.next_us))


def _free(state: GateState, ready: Sequence[LaneState], at: int, until: int, room: int) -> tuple[int, int]:
    """Each lane at its own pace: the mailbox's gap leaves room for all of them."""
    runs = []
    for lane in ready:
        step = max(lane.lane.gap_us, state.gap_us)
        run = Run(max(lane.next_us, state.next_us, at), step, lane.count)
        runs.append(run)
    counts = [run.before(until) for run in runs]
    if sum(counts) > room:
        until = _instant_of(runs, room, until)
        counts = _trimmed([run.before(until) for run in runs], room)
    for lane, run, count in zip(ready, runs, counts, strict=True):
        if count:
            _send(state, lane, Run(run.start_us, run.step_us, count), until)
            state.next_us = max(state.next_us, lane.runs[-1].last_us + state.gap_us)
    return sum(counts), until


def _contended(state: GateState, ready: Sequence[LaneState], first: int, until: int, turns: int) -> tuple[int, int]:
    """The lanes share the turns that the mailbox's gap leaves."""
    shares = _shares(tuple(lane.lane.gap_us for lane in ready), state.gap_us)
    # Up to the first lane that runs out: the others share anew from there.
    turns = min(turns, *(max(1, int((lane.count - lane.credit) / share)) for lane, share in _pairs(ready, shares)))
    counts = _dealt(ready, shares, turns)
    end = min(until, first + turns * state.gap_us)
    for place, (lane, count) in enumerate(zip(ready, counts, strict=True)):
        if count:
            step = max(1, turns * state.gap_us // count)
            start = first + min(place, turns - 1) * state.gap_us
            _send(state, lane, Run(start, step, count), end, crowded=step > max(lane.lane.gap_us, state.gap_us))
        lane.running = True
    state.next_us = first + turns * state.gap_us
    return sum(counts), end


def _walked(state: GateState, ready: Sequence[LaneState], first: int, until: int, turns: int) -> tuple[int, int]:
    """A few turns, one by one: each goes to who could go for the longest time."""
    times: list[list[int]] = [[] for _ in ready]
    queue = [(lane.next_us, place) for place, lane in enumerate(ready)]
    heapify(queue)
    at = first
    for turn in range(turns):
        next_us, place = queue[0]
        at = max(at, next_us)
        if at >= until:
            break
        times[place].append(at)
        at += state.gap_us
        if len(times[place]) == ready[place].count:
            # The others share anew from here.
            turns = turn + 1
            break
        heapreplace(queue, (times[place][-1] + ready[place].lane.gap_us, place))
    for lane, instants in zip(ready, times, strict=True):
        for run in _even(instants):
            _send(state, lane, run, until, crowded=len(instants) > 1)
        lane.running = True
    state.next_us = at
    return sum(map(len, times)), min(until, at)


def _even(instants: Sequence[int]) -> Iterator[Run]:
    """Instants as runs with an even step."""
    begin = 0
    while begin < len(instants):
        end = begin + 1
        step = instants[end] - instants[begin] if end < len(instants) else 1
        while end < len(instants) and instants[end] - instants[end - 1] == step:
            end += 1
        yield Run(instants[begin], step, end - begin)
        begin = end


def _send(state: GateState, lane: LaneState, run: Run, until: int, *, crowded: bool = False) -> None:
    own = Pace.DELAY if lane.lane.gap_us >= state.gap_us else Pace.MIN_GAP
    lane.spent.append((Pace.OTHER_CAMPAIGNS if crowded else own, run.start_us, min(until, run.last_us + run.step_us)))
    lane.sends(run)
    state.hour += run.count
    state.day += run.count


def _hold(lanes: Sequence[LaneState], since: int, wait: Wait) -> None:
    for lane in lanes:
        lane.running = False
        begin = max(lane.next_us, since)
        if begin < wait.until_us:
            lane.waits.append(Wait(wait.reason, begin, wait.until_us, wait.limit))
            lane.spent.append((wait.reason, begin, wait.until_us))


@lru_cache(maxsize=1024)
def _shares(gaps: tuple[int, ...], turn: int) -> list[float]:
    """Each lane's part of the turns, where together they want more than there are.

    Turns go to who could go for the longest time, so each lane waits about as long, W, once its gap is over: it has one
    turn each gap + W, and W is such that all turns are taken.
    """
    low, high = 0.0, float(turn * len(gaps))
    for _ in range(_HALVINGS):
        wait = (low + high) / 2
        if sum(turn / (gap + wait) for gap in gaps) > 1:
            low = wait
        else:
            high = wait
    parts = [turn / (gap + high) for gap in gaps]
    whole = sum(parts)
    return [part / whole for part in parts]


def _dealt(lanes: Sequence[LaneState], shares: Sequence[float], turns: int) -> list[int]:
    """Whole messages for each lane, in all as many as turns; what is left of a part stays as credit."""
    wanted = [min(lane.count, lane.credit + share * turns) for lane, share in _pairs(lanes, shares)]
    counts = [int(want) for want in wanted]
    order = sorted(range(len(lanes)), key=lambda place: (counts[place] - wanted[place], lanes[place].next_us))
    while sum(counts) < turns:
        spare = [place for place in order if counts[place] < lanes[place].count]
        if not spare:
            break
        for place in spare[: turns - sum(counts)]:
            counts[place] += 1
    for lane, want, count in zip(lanes, wanted, counts, strict=True):
        lane.credit = want - count
    return counts


def _pairs(lanes: Sequence[LaneState], shares: Sequence[float]) -> list[tuple[LaneState, float]]:
    return list(zip(lanes, shares, strict=True))


def _instant_of(runs: Sequence[Run], number: int, until: int) -> int:
    """The first instant before which so many, or more, leave; `until` if that is earlier."""
    low, high = min(run.start_us for run in runs), until
    begun, ended = [0] * len(runs), [run.before(until) for run in runs]
    # Halved until few are left, which are then looked through.
    while sum(ended) - sum(begun) > MOST_LISTED * len(runs):
        middle = (low + high) // 2
        counts = [run.before(middle) for run in runs]
        if sum(counts) >= number:
            high, ended = middle, counts
        else:
            low, begun = middle, counts
    instants = sorted(
        run.start_us + place * run.step_us
        for run, first, last in zip(runs, begun, ended, strict=True)
        for place in range(first, last)
    )
    behind = number - sum(begun)
    return instants[behind - 1] + 1 if behind <= len(instants) else until


def _trimmed(counts: list[int], room: int) -> list[int]:
    """Where several leave at the same µs, the last of them do not fit."""
    for place in reversed(range(len(counts))):
        over = sum(counts) - room
        if over > 0:
            counts[place] -= min(over, 1, counts[place])
    return counts
