"""For how long a clock that is not ours has gone on steadily."""

# What two looks a second apart may differ by: slewing moves a clock by half a millisecond a second.
TOLERANCE_S = 0.1


class SteadyClock:
    """Holds another machine's wall clock to our monotonic one, look by look.

    While both go on alike, a time by the other clock is as good as one by ours; a jump, also one that only our own
    machine's sleep makes it seem, begins the count anew.
    """

    def __init__(self) -> None:
        self._since: float | None = None
        self._last = (0.0, 0.0, 0.0)

    def look(self, theirs: float, before: float, after: float) -> float:
        """Notes what the other clock said, in seconds, when ours was between two times.

        Returns by how much it has jumped since the last look, in seconds, negative where it went back; 0 where it
        went on as ours did.
        """
        jump = 0.0 if self._since is None else self._jump(theirs, before, after)
        if self._since is None or jump:
            self._since = after
        self._last = (theirs, before, after)
        return jump

    def steady_s(self) -> float:
        """For how long it has been steady, as of the last look; 0 before there was one."""
        return 0.0 if self._since is None else max(0.0, self._last[1] - self._since)

    def at_most(self, now: float) -> float | None:
        """What the other clock says now, at most, if it has gone on steadily; None before the first look."""
        return None if self._since is None else self._last[0] + now - self._last[1] + TOLERANCE_S

    def _jump(self, theirs: float, before: float, after: float) -> float:
        theirs_then, before_then, after_then = self._last
        moved = theirs - theirs_then
        least, most = before - after_then, after - before_then
        if least - TOLERANCE_S <= moved <= most + TOLERANCE_S:
            return 0.0
        return moved - most if moved > most else moved - least
