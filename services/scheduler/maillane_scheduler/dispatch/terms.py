"""The limits of lanes, as permits are reserved under them, cached by revision."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from maillane.ratelimit.v1 import rate_limit_service_pb2 as pb

from maillane_scheduler.store import lanes
from maillane_scheduler.store.engine import DispatchPool
from maillane_scheduler.store.lanes import Terms

# Lanes of which the limits are kept; each takes some 300 bytes. Beyond it, the cache starts anew.
MOST_LANES = 50_000

Lane = tuple[int, int]
"""(campaign, mailbox)."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the deployment adds: how long windows are, and its own cap."""

    hour_s: int
    day_s: int
    parts: int
    max_per_hour: int | None

    def window(self, length_s: int, parts: int = 0) -> pb.Window:
        """A window of that length; rolling with parts."""
        window = pb.Window(parts=parts)
        window.length.FromTimedelta(timedelta(seconds=length_s))
        return window

    def allowances(self, terms: Terms) -> list[pb.Allowance]:
        """All the limits that hold for a lane's hand-outs."""
        hour, day = self.window(self.hour_s, self.parts), self.window(self.day_s)
        mailbox, campaign = terms.address_key, str(terms.campaign)
        found = [pb.Allowance(scope=pb.SCOPE_MAILBOX, id=mailbox, window=hour, limit=terms.hourly_limit)]
        if terms.daily_limit is not None:
            found.append(pb.Allowance(scope=pb.SCOPE_MAILBOX, id=mailbox, window=day, limit=terms.daily_limit))
        if terms.campaign_limit is not None:
            found.append(pb.Allowance(scope=pb.SCOPE_CAMPAIGN, id=campaign, window=hour, limit=terms.campaign_limit))
        if (cap := self.of_deployment()) is not None:
            found.append(cap)
        return found

    def of_deployment(self) -> pb.Allowance | None:
        """The deployment's own cap."""
        if self.max_per_hour is None:
            return None
        window = self.window(self.hour_s, self.parts)
        return pb.Allowance(scope=pb.SCOPE_DEPLOYMENT, id="all", window=window, limit=self.max_per_hour)


class TermsCache:
    """Terms of lanes by (campaign, mailbox).

    A stale one does no harm: the compare-and-set refuses its permits, and the park of what got none is not noted.
    """

    def __init__(self, pool: DispatchPool) -> None:
        self._pool = pool
        self._known: dict[Lane, Terms] = {}

    async def get(self, wanted: Sequence[Lane]) -> dict[Lane, Terms]:
        """The terms of lanes; those that Postgres does not have are left out, and no others."""
        # Taken before the wait: what another cycle forgets meanwhile is stale, which does no harm. Left out, it would
        # be taken for gone, and its lane for one to empty.
        found = {lane: self._known[lane] for lane in wanted if lane in self._known}
        missing = [lane for lane in wanted if lane not in found]
        if missing:
            read = {(terms.campaign, terms.mailbox): terms for terms in await lanes.terms(self._pool, missing)}
            if len(self._known) + len(read) > MOST_LANES:
                self._known.clear()
            self._known.update(read)
            found.update(read)
        return found

    def forget(self, lane: Lane) -> None:
        """Reads a lane anew when it is next asked for: what was known of it is refused."""
        self._known.pop(lane, None)
