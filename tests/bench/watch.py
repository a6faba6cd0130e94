"""What a Redis server is asked, as it sees it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

from redis import Redis

MARKER: Final = "end-of-what-was-watched"
QUIET_S: Final = 0.4
"""As long as nothing is asked, what the limit has caused is over."""

PARK: Final = "park:limit"
BACKGROUND: Final = ("TIME", "INFO", "HMGET", "EXISTS", "PING", "ZRANGE")
"""Each alone, outside of a script: the looks at the server's clock and run and at the first gate, each second or so."""

LEASES: Final = ":leases -inf "
"""A script that reads these looks for what was in flight for long: each second, too."""


@dataclass(slots=True)
class Seen:
    """Commands, those of scripts included, in their order; known once the watch has ended."""

    events: list[dict[str, Any]] = field(default_factory=list)

    def from_first_park(self) -> list[dict[str, Any]]:
        """What came from the script on that first parked for a limit until it was quiet, but for looks at the clock.

        Raises:
            ValueError: nothing was parked.
        """
        for place, event in enumerate(self.events):
            if event["client_type"] == "lua" and event["command"].startswith("HSET") and PARK in event["command"]:
                # Back to the script that did it.
                while self.events[place]["client_type"] == "lua":
                    place -= 1  # noqa: PLW2901 - no further round follows
                calls = _calls(self.events[place:])
                return _until_quiet([event for call in calls if _works(call) for event in call])
        raise ValueError("no limit was met")

    @staticmethod
    def span_ms(events: list[dict[str, Any]]) -> float:
        """From the first to the last."""
        return 1000 * float(events[-1]["time"] - events[0]["time"])


@contextmanager
def watched(redis: Redis) -> Iterator[Seen]:
    """Watches while the body runs. It costs the server much: nothing about rates is measured meanwhile."""
    seen = Seen()
    with redis.monitor() as monitor:
        yield seen
        redis.echo(MARKER)
        for event in monitor.listen():
            if MARKER in event["command"]:
                return
            seen.events.append(event)


def commands(redis: Redis) -> int:
    """Commands that the server has run, those of scripts included."""
    return sum(command["calls"] for command in redis.info("commandstats").values())


def _until_quiet(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    for place, (event, following) in enumerate(pairwise(events)):
        if following["time"] - event["time"] > QUIET_S:
            return events[: place + 1]
    return events


def _calls(events: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Each call of a client, with the commands that its script ran."""
    begins = [place for place, event in enumerate(events) if event["client_type"] != "lua"]
    return (events[begin:end] for begin, end in pairwise([*begins, len(events)]))


def _works(call: list[dict[str, Any]]) -> bool:
    """Whether it is more than a look that there is each second whatever happens."""
    name, *_ = call[0]["command"].split()
    if len(call) == 1:
        return name.upper() not in BACKGROUND
    return not any(LEASES in event["command"] for event in call)
