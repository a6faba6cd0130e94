"""Mails to a sink, near and a round trip away."""

import asyncio
import time
from functools import partial
from typing import Final

from ..limits import bare_sender_us, valkey
from ..mail_servers import sink, source
from ..peers.driver import bullmq
from ..rig import MAILBOXES, Rig, started
from ..row import Contestant, Figures, Form, Goal, Line, Row, limit, ours, peer

CONNECTIONS: Final = 5
AHEAD_S: Final = 4.0
"""From filling until the first is due: the queue has loaded by then, or the run does not count."""

SENT_S: Final = 180.0
LOOK_S: Final = 0.1
WARM: Final = 200
COUNTS: Final = {0: (20_000, 1_000), 20: (2_400, 300), 100: (600, 100)}
"""By round trip in ms, in the long form (some ten seconds) and in the quick one."""


async def _ours(form: Form, rtt_ms: int, senders: int = 1) -> Figures:
    count = form.pick(*COUNTS[rtt_ms]) * senders
    async with sink(rtt_ms) as server, started(form.tree, senders=senders, settings=_reach(server.port)) as rig:
        await _sent(rig, WARM, server.port)
        before: dict[str, float] = {}
        seconds = await _sent(rig, count, server.port, before)
        used = {name: (now - before[name]) / count * 1e6 for name, now in rig.cpu_s().items()}
    of_senders = sum(cpu for name, cpu in used.items() if name.startswith("sender"))
    return {"per_s": count / seconds, "cpu_us": sum(used.values()), "sender_cpu_us": of_senders}


async def _sent(rig: Rig, count: int, port: int, cpu: dict[str, float] | None = None) -> float:
    """Sends a campaign; returns how long it took from its first due time to the last that was settled.

    Args:
        cpu: is filled with what processes had used when it began.

    Raises:
        TimeoutError: it does not end.
    """
    campaign = await rig.fill(count // MAILBOXES, start=f"{AHEAD_S} s", port=port)
    [(due,)] = rig.sql("SELECT extract(epoch FROM min(base))::float8 FROM lanes WHERE campaign_id = %s", campaign)
    assert time.time() < due, "the queue was not loaded in time"
    await asyncio.sleep(due - time.time())
    if cpu is not None:
        cpu.update(rig.cpu_s())
    async with asyncio.timeout(SENT_S):
        while _left(rig, campaign):
            await asyncio.sleep(LOOK_S)
    [(sent, last)] = rig.sql(
        "SELECT count(*) FILTER (WHERE code = 250), extract(epoch FROM max(settle_time))::float8 FROM attempts "
        "WHERE campaign_id = %s",
        campaign,
    )
    assert sent == count, f"{sent} of {count} were sent"
    return float(last - due)


def _left(rig: Rig, campaign: int) -> int:
    [(left,)] = rig.sql("SELECT sum(pending + sending) FROM campaign_counts WHERE campaign_id = %s", campaign)
    return int(left)


def _reach(port: int) -> dict[str, str]:
    return {"MAILLANE_SMTP_PORTS": str(port), "MAILLANE_SENDER_CONCURRENCY": str(CONNECTIONS)}


async def _source(form: Form, rtt_ms: int) -> Figures:
    async with sink(rtt_ms) as server:
        # It does not pipeline: a fourth as many, a round trip away.
        count = form.pick(*COUNTS[rtt_ms])
        return {"per_s": await source(server.port, count if not rtt_ms else count // 4, CONNECTIONS)}


async def _bare(form: Form) -> Figures:
    async with sink() as server:
        return {"sender_cpu_us": await bare_sender_us(server.port, form.pick(*COUNTS[0]))}


async def _bullmq(form: Form, rtt_ms: int) -> Figures:
    count = form.pick(*COUNTS[rtt_ms]) // (1 if rtt_ms else 2)
    async with sink(rtt_ms) as server, valkey() as (store, _):
        return await bullmq("mail", redis=store.url, port=server.port, count=count, warm=WARM // 4)


async def _pair(form: Form) -> Figures:
    """One sender, then two, in one run: the ratio of their rates."""
    one, two = [await _ours(form, 20, senders) for senders in (1, 2)]
    return {"ratio": two["per_s"] / one["per_s"], "per_s": two["per_s"]}


def _row(rtt_ms: int, *lines: Line, others: tuple[Contestant, ...] = ()) -> Row:
    return Row(
        f"mails{rtt_ms}",
        lines,
        (
            ours(partial(_ours, rtt_ms=rtt_ms)),
            limit("smtp-source", partial(_source, rtt_ms=rtt_ms)),
            peer("BullMQ + nodemailer", partial(_bullmq, rtt_ms=rtt_ms)),
            *others,
        ),
        long_s={0: 130, 20: 200, 100: 250}[rtt_ms],
    )


MAILS: Final = (
    _row(
        0,
        Line("per_s", "mails to a sink, one sender, 5 connections, 15 claimed", "/s", Goal(least=1500), times_peer=2),
        Line("sender_cpu_us", "the same: CPU of the sender for a mail", "µs", Goal(most=200)),
        Line("cpu_us", "the same: CPU of all our processes and stores for a mail", "µs", Goal(most=750)),
        others=(limit("bare sender", _bare),),
    ),
    _row(20, Line("per_s", "mails to a sink, 20 ms round trip", "/s", Goal(least=190), "250: 5 ÷ 20 ms")),
    _row(100, Line("per_s", "mails to a sink, 100 ms round trip", "/s", Goal(least=42), "50: 5 ÷ 100 ms")),
)
SENDERS: Final = Row(
    "senders",
    (
        Line("ratio", "2 senders of 5 connections, 20 ms: times one", "×", Goal(least=1.9), "2"),
        Line("per_s", "the same: mails", "/s", bound="500: 10 ÷ 20 ms"),
    ),
    (ours(_pair),),
    long_s=210,
)
