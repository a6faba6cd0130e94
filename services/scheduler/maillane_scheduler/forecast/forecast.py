"""Forecasts a world: slices from one end of a window to the next, and over what repeats itself, a jump.

Mailboxes that share a campaign with a limit of its own are walked together, all others each for themselves. A slice
costs some µs a lane. Once mailboxes are, at the end of a window, just as they were at the end of an earlier one, what
lies between is repeated for as long as every lane has enough: so a million recipients cost what some windows do. What
does not repeat itself is walked for as long as that is quick, and goes on at its pace so far.
"""

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass

from maillane_scheduler.forecast.trace import Repeat, Run, Trace, Wait
from maillane_scheduler.forecast.turns import NEVER_US, GateState, LaneState, walk
from maillane_scheduler.forecast.world import Gate, Pace, Place, World

# Of lanes through slices, over all mailboxes: some 50 ms. After that, the pace so far is taken for the pace to come. Of
# a mailbox with one lane that is some weeks of hours.
MOST_WALKS = 4_000
# What a mailbox's slice costs beside its lanes, in walks of a lane.
_SLICE_WALKS = 3
# However many lanes there are: more than a day, so that a daily limit is met.
LEAST_SLICES = 30
# But not over so many mailboxes and lanes that this takes some 100 ms: there some hours must do, and their pace is held
# to what a day allows.
MOST_LEAST_WALKS = 10_000
FEWEST_SLICES = 3
# Of each lane: what a picture, or a person, can use.
MOST_WAITS = 50
# Credits that are so near each other are the same: they are sums of parts of turns.
_CREDIT_DIGITS = 6


