"""Every key of the limiter, and nothing else, is named here (and completed in the scripts, which alone know the time).

    ratelimit:{<workspace>}:epoch                                   HASH    the sentinel
    ratelimit:{<workspace>}:e<epoch>:<scope>:<id>:<window>:<bucket> STRING  permits that count in one bucket
    ratelimit:{<workspace>}:e<epoch>:reservation:<id>               STRING  one reservation
    ratelimit:{<workspace>}:e<epoch>:reservation:<id>:refunds       HASH    what came back of it

The braces put a workspace's keys into one slot, so that one script reaches all of them. The epoch is part of the names:
a restore under a new epoch leaves every older counter and reservation behind at once, whether Redis had lost it or
brought it back from an old snapshot, without looking for it. What is left behind goes by its TTL, as every key does.

The sentinel holds `epoch` (a decimal string), and `run_id` and `replication_id` of the server that restored it. The
counters are trusted only where both are the server's own: see lua/epoch.lua.

<window> is the length in seconds, the offset where there is one, and the parts of one that rolls: `3600s`,
`86400s+7200`, `3600s/12`. <bucket> is its number, counted from 1970.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from maillane_ratelimit.permits import Scope

if TYPE_CHECKING:
    from maillane_ratelimit.permits import Counter
    from maillane_ratelimit.windows import Window

DEPLOYMENT: Final = "_deployment"
"""The workspace of the whole deployment's counters."""

_US: Final = 1_000_000


def sentinel(workspace: str) -> str:
    """The key that every script is given, and from which it derives the others."""
    return f"ratelimit:{{{workspace}}}:epoch"


def counter(of: Counter) -> str:
    """A counter's name between the epoch and the number of a bucket."""
    return f"{of.scope}:{of.id}:{_window(of.window)}"


def bucket(of: Counter, number: int) -> str:
    """A bucket's name after the epoch."""
    return f"{counter(of)}:{number}"


def home(of: Counter, workspace: str) -> str:
    """The workspace in whose slot a counter lies."""
    return DEPLOYMENT if of.scope is Scope.DEPLOYMENT else workspace


def _window(window: Window) -> str:
    offset = f"{window.offset_us // _US:+d}" if window.offset_us else ""
    parts = f"/{window.parts}" if window.parts else ""
    return f"{window.length_us // _US}s{offset}{parts}"
