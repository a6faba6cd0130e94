"""What the queue should do, in plain Python and with no index: every answer is computed from scratch.

`Model` has the commands of `Queue`, under the same names and with the same values; time is always given.
"""

from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field

from maillane_scheduler.queue import (
    Claimed,
    Due,
    Expired,
    GateConfig,
    Grant,
    InFlight,
    LaneConfig,
    Offer,
    Settled,
    Turn,
    keys,
)

MOST_SLACK_US = 50_000

Lane = tuple[int, int]
"""A mailbox and a campaign."""


@dataclass
class Service:
    """What gates and lanes have in common."""

    gap: int = 0
    last: int = 0
    parks: dict[str, int] = field(default_factory=dict)

    def clamp(self, now_us: int) -> None:
        """A last service in the future counts as now."""
        self.last = min(self.last, now_us)

    def score(self, first: int) -> int:
        """When it can do what could be done at `first` if nothing held it."""
        return max(first, self.last + self.gap, *self.parks.values(), 0)

    def park(self, reason: str, until_us: int) -> None:
        """Sets or lifts a park."""
        self.parks[reason] = until_us


@dataclass
class GateState(Service):
    """A mailbox."""

    revision: int = 0
    paused: bool = False
    cap: int = 5


@dataclass
class LaneState(Service):
    """A campaign in a mailbox; `flag` is (revision, paused), None before its first message or configuration."""

    messages: dict[int, int] = field(default_factory=dict)
    flag: tuple[int, bool] | None = None
    gap_revision: int = 0

    def order(self) -> list[tuple[int, int]]:
        """(due, message) in the order in which they leave."""
        return sorted((due, message) for message, due in self.messages.items())


