"""The limiter as its contract says it, without a counter: all is recomputed from the list of grants and refunds."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from maillane_ratelimit.permits import Allowance, Ask, Count, Counter, Grant, Return, Scope, Usage
from maillane_ratelimit.windows import Window

DEPLOYMENT = "_deployment"
MEMORY_US = 25 * 3600 * 1_000_000


def number(window: Window, time_us: int) -> int:
    return math.floor(Fraction(time_us + window.offset_us, window.length_us) * max(window.parts, 1))


def start(window: Window, bucket: int) -> int:
    return math.ceil(Fraction(bucket * window.length_us, max(window.parts, 1))) - window.offset_us


def counts(window: Window, of_us: int, at_us: int) -> bool:
    """Whether a permit of one instant counts at another."""
    return number(window, of_us) >= number(window, at_us) - window.parts


def home(counter: Counter, workspace: str) -> str:
    return DEPLOYMENT if counter.scope is Scope.DEPLOYMENT else workspace


@dataclass
class Entry:
    """One reservation, with what became of it: refund id to (taken, given back in the workspace, in the deployment)."""

    ask: Ask
    grant: Grant
    refunds: dict[str, tuple[int, int, int]] = field(default_factory=dict)

    def left(self) -> int:
        return self.grant.granted - sum(taken for taken, _, _ in self.refunds.values())

    def out(self) -> int:
        """Permits that somebody may use, or has used: what the world sees."""
        return self.grant.granted - sum(max(own, of_deployment) for _, own, of_deployment in self.refunds.values())

    def counted(self, counter: Counter) -> int:
        place = 2 if counter.scope is Scope.DEPLOYMENT else 1
        return self.grant.granted - sum(refund[place] for refund in self.refunds.values())

    def uses(self, counter: Counter, workspace: str) -> bool:
        return any(
            allowance.counter == counter and home(counter, self.ask.workspace_id) == workspace
            for allowance in self.ask.allowances
        )

    def known_until(self) -> int:
        at_us = self.grant.reserve_us
        windows = [allowance.counter.window for allowance in self.ask.allowances]
        return min(
            max(start(window, number(window, at_us) + window.parts + 1) for window in windows), at_us + MEMORY_US
        )


@dataclass
class LostError(Exception):
    workspaces: set[str]


class Model:
    """Entries are never forgotten. `epochs` are what the sentinels hold; only those of `trusted` are in force."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.restored: list[tuple[str, int, Count]] = []
        self.epochs: dict[str, int] = {}
        self.trusted: set[str] = set()

    def reserve(self, asks: Sequence[Ask], now: int) -> list[Grant]:
        asked = {home(allowance.counter, ask.workspace_id) for ask in asks for allowance in ask.allowances}
        lost = (asked | {ask.workspace_id for ask in asks}) - self.trusted
        if DEPLOYMENT in lost:
            raise LostError(lost)
        caps = self._caps(asks, now)
        grants = [
            self._reserve(ask, cap, now) if ask.workspace_id in self.trusted else None
            for ask, cap in zip(asks, caps, strict=True)
        ]
        if lost:
            raise LostError(lost)
        return [grant for grant in grants if grant]

    def refund(self, one: Return, now: int) -> int:
        entry = self._known(one.workspace_id, one.reservation_id, now)
        if entry is None or one.workspace_id not in self.trusted:
            return 0
        if one.refund_id not in entry.refunds:
            taken = min(one.permits, entry.left())
            if taken == 0:
                return 0
            own = taken if self._any_counts(entry, now, of_deployment=False) else 0
            of_deployment = (
                taken if self._backing_stands(entry) and self._any_counts(entry, now, of_deployment=True) else 0
            )
            entry.refunds[one.refund_id] = (taken, own, of_deployment)
        _, own, of_deployment = entry.refunds[one.refund_id]
        # A repeat asks the deployment again, which may have lost its counters since, and its memory with them.
        return max(own, of_deployment if self._backing_stands(entry) else 0)

    def _backing_stands(self, entry: Entry) -> bool:
        return DEPLOYMENT in self.trusted and entry.grant.deployment_epoch == self.epochs[DEPLOYMENT]

    def usage(self, workspace: str, counter: Counter, now: int) -> Usage:
        at = home(counter, workspace)
        if at not in self.trusted:
            raise LostError({at})
        window = counter.window
        return Usage(self.used(at, counter, now), start(window, number(window, now) + 1))

    def restore(self, workspace: str, epoch: int, counts_: Iterable[Count]) -> tuple[bool, int]:
        if epoch <= self.epochs.get(workspace, 0):
            return False, self.epochs[workspace]
        self.epochs[workspace] = epoch
        self.trusted.add(workspace)
        self.restored += [(workspace, epoch, count) for count in counts_]
        return True, epoch

    def used(self, workspace: str, counter: Counter, now: int) -> int:
        """What counts in the epoch in force."""
        epoch, window = self.epochs[workspace], counter.window
        of_entries = sum(
            entry.counted(counter)
            for entry in self.entries
            if entry.uses(counter, workspace)
            and _epoch(entry.grant, counter) == epoch
            and counts(window, entry.grant.reserve_us, now)
        )
        of_restore = sum(
            count.permits
            for at, of, count in self.restored
            if (at, of, count.counter) == (workspace, epoch, counter) and counts(window, count.reserve_us, now)
        )
        return of_entries + of_restore

    def ledger(self, workspace: str) -> list[Count]:
        """What a scheduler knows of a workspace from its claims, whatever the epoch."""
        return [
            Count(allowance.counter, entry.grant.reserve_us, entry.out())
            for entry in self.entries
            for allowance in entry.ask.allowances
            if home(allowance.counter, entry.ask.workspace_id) == workspace and entry.out()
        ]

    def passed_limits(self, now: int) -> list[Allowance]:
        """I8, as the world sees it, over all epochs: a fixed window, or any span of one length that ends now.

        Each grant of this instant is held against what had been granted until then.
        """
        return [
            allowance
            for place, entry in enumerate(self.entries)
            if entry.grant.reserve_us == now and entry.grant.granted
            for allowance in entry.ask.allowances
            if self._out(allowance.counter, entry.ask.workspace_id, place, now) > allowance.limit
        ]

    def _out(self, counter: Counter, workspace: str, last: int, now: int) -> int:
        return sum(
            entry.out()
            for entry in self.entries[: last + 1]
            if entry.uses(counter, home(counter, workspace))
            and _is_in_span(counter.window, entry.grant.reserve_us, now)
        )

    def _caps(self, asks: Sequence[Ask], now: int) -> list[tuple[int, int, int]]:
        """What the deployment grants before any workspace is asked: granted, place of the tightest, retry."""
        taken: list[tuple[Counter, int]] = []
        caps = []
        for ask in asks:
            used = self._used_and(DEPLOYMENT, taken)
            cap = _least(ask.wanted, _of(ask, deployment=True), (ask.wanted, -1, 0), used, now)
            taken += [(allowance.counter, cap[0]) for _, allowance in _of(ask, deployment=True)]
            caps.append(cap)
        return caps

    def _reserve(self, ask: Ask, cap: tuple[int, int, int], now: int) -> Grant:
        known = self._known(ask.workspace_id, ask.reservation_id, now)
        if known:
            return known.grant
        used = self._used_and(ask.workspace_id, [])
        granted, tightest, retry = _least(ask.wanted, _of(ask, deployment=False), cap, used, now)
        if tightest < 0:
            granted += self._ahead(ask, granted, used, now)
        windows = [allowance.counter.window for allowance in ask.allowances]
        grant = Grant(
            reservation_id=ask.reservation_id,
            granted=granted,
            epoch=self.epochs[ask.workspace_id],
            deployment_epoch=self.epochs[DEPLOYMENT] if _of(ask, deployment=True) else None,
            reserve_us=now,
            expire_us=min(start(window, number(window, now) + 1) for window in windows),
            tightest=tightest if tightest >= 0 else None,
            retry_us=retry if tightest >= 0 else None,
        )
        self.entries.append(Entry(ask, grant))
        return grant

    @staticmethod
    def _ahead(ask: Ask, granted: int, used: Callable[[Counter, int, int], int], now: int) -> int:
        """Beyond what was wanted: a twentieth of what is left at most, and nothing of the deployment."""
        if _of(ask, deployment=True):
            return 0
        left = min(one.limit - used(one.counter, now, now) - granted for one in ask.allowances)
        return min(ask.ahead, left // 20)

    def _used_and(self, workspace: str, taken: list[tuple[Counter, int]]) -> Callable[[Counter, int, int], int]:
        """What counts at an instant, where `taken` more were counted at another."""

        def used(counter: Counter, now: int, at: int) -> int:
            more = sum(n for of, n in taken if of == counter and counts(counter.window, now, at))
            return self.used(workspace, counter, at) + more

        return used

    def is_known(self, entry: Entry, now: int) -> bool:
        return entry.grant.epoch == self.epochs.get(entry.ask.workspace_id) and now < entry.known_until()

    def _known(self, workspace: str, reservation: str, now: int) -> Entry | None:
        named = (workspace, reservation)
        for entry in self.entries:
            if (entry.ask.workspace_id, entry.ask.reservation_id) == named and self.is_known(entry, now):
                return entry
        return None

    def _any_counts(self, entry: Entry, now: int, *, of_deployment: bool) -> bool:
        allowances = _of(entry.ask, deployment=of_deployment)
        return any(counts(one.counter.window, entry.grant.reserve_us, now) for _, one in allowances)


def _of(ask: Ask, *, deployment: bool) -> list[tuple[int, Allowance]]:
    return [
        (place, allowance)
        for place, allowance in enumerate(ask.allowances)
        if (allowance.counter.scope is Scope.DEPLOYMENT) == deployment
    ]


def _least(
    wanted: int,
    allowances: list[tuple[int, Allowance]],
    cap: tuple[int, int, int],
    used: Callable[[Counter, int, int], int],
    now: int,
) -> tuple[int, int, int]:
    frees = [(max(0, one.limit - used(one.counter, now, now)), place, one) for place, one in allowances]
    granted = min([wanted, cap[0], *(free for free, _, _ in frees)])
    if granted == wanted:
        return granted, -1, 0
    places = [place for free, place, _ in frees if free == granted]
    if cap[0] == granted and all(cap[1] < place for place in places):
        return cap
    tightest = min(places)
    allowance = next(one for _, place, one in frees if place == tightest)
    return granted, tightest, _retry(allowance, granted, used, now)


def _retry(allowance: Allowance, granted: int, used: Callable[[Counter, int, int], int], now: int) -> int:
    """Looks at each instant at which a bucket leaves, until a permit is free."""
    window, counter = allowance.counter.window, allowance.counter
    leaves = [start(window, number(window, now) + step) for step in range(1, window.parts + 2)]
    for at in leaves:
        still = granted if counts(window, now, at) else 0
        if used(counter, now, at) + still < allowance.limit:
            return at
    return leaves[-1]


def _epoch(grant: Grant, counter: Counter) -> int | None:
    return grant.deployment_epoch if counter.scope is Scope.DEPLOYMENT else grant.epoch


def _is_in_span(window: Window, of_us: int, now: int) -> bool:
    if window.parts:
        return now - window.length_us < of_us <= now
    return (of_us + window.offset_us) // window.length_us == (now + window.offset_us) // window.length_us
