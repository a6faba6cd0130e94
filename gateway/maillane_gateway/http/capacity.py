"""How much is worked on at once."""

from collections.abc import Iterator
from contextlib import contextmanager

from maillane_chassis.errors import Unavailable

RETRY_AFTER_S = 1.0
"""Requests take milliseconds: after a second the crowd is another."""


class Slots:
    """A number of places; who finds none is turned away rather than queued, so that waiting stays bounded."""

    def __init__(self, count: int) -> None:
        self._free = count

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Holds a place while the body runs.

        Raises:
            Unavailable: there is none; come back after RETRY_AFTER_S.
        """
        if self._free == 0:
            raise Unavailable("too many requests at once", reason="TOO_BUSY", retry_after_s=RETRY_AFTER_S)
        self._free -= 1
        try:
            yield
        finally:
            self._free += 1
