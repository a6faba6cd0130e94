"""Row 16: ten schedulers and ten senders, one mailbox, two campaigns, and a limit that binds all the time."""

from collections import Counter

from .fleet import fleet
from .rig import Rig
from .scenario import Scenario, Trial

WINDOW_S = 6
LIMIT = 200
PROCESSES = 10
# What each sender has in hand and ahead may overtake, and be overtaken by, what the others have.
PARALLEL = 5 * PROCESSES
SHARE = 0.4


async def crowd(trial: Trial) -> None:
    """Exactly the limit in each window, in order, and both campaigns alike."""
    count = trial.scaled(PROCESSES, 3)
    async with trial.rig(hour_s=WINDOW_S) as rig, fleet(rig, count, count, hour_s=WINDOW_S):
        mailbox = await rig.mailbox("m@sender.example", hourly_limit=LIMIT)
        campaigns = [await rig.campaign([mailbox], trial.size // 2, start=False) for _ in range(2)]
        for campaign in campaigns:
            await rig.start(campaign)
        drained = await rig.drained(within_s=WINDOW_S * (trial.size // LIMIT + 3) + 60)
        found = await rig.reconcile()
        windows = await _windows(rig)
        shares = _shares(rig, campaigns)
    full = windows[1:-1]
    trial.measure(schedulers=count, senders=count, windows=len(windows), fewest=min(full), most=max(full))
    trial.measure(smallest_share=min(shares))
    trial.must("everything has ended", drained)
    trial.safe(found)
    trial.must("0 unconfirmed", not found.unconfirmed)
    trial.must(f"exactly the limit in each full window: {full}", set(full) == {LIMIT})
    trial.must(f"campaign order kept: {found.displaced}", found.displaced <= PARALLEL)
    trial.must(f"each campaign has its share of each window: {shares}", min(shares) >= SHARE)


async def _windows(rig: Rig) -> list[int]:
    """Hand-outs by window, in order of time."""
    rows = await rig.oracle.ask(
        "SELECT floor(extract(epoch FROM reserve_time) / %s)::bigint AS w, sum(permits - refunded)::int "
        "FROM permits GROUP BY 1 ORDER BY 1",
        WINDOW_S,
    )
    assert [row[0] for row in rows] == list(range(rows[0][0], rows[0][0] + len(rows))), "a window went by unused"
    return [row[1] for row in rows]


def _shares(rig: Rig, campaigns: list[str]) -> list[float]:
    """The smaller campaign's share of each limit's worth of contents, while both have some left."""
    sent = [content.recipient.partition("@")[2] for content in rig.sink.contents]
    last = min(len(sent) - 1 - sent[::-1].index(f"c{campaign}.example") for campaign in campaigns)
    blocks = [Counter(sent[at : at + LIMIT]) for at in range(LIMIT, last - LIMIT, LIMIT)]
    return [round(min(block[f"c{campaign}.example"] for campaign in campaigns) / LIMIT, 2) for block in blocks]


SCENARIOS = [
    Scenario(
        16,
        "10 schedulers, 10 senders, one limit",
        "exactly the limit in each window, campaign order kept, two campaigns share fairly",
        10_000,
        500,
        crowd,
        takes_s=340,
    )
]
