"""The one refusal that only a restore can lift."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maillane_chassis.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Collection

_MOST_NAMED = 100
"""Workspaces named in one answer, which must fit into gRPC's trailers; the next call names the rest."""


class CountersLost(Unavailable):
    """Redis has lost the counters of these workspaces, or may have: nothing is granted until they are restored."""

    def __init__(self, workspaces: Collection[str]) -> None:
        self.workspaces = tuple(sorted(set(workspaces)))
        super().__init__(
            "the counters are lost, or may be; restore them",
            reason="COUNTERS_LOST",
            metadata={"workspaces": ",".join(self.workspaces[:_MOST_NAMED])},
        )
