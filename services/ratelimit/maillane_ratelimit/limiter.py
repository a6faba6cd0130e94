"""Permits over all allowances of an ask, those of the whole deployment included, which lie in another slot.

No script reaches two slots, so permits of the deployment are reserved first, under an id of their own (the backing),
and what the workspace then does not grant is given back. Each call takes a new backing; the workspace's reservation
keeps the one with which it was made. So a repeated ask finds its old grant and gives back all of the new backing, and
whatever is interrupted half way leaves permits that are counted and not used: the safe side.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

import structlog
from redis.exceptions import RedisError

from maillane_ratelimit.counters import keys
from maillane_ratelimit.counters.counters import Answer, Cap, Counters, Demand, Refunded
from maillane_ratelimit.counters.lost import CountersLost
from maillane_ratelimit.permits import Allowance, Ask, Count, Counter, Grant, Return, Scope, Usage

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable, Sequence

ANSWER_S: Final = 1.5
"""For the whole of a call, however many scripts it takes: callers are promised an answer within 2 s, all included."""

RESTORE_S: Final = 8.0
"""For a restore, whose 100,000 counts take Redis some tenths of a second, and a busy one some more."""

_UNUSED: Final = ".unused"
"""The refund id for what the workspace did not grant. Callers' ids have no dot."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Backing:
    """The deployment's share in a reservation: enough to answer a repeat, and to give back."""

    reservation_id: str
    epoch: int
    reserve_us: int
    expire_us: int

    def __str__(self) -> str:
        return f"{self.reservation_id} {self.epoch} {self.reserve_us} {self.expire_us}"

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """The backing that was written so; None for an empty text."""
        if not text:
            return None
        reservation_id, *numbers = text.split()
        return cls(reservation_id, *map(int, numbers))


@dataclass(frozen=True, slots=True)
class _Capped:
    """An ask's permits of the deployment, as this call reserved them."""

    backing: Backing
    cap: Cap


class Limiter:
    """Reserves, refunds, measures and restores. All methods are safe to repeat, restore with a higher epoch only.

    All raise redis.RedisError or TimeoutError where Redis does not answer in time.
    """

    def __init__(self, counters: Counters) -> None:
        self._counters = counters

    async def reserve(self, asks: Sequence[Ask]) -> list[Grant]:
        """Reserves for each ask the least that all its allowances hold; see the rpc.

        Raises:
            CountersLost: of some workspaces. What others granted stands, and repeating the call brings it to light.
        """
        async with asyncio.timeout(ANSWER_S):
            capped = await self._reserve_of_deployment(asks)
            answers, lost = await self._reserve_of_workspaces(asks, capped)
            await self._return_unused(capped, answers, [i for i, ask in enumerate(asks) if ask.workspace_id in lost])
        if lost:
            raise CountersLost(lost)
        return [_grant(ask, answers[place]) for place, ask in enumerate(asks)]

    async def refund(self, returns: Sequence[Return]) -> list[int]:
        """Gives back for each return at most what is left of its reservation; see the rpc."""
        async with asyncio.timeout(ANSWER_S):
            refunds: dict[int, Refunded] = {}
            groups = _grouped(one.workspace_id for one in returns)
            await _gathered(self._refund_group(workspace, group, returns, refunds) for workspace, group in groups)
            return await self._refund_backings(returns, refunds)

    async def usage(self, workspace: str, counters: Sequence[Counter]) -> list[Usage]:
        """What counts now; those of the scope DEPLOYMENT are read in their own slot, in a second call.

        Raises:
            CountersLost: of the workspace or the deployment.
        """
        usages: dict[int, Usage] = {}
        async with asyncio.timeout(ANSWER_S):
            for home, places in _grouped(keys.home(counter, workspace) for counter in counters):
                found = await self._counters.usage(home, [counters[place] for place in places])
                usages.update(zip(places, found, strict=True))
        return [usages[place] for place in range(len(counters))]

    async def restore(self, workspace: str, epoch: int, counts: Sequence[Count]) -> tuple[bool, int]:
        """Replaces a workspace's counters under a new epoch: whether it did, and the epoch now in force."""
        async with asyncio.timeout(RESTORE_S):
            return await self._counters.restore(workspace, epoch, counts)

    async def _reserve_of_deployment(self, asks: Sequence[Ask]) -> dict[int, _Capped]:
        demands = {}
        for place, ask in enumerate(asks):
            if allowances := _allowances(ask, of_deployment=True):
                demands[place] = Demand(secrets.token_hex(8), ask.wanted, allowances)
        if not demands:
            return {}
        try:
            answers = await self._counters.reserve(keys.DEPLOYMENT, list(demands.values()))
        except CountersLost:
            # All that is lost is named at once, so that one round of restores is enough.
            raise CountersLost([keys.DEPLOYMENT, *await self._lost({ask.workspace_id for ask in asks})]) from None
        return {
            place: _Capped(
                Backing(demand.reservation_id, answer.epoch, answer.reserve_us, answer.expire_us),
                Cap(answer.granted, answer.tightest, answer.retry_us, answer.until_us),
            )
            for (place, demand), answer in zip(demands.items(), answers, strict=True)
        }

    async def _reserve_of_workspaces(
        self, asks: Sequence[Ask], capped: dict[int, _Capped]
    ) -> tuple[dict[int, Answer], set[str]]:
        answers: dict[int, Answer] = {}
        lost: set[str] = set()

        async def reserve(workspace: str, places: list[int]) -> None:
            demands = [_demand(asks[place], capped.get(place)) for place in places]
            try:
                answers.update(zip(places, await self._counters.reserve(workspace, demands), strict=True))
            except CountersLost:
                lost.add(workspace)

        await _gathered(reserve(*group) for group in _grouped(ask.workspace_id for ask in asks))
        return answers, lost

    async def _return_unused(self, capped: dict[int, _Capped], answers: dict[int, Answer], refused: list[int]) -> None:
        """Gives back what the deployment granted and the workspace did not.

        Only where that is certain: where a script's answer got lost, its reservation may stand on that backing.
        """
        unused = []
        for place, one in capped.items():
            if place in answers:
                is_new = answers[place].backing == str(one.backing)
                permits = one.cap.granted - (answers[place].granted if is_new else 0)
            else:
                permits = one.cap.granted if place in refused else 0
            if permits:
                unused.append(Return(one.backing.reservation_id, keys.DEPLOYMENT, _UNUSED, permits))
        if not unused:
            return
        try:
            await self._counters.refund(keys.DEPLOYMENT, unused)
        except RedisError:
            # The grants stand; only the deployment's window counts some permits too many.
            _log.warning("deployment_permits_stranded", reservations=len(unused), exc_info=True)

    async def _lost(self, workspaces: Iterable[str]) -> list[str]:
        lost = []

        async def look(workspace: str) -> None:
            try:
                await self._counters.usage(workspace, [])
            except CountersLost:
                lost.append(workspace)

        await _gathered(look(workspace) for workspace in workspaces)
        return lost

    async def _refund_group(
        self, workspace: str, places: list[int], returns: Sequence[Return], refunds: dict[int, Refunded]
    ) -> None:
        found = await self._counters.refund(workspace, [returns[place] for place in places])
        refunds.update(zip(places, found, strict=True))

    async def _refund_backings(self, returns: Sequence[Return], refunds: dict[int, Refunded]) -> list[int]:
        """Follows the workspaces' refunds with the deployment's, by the same ids, so that a repeat completes them."""
        refunded = [refunds[place].returned for place in range(len(returns))]
        behind = {}
        for place, one in enumerate(returns):
            backing = Backing.parse(refunds[place].backing)
            if backing and refunds[place].taken:
                reservation_id, permits = backing.reservation_id, refunds[place].taken
                behind[place] = Return(reservation_id, keys.DEPLOYMENT, one.refund_id, permits)
        if behind:
            found = await self._counters.refund(keys.DEPLOYMENT, list(behind.values()))
            for place, one_found in zip(behind, found, strict=True):
                refunded[place] = max(refunded[place], one_found.returned)
        return refunded


