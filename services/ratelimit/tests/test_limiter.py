from maillane_ratelimit.counters.counters import Counters
from maillane_ratelimit.limiter import Limiter
from maillane_ratelimit.permits import Allowance, Ask, Counter, Return, Scope
from maillane_ratelimit.windows import Window
from redis.asyncio import Redis

S = 1_000_000
HOUR = Counter(Scope.MAILBOX, "42", Window(3600 * S))
DAY = Counter(Scope.MAILBOX, "42", Window(86_400 * S))
WHOLE = Counter(Scope.DEPLOYMENT, "all", Window(86_400 * S))
WEEK = Counter(Scope.MAILBOX, "42", Window(7 * 86_400 * S))
NOON_US = 1_790_000_000 * S // (86_400 * S) * 86_400 * S + 12 * 3600 * S


class Time:
    """A clock that stands until it is moved."""

    now_us = NOON_US

    def __call__(self) -> int:
        return self.now_us

    def pass_(self, seconds: int) -> None:
        self.now_us += seconds * S


async def limiter_at(redis: Redis, time: Time) -> Limiter:
    limiter = Limiter(Counters(redis, now_us=time))
    for workspace in ("1", "_deployment"):
        await limiter.restore(workspace, 1, [])
    return limiter


def ask(reservation: str, wanted: int, *counters: Counter, limit: int = 10) -> Ask:
    return Ask(reservation, "1", wanted, tuple(Allowance(counter, limit) for counter in counters))


async def test_a_late_refund_reaches_the_windows_that_still_count(redis: Redis) -> None:
    """After the hour it is the day alone that gets permits back."""
    time = Time()
    limiter = await limiter_at(redis, time)
    await limiter.reserve([ask("a", 7, HOUR, DAY)])
    time.pass_(3600)
    await limiter.reserve([ask("b", 2, HOUR, DAY)])

    refunded = await limiter.refund([Return("a", "1", "x", 5)])

    assert (refunded, [usage.used for usage in await limiter.usage("1", [HOUR, DAY])]) == ([5], [2, 4])


async def test_a_refund_after_every_window_does_nothing(redis: Redis) -> None:
    """It says so."""
    time = Time()
    limiter = await limiter_at(redis, time)
    await limiter.reserve([ask("a", 7, HOUR)])
    time.pass_(3600)

    assert await limiter.refund([Return("a", "1", "x", 5)]) == [0]


async def test_a_refund_that_reaches_no_window_says_so(redis: Redis) -> None:
    """The hour is over, and the deployment's day is of an older epoch: nothing came back."""
    time = Time()
    limiter = await limiter_at(redis, time)
    await limiter.reserve([ask("a", 7, HOUR, WHOLE)])
    await limiter.restore("_deployment", 2, [])
    time.pass_(3600)

    assert await limiter.refund([Return("a", "1", "x", 5)]) == [0]


async def test_a_forgotten_reservation_may_be_made_again(redis: Redis) -> None:
    """After 25 hours of a week an id is new, and nothing of the first shows through."""
    time = Time()
    limiter = await limiter_at(redis, time)
    await limiter.reserve([ask("a", 4, WEEK)])
    await limiter.refund([Return("a", "1", "x", 1)])
    time.pass_(25 * 3600)
    await limiter.reserve([ask("a", 4, WEEK)])

    refunded = await limiter.refund([Return("a", "1", "x", 2)])

    assert (refunded, [usage.used for usage in await limiter.usage("1", [WEEK])]) == ([2], [5])


async def test_a_limit_of_zero_is_retried_with_the_next_window(redis: Redis) -> None:
    """And refuses again."""
    limiter = await limiter_at(redis, Time())

    (grant,) = await limiter.reserve([ask("a", 4, HOUR, limit=0)])

    assert (grant.granted, grant.tightest, grant.retry_us) == (0, 0, NOON_US + 3600 * S)


async def test_a_rolling_hour_lets_no_burst_through_its_boundary(redis: Redis) -> None:
    """Ten at the end of one hour, and none in the hour after; then the retry time keeps its promise."""
    time = Time()
    limiter = await limiter_at(redis, time)
    rolling = Counter(Scope.MAILBOX, "42", Window(3600 * S, parts=12))
    time.pass_(-1)
    await limiter.reserve([ask("a", 10, rolling)])
    time.pass_(3600)
    (refused,) = await limiter.reserve([ask("b", 10, rolling)])
    time.now_us = refused.retry_us or 0

    (granted,) = await limiter.reserve([ask("c", 10, rolling)])

    assert (refused.granted, refused.retry_us, granted.granted) == (0, NOON_US + 3600 * S, 10)
