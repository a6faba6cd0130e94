"""Which servers offer PIPELINING without bearing it."""

from __future__ import annotations

from collections import OrderedDict

DISTRUST_S = 3600.0
"""How long a server is talked to one command at a time: it costs two round trips a message, and servers get mended."""

MAX_SERVERS = 1000
"""How many are remembered; the one that misbehaved longest ago is forgotten first, and would be found out again."""


class PipeliningMemory:
    """Servers that misbehaved lately. `now` is monotonic seconds."""

    def __init__(self) -> None:
        self._until: OrderedDict[tuple[str, int], float] = OrderedDict()

    def trusts(self, host: str, port: int, now: float) -> bool:
        """Whether commands may be sent to this server without waiting for answers."""
        return now >= self._until.get((host, port), now)

    def distrust(self, host: str, port: int, now: float) -> None:
        """Notes that this server misbehaved."""
        self._until[host, port] = now + DISTRUST_S
        self._until.move_to_end((host, port))
        if len(self._until) > MAX_SERVERS:
            self._until.popitem(last=False)