def _allowances(ask: Ask, *, of_deployment: bool) -> tuple[tuple[int, Allowance], ...]:
    return tuple(
        (place, allowance)
        for place, allowance in enumerate(ask.allowances)
        if (allowance.counter.scope is Scope.DEPLOYMENT) is of_deployment
    )


def _demand(ask: Ask, capped: _Capped | None) -> Demand:
    allowances = _allowances(ask, of_deployment=False)
    if capped is None:
        return Demand(ask.reservation_id, ask.wanted, allowances, ask.ahead)
    # The deployment grants nothing ahead, and neither does, under its cap, the workspace: with many lanes at work, most
    # of the deployment's permits would be held by those that do not need them yet.
    return Demand(ask.reservation_id, ask.wanted, allowances, 0, capped.cap, str(capped.backing))


def _grant(ask: Ask, answer: Answer) -> Grant:
    backing = Backing.parse(answer.backing)
    expires = [answer.expire_us] if answer.expire_us else []
    reserve_us = answer.reserve_us
    if backing:
        expires.append(backing.expire_us)
        # Another slot may have another server, with a clock of its own. The later of the two times lies in the window
        # that was counted of each allowance, or else beyond the end of one, and then the permit is void at once.
        reserve_us = max(reserve_us, backing.reserve_us)
    short = answer.tightest >= 0
    return Grant(
        reservation_id=ask.reservation_id,
        granted=answer.granted,
        epoch=answer.epoch,
        deployment_epoch=backing.epoch if backing else None,
        reserve_us=reserve_us,
        expire_us=min(expires),
        tightest=answer.tightest if short else None,
        retry_us=answer.retry_us if short else None,
    )


def _grouped(workspaces: Iterable[str]) -> list[tuple[str, list[int]]]:
    """The places of each workspace, in their order."""
    places = defaultdict(list)
    for place, workspace in enumerate(workspaces):
        places[workspace].append(place)
    return list(places.items())


async def _gathered(calls: Iterable[Awaitable[None]]) -> None:
    """Waits for all of them also where one fails, so that no script is left half awaited; raises the first failure."""
    for outcome in await asyncio.gather(*calls, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome
