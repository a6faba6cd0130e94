"""The counters of one Redis: each method is one script call, atomic, on one workspace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from redis.exceptions import ConnectionError as RedisConnectionError

from maillane_ratelimit.counters import keys
from maillane_ratelimit.counters.lost import CountersLost
from maillane_ratelimit.counters.scripts import Script, assemble, read_sources
from maillane_ratelimit.permits import Usage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from redis.asyncio import Redis

    from maillane_ratelimit.permits import Allowance, Count, Counter, Return

MOST_PERMITS: Final = 10**15
"""What a restored bucket holds at most: above every limit, so it refuses as the true sum would, and below 2^53."""


@dataclass(frozen=True, slots=True)
class Cap:
    """What another slot granted for the same ask.

    At most that is granted here. Where it decides, its place and retry time are told. It counts until `until_us`.
    """

    granted: int
    place: int
    retry_us: int
    until_us: int


@dataclass(frozen=True, slots=True)
class Demand:
    """Permits wanted of one workspace's allowances, each given with its place in the ask.

    `ahead` more may be granted where all that is wanted is, and much is left: see the rpc.

    `backing` is kept with the reservation, and comes back with its answer and its refunds. The id has no spaces.
    """

    reservation_id: str
    wanted: int
    allowances: tuple[tuple[int, Allowance], ...]
    ahead: int = 0
    cap: Cap | None = None
    backing: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a demand was granted, now or when its reservation was first made; times are µs since the epoch.

    `expire_us` is the end of the first bucket that ends, and 0 without allowances; `until_us` is when the last of them
    counts no longer. `tightest` is -1, and `retry_us` 0, where all was granted.
    """

    epoch: int
    granted: int
    reserve_us: int
    expire_us: int
    tightest: int
    retry_us: int
    until_us: int
    backing: str


@dataclass(frozen=True, slots=True)
class Refunded:
    """Permits taken off the reservation; `returned` (all or none of them) came back to a bucket of this workspace."""

    taken: int
    returned: int
    backing: str


def redis_time() -> int:
    """Leaves the time to Redis, which reads it inside the script."""
    return 0


class Counters:
    """Calls the scripts.

    Reserve, refund and usage are repeated once when the connection breaks, for a repeat changes nothing. Whoever calls
    sets the time limit.

    All raise redis.RedisError where Redis is away; what was asked may then have happened.
    """

    def __init__(
        self,
        client: Redis,
        *,
        now_us: Callable[[], int] = redis_time,
        sources: Mapping[str, str] | None = None,
    ) -> None:
        """Takes the client as it is; `now_us` and `sources` (files of lua/) are for tests."""
        scripts = assemble(sources or read_sources())
        self._reserve = Script(client, scripts["reserve"])
        self._refund = Script(client, scripts["refund"])
        self._usage = Script(client, scripts["usage"])
        self._restore = Script(client, scripts["restore"])
        self._now_us = now_us

    async def reserve(self, workspace: str, demands: Sequence[Demand]) -> list[Answer]:
        """Reserves for each demand, in their order, what the tightest of its allowances holds.

        Raises:
            CountersLost: nothing was reserved.
        """
        arguments: list[str | int] = [self._now_us(), len(demands)]
        for demand in demands:
            arguments += _demand(demand)
        reply = await _repeated_once(self._reserve, workspace, arguments)
        if reply is None:
            raise CountersLost([workspace])
        epoch, *answers = reply
        return [_answer(int(epoch), *answer) for answer in answers]

    async def refund(self, workspace: str, returns: Sequence[Return]) -> list[Refunded]:
        """Gives permits back; where the counters are lost, nothing happens."""
        arguments: list[str | int] = [self._now_us(), len(returns)]
        for one in returns:
            arguments += [one.reservation_id, one.refund_id, one.permits]
        reply = await _repeated_once(self._refund, workspace, arguments)
        return [Refunded(*refunded) for refunded in reply]

    async def usage(self, workspace: str, counters: Sequence[Counter]) -> list[Usage]:
        """What counts now.

        Raises:
            CountersLost: the workspace has no counters to trust.
        """
        arguments: list[str | int] = [self._now_us(), len(counters)]
        for counter in counters:
            arguments += [keys.counter(counter), *_window(counter)]
        reply = await _repeated_once(self._usage, workspace, arguments)
        if reply is None:
            raise CountersLost([workspace])
        return [Usage(*usage) for usage in reply]

    async def restore(self, workspace: str, epoch: int, counts: Sequence[Count]) -> tuple[bool, int]:
        """Replaces all counters of the workspace; whether it did (see the rpc), and the epoch in force.

        Never repeated here: Redis may be wiped between two tries, and the second would bring back the counts of before,
        under an epoch in which permits were granted since.
        """
        buckets: dict[str, tuple[int, int]] = {}
        for count in counts:
            window = count.counter.window
            number = window.number(count.reserve_us)
            name = keys.bucket(count.counter, number)
            permits, _ = buckets.get(name, (0, 0))
            buckets[name] = min(permits + count.permits, MOST_PERMITS), window.counts_until_us(number)
        arguments: list[str | int] = [self._now_us(), epoch, len(buckets)]
        for name, (permits, until_us) in buckets.items():
            arguments += [name, permits, until_us]
        restored, in_force = await self._restore(keys.sentinel(workspace), arguments)
        return bool(restored), int(in_force)


async def _repeated_once(script: Script, workspace: str, arguments: list[str | int]) -> Any:
    try:
        return await script(keys.sentinel(workspace), arguments)
    except RedisConnectionError:
        return await script(keys.sentinel(workspace), arguments)


def _demand(demand: Demand) -> list[str | int]:
    cap = demand.cap or Cap(granted=demand.wanted, place=-1, retry_us=0, until_us=0)
    arguments: list[str | int] = [demand.reservation_id, demand.wanted, demand.ahead]
    arguments += [cap.granted, cap.place, cap.retry_us, cap.until_us, demand.backing, len(demand.allowances)]
    for place, allowance in demand.allowances:
        arguments += [keys.counter(allowance.counter), place, *_window(allowance.counter), allowance.limit]
    return arguments


def _window(counter: Counter) -> tuple[int, int, int]:
    return counter.window.length_us, counter.window.offset_us, counter.window.parts


def _answer(epoch: int, answer: str, until_us: str, backing: str) -> Answer:
    granted, reserve_us, expire_us, tightest, retry_us = map(int, answer.split())
    return Answer(epoch, granted, reserve_us, expire_us, tightest, retry_us, int(until_us), backing)
