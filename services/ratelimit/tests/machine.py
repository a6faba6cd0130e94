"""A state machine that does to a limiter on a real Valkey what it does to the model, and compares all they say."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import ClassVar, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from maillane_ratelimit.counters import keys
from maillane_ratelimit.counters.connection import open_client
from maillane_ratelimit.counters.counters import Counters
from maillane_ratelimit.counters.lost import CountersLost
from maillane_ratelimit.limiter import Limiter
from maillane_ratelimit.permits import Allowance, Ask, Counter, Return, Scope
from maillane_ratelimit.windows import Window
from redis.asyncio import Redis

from .model import DEPLOYMENT, Entry, LostError, Model

_Result = TypeVar("_Result")

S = 1_000_000
# Far from any boundary of all windows at once, so that the machine finds them one by one.
BEGIN_US = 1_790_000_123 * S + 456_789
WORKSPACES = ["1", "2"]
WINDOWS = [
    Window(60 * S),
    Window(100 * S, offset_us=-30 * S),
    Window(60 * S, parts=3),
    # Parts that are no whole µs.
    Window(10 * S, offset_us=7 * S, parts=7),
    # Longer than reservations are remembered.
    Window(31 * 86_400 * S),
]
COUNTERS = [
    *(Counter(scope, "a", window) for scope in (Scope.MAILBOX, Scope.DEPLOYMENT) for window in WINDOWS),
    Counter(Scope.WORKSPACE, "w", WINDOWS[0]),
    Counter(Scope.CAMPAIGN, "c", WINDOWS[2]),
]


ALL_WORKSPACES = st.sampled_from([*WORKSPACES, DEPLOYMENT])
# What happens rarely lets the rest get far.
MOSTLY = st.sampled_from([True, True, True, True, False])

# Of few names, so that many are repeats.
REFUNDS = st.lists(st.tuples(st.sampled_from("xyz"), st.integers(1, 4)), min_size=1, max_size=4)


class Rig:
    """A limiter of possibly mutated scripts, whose time is set, and a loop in which to call it."""

    def __init__(self, url: str, sources: Mapping[str, str] | None = None) -> None:
        self.now = BEGIN_US
        self._runner = asyncio.Runner()
        self.redis: Redis = open_client(url)
        self.limiter = Limiter(Counters(self.redis, now_us=lambda: self.now, sources=sources))

    def run(self, call: Awaitable[_Result]) -> _Result:
        async def awaited() -> _Result:
            return await call

        return self._runner.run(awaited())

    def close(self) -> None:
        self.run(self.redis.aclose())
        self._runner.close()


@st.composite
def asks(draw: st.DrawFn) -> Ask:
    chosen = draw(st.lists(st.sampled_from(COUNTERS), min_size=1, max_size=3, unique=True))
    return Ask(
        reservation_id=draw(st.sampled_from("abcdefghijkl")),
        workspace_id=draw(st.sampled_from(WORKSPACES)),
        wanted=draw(st.integers(1, 6)),
        allowances=tuple(Allowance(counter, draw(st.sampled_from([0, 3, 5, 7, 9, 45, 45]))) for counter in chosen),
        ahead=draw(st.sampled_from([0, 0, 1, 9])),
    )


class LimiterMachine(RuleBasedStateMachine):
    rig: ClassVar[Rig]

    @initialize()
    def begin(self) -> None:
        self.model = Model()
        self.epoch = 0
        self.snapshot: dict[str, int] | None = None
        self.rig.now = BEGIN_US
        self.rig.run(self.rig.redis.flushall())
        for workspace in (*WORKSPACES, DEPLOYMENT):
            self.restore(workspace)

    @rule(asked=st.lists(asks(), min_size=1, max_size=3), mended=MOSTLY)
    def reserve(self, asked: list[Ask], mended: bool) -> None:
        if mended:
            self.restore_what_is_lost()
        expected = _or_lost(lambda: self.model.reserve(asked, self.rig.now))

        found = _or_lost(lambda: self.rig.run(self.rig.limiter.reserve(asked)))

        assert found == expected
        assert not self.model.passed_limits(self.rig.now)

    @rule(of=st.integers(0, 9), mended=MOSTLY)
    def reserve_again(self, of: int, mended: bool) -> None:
        if entry := _at(self.model.entries, of):
            self.reserve([entry.ask], mended)

    @rule(of=st.integers(0, 4), refunds=REFUNDS)
    def refund(self, of: int, refunds: list[tuple[str, int]]) -> None:
        known = [entry for entry in self.model.entries if self.model.is_known(entry, self.rig.now)]
        self._refund(_at(known, of), refunds)

    @rule(of=st.integers(0, 9), refunds=REFUNDS)
    def refund_late(self, of: int, refunds: list[tuple[str, int]]) -> None:
        self._refund(_at(self.model.entries, of), refunds)

    def _refund(self, entry: Entry | None, refunds: list[tuple[str, int]]) -> None:
        reservation, workspace = ("never", "1") if entry is None else (entry.ask.reservation_id, entry.ask.workspace_id)
        returns = [Return(reservation, workspace, refund_id, permits) for refund_id, permits in refunds]
        expected = [self.model.refund(one, self.rig.now) for one in returns]

        assert self.rig.run(self.rig.limiter.refund(returns)) == expected

    @rule(workspace=st.sampled_from(WORKSPACES), counter=st.sampled_from(COUNTERS))
    def usage(self, workspace: str, counter: Counter) -> None:
        expected = _or_lost(lambda: self.model.usage(workspace, counter, self.rig.now))

        found = _or_lost(lambda: self.rig.run(self.rig.limiter.usage(workspace, [counter]))[0])

        assert found == expected

    @rule(us=st.sampled_from([1, S, 3 * S, 7 * S, 20 * S, 21 * S, 60 * S, 26 * 3600 * S]))
    def pass_time(self, us: int) -> None:
        self.rig.now += us

    @rule(window=st.sampled_from(WINDOWS[:4]), before=st.sampled_from([0, 1]))
    def pass_to_boundary(self, window: Window, before: int) -> None:
        following = window.start_us(window.number(self.rig.now) + 1) - before
        self.rig.now = max(self.rig.now, following)

    @rule(workspace=ALL_WORKSPACES)
    def restore(self, workspace: str) -> None:
        self.epoch += 1
        counts = self.model.ledger(workspace)
        expected = self.model.restore(workspace, self.epoch, counts)

        assert self.rig.run(self.rig.limiter.restore(workspace, self.epoch, counts)) == expected

    @rule()
    def restore_what_is_lost(self) -> None:
        for workspace in {*WORKSPACES, DEPLOYMENT} - self.model.trusted:
            self.restore(workspace)

    @rule(workspace=ALL_WORKSPACES, older_by=st.integers(0, 2))
    def restore_stale(self, workspace: str, older_by: int) -> None:
        stale = self.model.epochs.get(workspace, 0) - older_by
        if stale > 0:
            found = self.rig.run(self.rig.limiter.restore(workspace, stale, []))

            assert found == (False, self.model.epochs[workspace])

    @rule(
        how=st.sampled_from(["wipe", "sentinel", "run_id", "replication_id"]), of=ALL_WORKSPACES, spared=st.booleans()
    )
    def lose(self, how: str, of: str, spared: bool) -> None:
        if spared:
            return
        redis, of_one = self.rig.redis, keys.sentinel(of)
        if how == "wipe":
            self.rig.run(redis.flushdb())
            self.model.epochs.clear()
            self.model.trusted.clear()
        elif how == "sentinel":
            self.rig.run(redis.delete(of_one))
            self.model.epochs.pop(of, None)
        elif of in self.model.epochs:
            self.rig.run(redis.hset(of_one, how, "f00d"))
        self.model.trusted.discard(of)
        # Seen at once, before something restores it.
        for workspace in WORKSPACES:
            self.usage(workspace, COUNTERS[0])
            self.usage(workspace, COUNTERS[len(WINDOWS)])
        for last in range(3):
            self.refund_late(last, [("lost", 1)])

    @rule()
    def take_snapshot(self) -> None:
        self.rig.run(Snapshots.save(self.rig.redis))
        self.snapshot = dict(self.model.epochs)

    @precondition(lambda self: self.snapshot is not None)
    @rule(spared=MOSTLY)
    def start_from_snapshot(self, spared: bool) -> None:
        if spared:
            return
        self.rig.run(Snapshots.load(self.rig.redis))
        self.model.epochs = dict(self.snapshot or {})
        self.model.trusted.clear()


def _at(entries: list[Entry], of: int) -> Entry | None:
    """The last but `of`."""
    return entries[-of - 1] if of < len(entries) else None


def _or_lost(call: Callable[[], object]) -> object:
    try:
        return call()
    except (LostError, CountersLost) as lost:
        return set(lost.workspaces)


class Snapshots:
    """Keeps a copy of all keys in another database of the server, as a file of an earlier hour would."""

    _SAVE = """
        redis.call('SELECT', 1); redis.call('FLUSHDB'); redis.call('SELECT', 0)
        for _, key in ipairs(redis.call('KEYS', '*')) do redis.call('COPY', key, key, 'DB', 1) end"""
    # A server that starts from it is another run.
    _LOAD = """
        redis.call('FLUSHDB'); redis.call('SELECT', 1)
        for _, key in ipairs(redis.call('KEYS', '*')) do redis.call('COPY', key, key, 'DB', 0) end
        redis.call('SELECT', 0)
        for _, key in ipairs(redis.call('KEYS', '*:epoch')) do redis.call('HSET', key, 'run_id', 'f00d') end"""

    @classmethod
    async def save(cls, redis: Redis) -> None:
        await redis.register_script(cls._SAVE)()

    @classmethod
    async def load(cls, redis: Redis) -> None:
        await redis.register_script(cls._LOAD)()