def forecast(world: World) -> dict[Place, Trace]:
    """When the messages of every lane leave, as things stand.

    Exact where one lane has a mailbox to itself, or needs no turns with others; where lanes take turns, each message is
    within a few turns of its time. Lanes of mailboxes that are not in the world are not in the answer.
    """
    traces: dict[Place, Trace] = {}
    parts = [_Part(world, gates) for gates in _coupled(world)]
    slices = min(LEAST_SLICES, MOST_LEAST_WALKS // max(1, sum(part.slice_walks for part in parts)))
    for part in parts:
        part.run(max(max(FEWEST_SLICES, slices) * part.slice_walks, MOST_WALKS // len(parts)))
        traces |= part.traces
    return traces


def _coupled(world: World) -> Iterator[list[Gate]]:
    """Mailboxes that depend on one another, through campaigns with limits of their own."""
    groups: list[tuple[set[int], list[Gate]]] = []
    for gate in world.gates:
        limited = {lane.campaign for lane in gate.lanes if lane.campaign in world.campaigns}
        mine = [group for group in groups if group[0] & limited]
        groups = [group for group in groups if group not in mine]
        groups.append((limited.union(*(group[0] for group in mine)), [each for g in mine for each in g[1]] + [gate]))
    return (gates for _, gates in groups)


@dataclass(frozen=True, slots=True)
class _Look:
    """What was known at an instant: what each lane had left, how long its trace was, and what had bound it how long."""

    now_us: int
    counts: list[int]
    parts: list[int]
    spent: list[dict[Pace, int]]


class _Part:
    """Mailboxes that are walked together."""

    def __init__(self, world: World, gates: Sequence[Gate]) -> None:
        self._world = world
        self._now = world.now_us
        self._gates = [GateState.of(gate, world.now_us) for gate in gates]
        self._lanes = [lane for gate in self._gates for lane in gate.lanes]
        campaigns = {lane.lane.campaign for lane in self._lanes}
        self._limits = {c: allowed.limit for c, allowed in world.campaigns.items() if c in campaigns}
        self._used = {c: world.campaigns[c].used for c in self._limits}
        self._seen: dict[object, _Look] = {}
        self.traces = {lane.lane.place: Trace() for lane in self._lanes}
        self.slice_walks = sum(_SLICE_WALKS + len(gate.lanes) for gate in self._gates)
        self._walks = 0
        self._enter(world.now_us)
        self._note_starts()

    def run(self, walks: int) -> None:
        """Walks until nothing is left, or so many times a lane was walked."""
        while self._walks < walks:
            earliest = min(gate.earliest_us() for gate in self._gates)
            if earliest >= NEVER_US:
                return
            self._enter(earliest)
            end = self._end()
            self._slice(end)
            self._enter(end)
            self._jump()
        self._go_on_as_so_far()

    def _enter(self, instant: int) -> None:
        """Goes on to an instant, into the windows that it lies in."""
        hour_us, day_us, before = self._world.hour_us, self._world.day_us, self._now
        self._now = instant = max(instant, before)
        if instant // hour_us != before // hour_us:
            self._used = dict.fromkeys(self._used, 0)
        for gate in self._gates:
            gate.hour_end_us = instant - instant % hour_us + hour_us
            gate.day_end_us = instant - instant % day_us + day_us
            if instant // hour_us != before // hour_us:
                gate.hour = 0
            if instant // day_us != before // day_us:
                gate.day = 0

    def _end(self) -> int:
        """Where the slice ends: with a window, where one may matter."""
        gate = self._gates[0]
        if self._limits:
            return min(gate.hour_end_us, gate.day_end_us)
        # Once it is free, it stays so: what is left only gets less.
        gate.free = gate.free or not self._may_meet_a_limit(gate)
        return NEVER_US if gate.free else min(gate.hour_end_us, gate.day_end_us)

    def _may_meet_a_limit(self, state: GateState) -> bool:
        lanes = list(state.waiting())
        for allowed, used, window in (
            (state.gate.hour, state.hour, self._world.hour_us),
            (state.gate.day, state.day, self._world.day_us),
        ):
            if allowed is None:
                continue
            most = sum(min(lane.count, window // max(lane.lane.gap_us, state.gap_us) + 1) for lane in lanes)
            # Also of this window, in which less is left.
            if min(most, window // state.gap_us + 1) > allowed.limit - used:
                return True
        return False

    def _slice(self, end: int) -> None:
        cuts: dict[Place, int] = {}
        # Each round cuts at least one campaign off, earlier than before: few rounds do.
        for _ in range(2 * len(self._limits) + 1):
            gates = [_copied(gate) for gate in self._gates] if self._limits else self._gates
            self._walks += self.slice_walks
            for gate in gates:
                walk(gate, self._now, end, cuts)
            over = self._over(gates, end)
            if not over:
                break
            cuts |= over
        self._gates = gates
        self._lanes = [lane for gate in gates for lane in gate.lanes]
        self._note_cuts(cuts, end)
        for lane in self._lanes:
            self._keep(lane)

    def _over(self, gates: Sequence[GateState], end: int) -> dict[Place, int]:
        """Lanes of campaigns that sent more than their limit allows, and from when on it was used up."""
        found: dict[Place, int] = {}
        for campaign, limit in self._limits.items():
            lanes = [lane for gate in gates for lane in gate.lanes if lane.lane.campaign == campaign]
            room = max(0, limit - self._used[campaign])
            if sum(run.count for lane in lanes for run in lane.runs) > room:
                found |= _cuts(lanes, room, end)
        return found

    def _note_cuts(self, cuts: Mapping[Place, int], end: int) -> None:
        for lane in self._lanes:
            campaign = lane.lane.campaign
            if campaign in self._limits:
                self._used[campaign] += sum(run.count for run in lane.runs)
            if lane.place in cuts and lane.count:
                lane.running = False
                begin = max(lane.next_us, cuts[lane.place])
                if begin < end:
                    lane.waits.append(Wait(Pace.CAMPAIGN_LIMIT, begin, end, self._limits[campaign]))
                    lane.spent.append((Pace.CAMPAIGN_LIMIT, begin, end))

    def _keep(self, lane: LaneState) -> None:
        trace = self.traces[lane.lane.place]
        trace.parts += lane.runs
        for wait in lane.waits[: MOST_WAITS - len(trace.waits)]:
            trace.waits.append(wait)
        for wait in lane.waits:
            if wait.limit is not None:
                trace.limits[wait.reason] = wait.limit
        for reason, since, until in lane.spent:
            trace.spent_us[reason] = trace.spent_us.get(reason, 0) + until - since
            trace.since_us.setdefault(reason, since)
        lane.runs, lane.waits, lane.spent = [], [], []

    def _jump(self) -> None:
        """Repeats what lies between now and an instant at which everything was as it is now."""
        state = self._signature()
        traces = [self.traces[lane.lane.place] for lane in self._lanes]
        look = _Look(
            self._now,
            [lane.count for lane in self._lanes],
            [len(trace.parts) for trace in traces],
            [dict(trace.spent_us) for trace in traces],
        )
        before = self._seen.setdefault(state, look)
        if before is look:
            return
        sent = [then - now for then, now in zip(before.counts, look.counts, strict=True)]
        # One period less than there is enough for: a lane that ends is walked to its end.
        times = min(((left - 1) // each for left, each in zip(look.counts, sent, strict=True) if each), default=0) - 1
        if times < 1:
            return
        period = self._now - before.now_us
        for lane, trace, each, first, spent in zip(self._lanes, traces, sent, before.parts, before.spent, strict=True):
            lane.count -= each * times
            lane.next_us += period * times
            _repeat(trace, first, period, times, spent)
        for gate in self._gates:
            gate.next_us += period * times
        gates, campaigns = [(gate.hour, gate.day) for gate in self._gates], self._used
        self._enter(self._now + period * times)
        # The windows are others, but just as much is used of them.
        self._used = campaigns
        for gate, used in zip(self._gates, gates, strict=True):
            gate.hour, gate.day = used
        self._seen.clear()

    def _signature(self) -> object:
        """What the time to come depends on, seen from now: but not how many wait."""
        now, world = self._now, self._world
        has_days = any(gate.gate.day is not None for gate in self._gates)
        phase = (now % world.hour_us, now % world.day_us if has_days else 0)
        gates = tuple(
            (max(0, gate.next_us - now), gate.hour, gate.day if gate.gate.day is not None else 0)
            for gate in self._gates
        )
        lanes = tuple(
            (max(0, lane.next_us - now), lane.running, round(lane.credit, _CREDIT_DIGITS)) if lane.count else None
            for lane in self._lanes
        )
        # Who waited for the longest time goes first, however long that was.
        order = tuple(sorted(range(len(lanes)), key=lambda place: self._lanes[place].next_us))
        return phase, gates, lanes, order, tuple(self._used.values())

    def _go_on_as_so_far(self) -> None:
        """Ends what is left of each mailbox at its pace so far, without a look at windows, but for what a day allows.

        Lanes keep their own; those that would be left over at the end take up what the others do not use any more.
        """
        for gate in self._gates:
            left = [lane for lane in gate.lanes if lane.count]
            if not left:
                continue
            steps = [self._step_so_far(self.traces[lane.lane.place]) for lane in left]
            pace = sum(1 / step for step in steps)
            most = gate.gate.day.limit / self._world.day_us if gate.gate.day else pace
            slower, span_us = max(1.0, pace / most), sum(lane.count for lane in left) / min(pace, most)
            for lane, step in zip(left, steps, strict=True):
                start = max(self._now, lane.next_us)
                even = max(1, lane.lane.gap_us, gate.gap_us, int(min(step * slower, span_us / lane.count)))
                self.traces[lane.lane.place].parts.append(Run(start, even, lane.count))

    def _step_so_far(self, trace: Trace) -> int:
        """Between two messages of a lane, in µs, over all that was walked; an hour where there were none."""
        first, sent = trace.first_us, trace.count
        return max(1, (self._now - first) // sent) if first is not None and sent else self._world.hour_us

    def _note_starts(self) -> None:
        """What holds lanes from now on: a start ahead, a park, or a limit that is used up."""
        for gate in self._gates:
            room, used_up = gate.room()
            for state in gate.lanes:
                lane, now = state.lane, self._now
                waits = [Wait(lane.why, now, lane.ready_us), Wait(gate.gate.why, now, gate.gate.ready_us)]
                if not room:
                    waits.append(Wait(used_up.reason, now, used_up.until_us, used_up.limit))
                state.waits = [wait for wait in waits if wait.until_us > now]
                state.spent = [(wait.reason, now, wait.until_us) for wait in state.waits]
                self._keep(state)


def _repeat(trace: Trace, first: int, period: int, times: int, before: Mapping[Pace, int]) -> None:
    runs = [part for part in trace.parts[first:] if isinstance(part, Run)]
    if runs:
        trace.parts.append(Repeat(runs, period, times))
    for reason, spent in trace.spent_us.items():
        trace.spent_us[reason] = spent + (spent - before.get(reason, 0)) * times


def _copied(gate: GateState) -> GateState:
    fresh = copy(gate)
    fresh.lanes = [copy(lane) for lane in gate.lanes]
    for lane in fresh.lanes:
        lane.runs, lane.waits, lane.spent = [], [], []
    return fresh


def _cuts(lanes: Sequence[LaneState], room: int, end: int) -> dict[Place, int]:
    """Where each lane of a campaign stops, so that they send just as many as its limit has room for."""
    runs = [run for lane in lanes for run in lane.runs]
    low, high = min(run.start_us for run in runs), end
    while low < high:
        middle = (low + high + 1) // 2
        if sum(run.before(middle) for run in runs) <= room:
            low = middle
        else:
            high = middle - 1
    # Of those that leave at the very same µs, the first still fit.
    spare = room - sum(run.before(low) for run in runs)
    cuts = {}
    for lane in lanes:
        is_first = spare > 0 and any(run.before(low + 1) > run.before(low) for run in lane.runs)
        spare -= is_first
        cuts[lane.place] = low + is_first
    return cuts
