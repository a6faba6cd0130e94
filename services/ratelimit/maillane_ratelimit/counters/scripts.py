"""The scripts as Redis gets them: a header with their flags, what they share, and their own file from lua/."""

from __future__ import annotations

import hashlib
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from redis.exceptions import NoScriptError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from redis.asyncio import Redis

_PARTS: Final = {
    "reserve": ("epoch", "window", "reservation", "reserve"),
    "refund": ("epoch", "reservation", "refund"),
    "usage": ("epoch", "window", "usage"),
    "restore": ("epoch", "restore"),
}

_FLAGS: Final = {
    # With allow-oom: the queue may lie in the same Redis, and only what is sent makes room there. Without, a full one
    # would be full for ever. What they take is bounded: a reservation a claim, of messages that are there already.
    "reserve": " flags=allow-oom",
    "restore": " flags=allow-oom",
    "refund": " flags=allow-oom",
    "usage": " flags=no-writes",
}


def read_sources() -> dict[str, str]:
    """The files of lua/, by their names without the suffix."""
    folder = resources.files(__package__) / "lua"
    names = {part for parts in _PARTS.values() for part in parts}
    return {name: (folder / f"{name}.lua").read_text(encoding="utf-8") for name in names}


def assemble(sources: Mapping[str, str]) -> dict[str, str]:
    """The whole scripts, by name."""
    return {
        name: "\n".join((f"#!lua{_FLAGS[name]}", *(sources[part] for part in parts))) for name, parts in _PARTS.items()
    }


class Script:
    """A script of a server or a cluster: sent by its digest, and with its source where a node does not know it.

    Not with SCRIPT LOAD, which names no key: it would have to reach all primaries of a cluster, also one that is down.
    """

    def __init__(self, client: Redis, source: str) -> None:
        self._client = client
        self._source = source
        # By what the server does: it knows scripts by their SHA1.
        self._digest = hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest()

    async def __call__(self, key: str, arguments: Sequence[str | int]) -> Any:
        """Runs it once, on the node that has the key."""
        try:
            return await self._client.evalsha(self._digest, 1, key, *arguments)
        except NoScriptError:
            return await self._client.eval(self._source, 1, key, *arguments)
