"""Permits at hand: reserved a little ahead, so that most claims need not ask the limiter first.

Bookkeeping only: no I/O, and time is passed in. Cycles share what is here, so each takes what it may use before its
first await, and puts the rest back.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from maillane_scheduler.dispatch.limiter import Granted
from maillane_scheduler.queue.values import Claimed

# What nobody used for so long goes back: others may need it, and a scheduler that dies takes it along.
HOLD_S = 1.0
# Of what a lane used in the last second or so. Less than all, so that next to nothing is left when its time is over.
SHARE = 0.5
# Whatever a lane uses: the limiter is asked some times a second then, which costs nothing beside the rest.
MOST_AHEAD = 1_000
# Lanes whose pace is known; each takes some 200 bytes. Beyond it, all begin anew.
MOST_LANES = 50_000
# Reservations that a lane holds something of. In the second that they are good for it asks less often.
MOST_LOTS = 32
# Lanes of which one turn is told. Those that are not served for lack of it are asked for like any other.
MOST_AT_HAND = 200

Lane = tuple[int, int]
"""(campaign, mailbox)."""


@dataclass(slots=True)
class _Lot:
    """What is left of one reservation."""

    granted: Granted
    left: int
    until: float


class Stock:
    """Some lots a lane, for a second each. Times are of the monotonic clock, in seconds."""

    def __init__(self) -> None:
        # The oldest first. What a new one leaves of those before is used yet, or goes back with others: a refund costs
        # as much as a reservation.
        self._lots: dict[Lane, list[_Lot]] = {}
        # How much each lane used lately, fading by HOLD_S, and when that was reckoned.
        self._paces: dict[Lane, tuple[float, float]] = {}
        self._asked: set[Lane] = set()

    def take(self, most: int, now: float) -> list[Granted]:
        """Takes up to `most` permits of each lane that has any, of one lot; what is not used must be put back.

        With their shortage, where it is known that no more can be reserved.
        """
        taken = []
        for lots in self._lots.values():
            usable = [lot for lot in lots if lot.left and now < lot.until]
            if usable:
                # The oldest that is enough, for its time is over first; where none is, what brings most.
                lot = next((lot for lot in usable if lot.left >= most), max(usable, key=lambda lot: lot.left))
                count = min(most, lot.left)
                lot.left -= count
                taken.append(replace(lot.granted, count=count))
                if len(taken) == MOST_AT_HAND:
                    break
        return taken

    def put_back(self, granted: Granted, count: int) -> bool:
        """Puts back permits that were taken and not used. False where their lot is gone: they are to be refunded."""
        for lot in self._lots.get(lane_of(granted), ()):
            if lot.granted.reservation_id == granted.reservation_id:
                lot.left += count
                return True
        return False

    def add(self, granted: Granted, now: float) -> list[Granted]:
        """Keeps permits for a lane, beside those of other reservations; returns what is too many, to be refunded."""
        if self.put_back(granted, granted.count):
            return []
        lots = self._lots.setdefault(lane_of(granted), [])
        lots.append(_Lot(granted, granted.count, min(now + HOLD_S, granted.good_until)))
        return _left([lots.pop(0)]) if len(lots) > MOST_LOTS else []

    def end(self, short: Granted, now: float) -> bool:
        """Notes of a lane that no more can be reserved than it has at hand; False where it has nothing at hand."""
        lots = [lot for lot in self._lots.get(lane_of(short), ()) if lot.left and now < lot.until]
        for lot in lots:
            lot.granted = replace(lot.granted, shortage=short.shortage)
        return bool(lots)

    def drop(self, lanes: Iterable[Lane]) -> list[Granted]:
        """Gives up the lots of lanes; returns what was left, to be refunded."""
        return _left([lot for lane in lanes for lot in self._lots.pop(lane, ())])

    def drop_idle(self, now: float) -> list[Granted]:
        """The same for all whose time is over."""
        over = [lot for lots in self._lots.values() for lot in lots if now >= lot.until]
        kept = {lane: [lot for lot in lots if now < lot.until] for lane, lots in self._lots.items()}
        self._lots = {lane: lots for lane, lots in kept.items() if lots}
        return _left(over)

    def drop_all(self) -> list[Granted]:
        """The same for all."""
        return self.drop(list(self._lots))

    @property
    def is_empty(self) -> bool:
        """Whether there is no lot, not even one of which nothing is left."""
        return not self._lots

    def rivals(self, short: Granted) -> list[Lane]:
        """Lanes with permits at hand that may share a limit with one that got too few."""
        campaign, address = short.terms.campaign, short.terms.address_key
        return [
            lane
            for lane, lots in self._lots.items()
            if any(lot.left and (lane[0] == campaign or lot.granted.terms.address_key == address) for lot in lots)
        ]

    # --- how much to ask for ------------------------------------------------------------------------------------------

    def begin_asking(self, lane: Lane) -> bool:
        """Whether to reserve ahead for a lane, and then `end_asking`: not where that goes on."""
        if lane in self._asked:
            return False
        self._asked.add(lane)
        return True

    def ahead(self, lane: Lane, now: float) -> int:
        """How many permits to reserve for a lane, beyond those that it needs now."""
        return min(MOST_AHEAD, int(SHARE * self._pace(lane, now)))

    def end_asking(self, lanes: Iterable[Lane]) -> None:
        """The limiter has answered, or has not."""
        self._asked.difference_update(lanes)

    def used(self, lane: Lane, count: int, now: float) -> None:
        """Notes that a lane used permits."""
        if len(self._paces) >= MOST_LANES:
            self._paces.clear()
        self._paces[lane] = (self._pace(lane, now) + count, now)

    def _pace(self, lane: Lane, now: float) -> float:
        lately, then = self._paces.get(lane, (0.0, now))
        return lately * math.exp((then - now) / HOLD_S)


def _left(lots: Iterable[_Lot]) -> list[Granted]:
    return [replace(lot.granted, count=lot.left, shortage=None) for lot in lots if lot.left]


def lane_of(of: Granted | Claimed) -> Lane:
    """Which lane it is for."""
    if isinstance(of, Claimed):
        return of.campaign, of.mailbox
    return of.terms.campaign, of.terms.mailbox
