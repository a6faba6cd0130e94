"""The same forecast by walking message by message, as gates, lanes and limits hand out: slow, and plain to see."""

from __future__ import annotations

from dataclasses import dataclass

from maillane_scheduler.forecast.turns import LEAST_GAP_US
from maillane_scheduler.forecast.world import Gate, Lane, Place, World


@dataclass
class _Lane:
    lane: Lane
    left: int
    next_us: int


@dataclass
class _Gate:
    gate: Gate
    next_us: int
    lanes: list[_Lane]


class Walker:
    """Hands out one message at a time, the earliest first, until nothing is left."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.gates = [
            _Gate(
                gate,
                max(gate.ready_us, world.now_us),
                [_Lane(lane, lane.count, max(lane.ready_us, world.now_us)) for lane in gate.lanes],
            )
            for gate in world.gates
        ]
        self.used: dict[tuple[str, int, int], int] = {}
        for gate in world.gates:
            self.used["hour", gate.mailbox, world.now_us // world.hour_us] = gate.hour.used
            self.used["day", gate.mailbox, world.now_us // world.day_us] = gate.day.used if gate.day else 0
        for campaign, allowed in world.campaigns.items():
            self.used["campaign", campaign, world.now_us // world.hour_us] = allowed.used

    def walk(self) -> dict[Place, list[int]]:
        """When each message of each lane leaves."""
        left: dict[Place, list[int]] = {lane.lane.place: [] for gate in self.gates for lane in gate.lanes}
        while (turn := self._next()) is not None:
            at, gate, lane = turn
            left[lane.lane.place].append(at)
            lane.left -= 1
            lane.next_us = at + lane.lane.gap_us
            gate.next_us = at + max(gate.gate.gap_us, LEAST_GAP_US)
            for key in self._counters(gate, lane, at):
                self.used[key] = self.used.get(key, 0) + 1
        return left

    def _next(self) -> tuple[int, _Gate, _Lane] | None:
        turns = [
            (at, lane.next_us, place, index)
            for place, gate in enumerate(self.gates)
            for index, lane in enumerate(gate.lanes)
            if lane.left and (at := self._allowed(gate, lane, max(gate.next_us, lane.next_us))) is not None
        ]
        if not turns:
            return None
        # Of those that can leave now, the one that could for the longest time.
        at, _, place, index = min(turns)
        return at, self.gates[place], self.gates[place].lanes[index]

    def _allowed(self, gate: _Gate, lane: _Lane, at: int) -> int:
        """The first instant from `at` on at which every limit has room."""
        while True:
            for key, limit, length in self._limits(gate, lane, at):
                if self.used.get(key, 0) >= limit:
                    at = (at // length + 1) * length
                    break
            else:
                return at

    def _limits(self, gate: _Gate, lane: _Lane, at: int) -> list[tuple[tuple[str, int, int], int, int]]:
        world, campaign = self.world, lane.lane.campaign
        hour, day = at // world.hour_us, at // world.day_us
        found = [(("hour", gate.gate.mailbox, hour), gate.gate.hour.limit, world.hour_us)]
        if gate.gate.day is not None:
            found.append((("day", gate.gate.mailbox, day), gate.gate.day.limit, world.day_us))
        if campaign in world.campaigns:
            found.append((("campaign", campaign, hour), world.campaigns[campaign].limit, world.hour_us))
        return found

    def _counters(self, gate: _Gate, lane: _Lane, at: int) -> list[tuple[str, int, int]]:
        return [key for key, _, _ in self._limits(gate, lane, at)]