class Model:
    """All that a queue holds, and what each command makes of it."""

    def __init__(self) -> None:
        self.gates: dict[int, GateState] = {}
        self.lanes: dict[Lane, LaneState] = {}
        self.flights: dict[int, dict[int, InFlight]] = {}
        self.leases: dict[tuple[int, int], int] = {}
        self.campaigns: dict[int, tuple[int, bool]] = {}

    # --- what follows from the state ----------------------------------------------------------------------------------

    def lane_score(self, lane: Lane) -> int | None:
        """When a lane can hand something out, but for its gate."""
        state = self.lanes[lane]
        if not state.messages or (state.flag and state.flag[1]):
            return None
        return state.score(state.order()[0][0])

    def lane_scores(self, mailbox: int) -> list[tuple[int, int]]:
        """(campaign, score) of a gate's lanes in serving order."""
        scores = ((lane[1], self.lane_score(lane)) for lane in self.lanes if lane[0] == mailbox)
        return in_serving_order(scores)

    def gate_score(self, mailbox: int) -> int | None:
        """When a gate can hand something out."""
        gate, lanes = self.gate(mailbox), self.lane_scores(mailbox)
        if not lanes or gate.paused or len(self.flying(mailbox)) >= gate.cap:
            return None
        return gate.score(lanes[0][1])

    def gate_scores(self) -> list[tuple[int, int]]:
        """(mailbox, score) in serving order."""
        return in_serving_order((mailbox, self.gate_score(mailbox)) for mailbox in {lane[0] for lane in self.lanes})

    def earliest(self) -> float:
        """The first gate's score."""
        return min((score for _, score in self.gate_scores()), default=float("inf"))

    def gate(self, mailbox: int) -> GateState:
        return self.gates.setdefault(mailbox, GateState())

    def lane(self, mailbox: int, campaign: int) -> LaneState:
        return self.lanes.setdefault((mailbox, campaign), LaneState())

    def flying(self, mailbox: int) -> dict[int, InFlight]:
        return self.flights.setdefault(mailbox, {})

    def touch(self, mailbox: int, campaigns: Sequence[int], now_us: int) -> None:
        """What a change does besides: clocks are clamped, and a lane that appears takes its campaign's flag."""
        self.gate(mailbox).clamp(now_us)
        for campaign in campaigns:
            lane = self.lane(mailbox, campaign)
            lane.clamp(now_us)
            if lane.messages:
                self.join(lane, campaign)

    def join(self, lane: LaneState, campaign: int) -> tuple[int, bool]:
        if lane.flag is None:
            lane.flag = self.campaigns.get(campaign, (0, False))
        return lane.flag

    # --- handing out --------------------------------------------------------------------------------------------------

    def due(self, slots: int, *, now_us: int) -> Due:
        offers = list(self.offers(slots, now_us))
        if slots and sum(offer.count for offer in offers) == slots:
            return Due(offers, now_us, now_us)
        after = deepcopy(self)
        after.claim(0, 0, [Grant(offer.mailbox, offer.campaign, offer.count) for offer in offers], now_us=now_us)
        waiting = [max(score, now_us) for _, score in after.gate_scores()]
        return Due(offers, min(waiting, default=None), now_us)

    def offers(self, slots: int, now_us: int) -> Iterator[Offer]:
        """Each gate's even share of the slots; then what is left of them to those that used all of theirs."""
        gates = [mailbox for mailbox, score in self.gate_scores() if score <= now_us][:slots]
        counts = dict.fromkeys(gates, 0)
        full = []
        for place, mailbox in enumerate(gates):
            share = -(-slots // (len(gates) - place))
            counts[mailbox] = self.ready(mailbox, share, now_us)
            slots -= counts[mailbox]
            full += [mailbox] if counts[mailbox] == share else []
        for mailbox in full:
            slots += counts[mailbox]
            counts[mailbox] = self.ready(mailbox, slots, now_us)
            slots -= counts[mailbox]
        return (offer for mailbox in gates for offer in self.of_gate(mailbox, counts[mailbox], now_us))

    def ready(self, mailbox: int, most: int, now_us: int) -> int:
        return sum(offer.count for offer in self.of_gate(mailbox, most, now_us))

    def of_gate(self, mailbox: int, most: int, now_us: int) -> Iterator[Offer]:
        """What a gate that is due can hand out of its lanes, in serving order."""
        turn = min(most, 1 if self.gate(mailbox).gap else self.gate(mailbox).cap - len(self.flying(mailbox)))
        for campaign, score in self.lane_scores(mailbox):
            lane = self.lane(mailbox, campaign)
            ready = 1 if lane.gap else sum(due <= now_us for due in lane.messages.values())
            count = min(turn, ready) if score <= now_us else 0
            turn -= count
            if count:
                yield Offer(mailbox, campaign, count)

    def claim(self, token: int, lease_us: int, grants: Sequence[Grant], *, now_us: int) -> list[Claimed]:
        claimed: list[Claimed] = []
        for grant in grants:
            mailbox, campaign = grant.mailbox, grant.campaign
            if not is_due(self.gate_score(mailbox), now_us) or not is_due(
                self.lane_score((mailbox, campaign)) if (mailbox, campaign) in self.lanes else None, now_us
            ):
                continue
            gate, lane = self.gate(mailbox), self.lane(mailbox, campaign)
            on_pace = self.lane_score((mailbox, campaign)) or 0
            room = 1 if gate.gap or lane.gap else gate.cap - len(self.flying(mailbox))
            ready = [(due, message) for due, message in lane.order() if due <= now_us]
            for due, message in ready[: min(room, grant.count)]:
                del lane.messages[message]
                self.flying(mailbox)[message] = InFlight(campaign, message, token, due)
                self.leases[mailbox, message] = now_us + lease_us
                claimed.append(Claimed(mailbox, campaign, message, due))
            gate.last = now_us
            lane.last = max(on_pace, now_us - min(MOST_SLACK_US, lane.gap // 10))
        return claimed

    def turn(
        self,
        token: int,
        lease_us: int,
        slots: int,
        permits: Sequence[Grant],
        leaving: Sequence[Settled],
        *,
        now_us: int,
    ) -> Turn:
        self.settle(leaving, now_us=now_us)
        due = self.due(slots, now_us=now_us)
        at_hand = {(permit.mailbox, permit.campaign): permit for permit in permits}
        grants = []
        for offer in due.offers:
            permit = at_hand.get((offer.mailbox, offer.campaign))
            if permit and (permit.is_last or permit.count >= offer.count):
                grants.append(Grant(offer.mailbox, offer.campaign, min(permit.count, offer.count)))
        return Turn(due, self.claim(token, lease_us, grants, now_us=now_us))

    def confirm(self, messages: Sequence[tuple[int, int]], *, now_us: int) -> None:
        for pair in messages:
            self.leases.pop(pair, None)

    def extend(self, messages: Sequence[tuple[int, int]], lease_us: int, *, now_us: int) -> None:
        flying = [pair for pair in messages if pair[1] in self.flying(pair[0])]
        self.leases |= dict.fromkeys(flying, now_us + lease_us)

    def settle(self, items: Sequence[Settled], *, now_us: int) -> int:
        done = 0
        for item in items:
            flying = self.flying(item.mailbox).get(item.message)
            if flying is None or flying.token != item.token:
                continue
            done += 1
            del self.flying(item.mailbox)[item.message]
            self.leases.pop((item.mailbox, item.message), None)
            returned = item.due_us is not None
            if item.due_us is not None:
                self.lane(item.mailbox, flying.campaign).messages[item.message] = item.due_us
            self.touch(item.mailbox, [flying.campaign] if returned else [], now_us)
        return done

    def expired(self, limit: int, *, now_us: int) -> list[Expired]:
        over = sorted((end, keys.lease_member(*pair), pair) for pair, end in self.leases.items() if end <= now_us)
        found = ((pair[0], self.flying(pair[0])[pair[1]]) for _, _, pair in over[:limit])
        return [Expired(mailbox, f.campaign, f.message, f.token, f.due_us) for mailbox, f in found]

    # --- filling ------------------------------------------------------------------------------------------------------

    def enqueue(self, mailbox: int, campaign: int, items: Sequence[tuple[int, int]], *, now_us: int) -> int:
        lane = self.lane(mailbox, campaign)
        before = len(lane.messages)
        lane.messages |= {message: due for message, due in items if message not in self.flying(mailbox)}
        self.touch(mailbox, [campaign], now_us)
        return len(lane.messages) - before

    def adopt(self, mailbox: int, campaign: int, items: Sequence[tuple[int, int, int]], *, now_us: int) -> None:
        for message, due, token in items:
            self.lane(mailbox, campaign).messages.pop(message, None)
            self.leases.pop((mailbox, message), None)
            self.flying(mailbox)[message] = InFlight(campaign, message, token, due)
        self.touch(mailbox, [campaign], now_us)

    def forget(self, mailbox: int, campaign: int, messages: Sequence[int], *, now_us: int) -> int:
        if not messages:
            # No call is made, so nothing is touched either: a last service in the future is not clamped.
            return 0
        lane = self.lane(mailbox, campaign).messages
        gone = [lane.pop(message) for message in messages if message in lane]
        self.touch(mailbox, [campaign], now_us)
        return len(gone)

    def clear_lane(self, mailbox: int, campaign: int, *, now_us: int) -> None:
        self.lane(mailbox, campaign).messages.clear()
        self.touch(mailbox, [campaign], now_us)

    def remove_gate(self, mailbox: int, *, now_us: int) -> None:
        self.gates.pop(mailbox, None)
        self.lanes = {lane: state for lane, state in self.lanes.items() if lane[0] != mailbox}

    # --- what holds lanes and gates -----------------------------------------------------------------------------------

    def park_gate(self, mailbox: int, reason: str, until_us: int, *, now_us: int) -> None:
        self.gate(mailbox).park(reason, until_us)
        self.touch(mailbox, [], now_us)

    def park_lane(self, mailbox: int, campaign: int, reason: str, until_us: int, *, now_us: int) -> None:
        self.lane(mailbox, campaign).park(reason, until_us)
        self.touch(mailbox, [campaign], now_us)

    def configure_gate(self, mailbox: int, config: GateConfig, *, now_us: int) -> bool:
        gate = self.gate(mailbox)
        if config.revision < gate.revision:
            return False
        gate.revision, gate.paused, gate.gap, gate.cap = config.revision, config.paused, config.gap_us, config.cap
        if config.parks is not None:
            gate.parks = dict(config.parks.items())
        self.touch(mailbox, [], now_us)
        return True

    def configure_lane(self, mailbox: int, campaign: int, config: LaneConfig, *, now_us: int) -> None:
        lane = self.lane(mailbox, campaign)
        if config.revision >= self.join(lane, campaign)[0]:
            lane.flag = (config.revision, config.paused)
        if config.revision >= lane.gap_revision:
            lane.gap_revision, lane.gap = config.revision, config.gap_us
        self.touch(mailbox, [campaign], now_us)

    def set_campaign(self, campaign: int, revision: int, paused: bool, *, now_us: int) -> bool:
        return self.flag_campaign(campaign, revision, paused, now_us, lambda lane: None)

    def cancel_campaign(self, campaign: int, revision: int, *, now_us: int) -> bool:
        return self.flag_campaign(campaign, revision, True, now_us, lambda lane: lane.messages.clear())

    def free_campaign(self, campaign: int, revision: int, *, now_us: int) -> bool:
        if revision < self.campaigns.get(campaign, (0, False))[0]:
            return False
        known = [lane for lane, state in self.lanes.items() if lane[1] == campaign and state.flag is not None]
        idle = [lane for lane in known if not self.lanes[lane].messages and not self.has_flying(lane)]
        for lane in idle:
            del self.lanes[lane]
        if len(idle) < len(known):
            return False
        self.campaigns.pop(campaign, None)
        return True

    def has_flying(self, lane: Lane) -> bool:
        """Whether something of a lane is in flight."""
        return any(flying.campaign == lane[1] for flying in self.flying(lane[0]).values())

    def flag_campaign(
        self, campaign: int, revision: int, paused: bool, now_us: int, act: Callable[[LaneState], None]
    ) -> bool:
        if revision < self.campaigns.get(campaign, (0, False))[0]:
            return False
        self.campaigns[campaign] = (revision, paused)
        for lane, state in list(self.lanes.items()):
            if lane[1] == campaign and state.flag is not None and state.flag[0] <= revision:
                act(state)
                state.flag = (revision, paused)
                self.touch(lane[0], [campaign], now_us)
        return True

    def restore_service(self, mailbox: int, campaign: int, last_us: int, *, now_us: int) -> None:
        for state in (self.gate(mailbox), self.lane(mailbox, campaign)):
            state.last = max(state.last, last_us)
        self.touch(mailbox, [campaign], now_us)


def in_serving_order(scores: Iterator[tuple[int, int | None]]) -> list[tuple[int, int]]:
    """(id, score) by score, equal ones by the bytes of the decimal id, as the server sorts them."""
    present = [(name, score) for name, score in scores if score is not None]
    return sorted(present, key=lambda pair: (pair[1], str(pair[0])))


def is_due(score: int | None, now_us: int) -> bool:
    """Whether something with that score can be served."""
    return score is not None and score <= now_us
