"""Recipients through gRPC, and what stores keep of each."""

import asyncio
import time
from collections.abc import Iterator, Mapping
from typing import Final

from maillane.scheduler.v1 import campaign_service_pb2 as campaign_pb
from maillane.scheduler.v1 import mailbox_service_pb2 as mailbox_pb

from .. import limits
from ..load import HTML, SUBJECT, TEXT
from ..peers.driver import bullmq
from ..played_sender import PlayedSender
from ..processes import peak_mib
from ..rig import MAILBOXES, Rig, started
from ..row import Figures, Form, Goal, Line, Row, limit, ours, peer

TABLES: Final = ("messages", "attempts", "claims", "permits")


async def _import(form: Form) -> Figures:
    """Recipients of three variables, by the typed client: into a started campaign, which the queue loads meanwhile,
    and into a draft."""
    count = form.pick(1_000_000, 20_000)
    async with started(form.tree) as rig:
        campaign, draft = await _campaign(rig), await _draft(rig, "draft")
        redis_before = rig.redis.info("memory")["used_memory"]
        figures = {"started_per_s": await _imported_per_s(rig, campaign, count)}
        await rig.loaded()
        figures |= {
            "redis_bytes": (rig.redis.info("memory")["used_memory"] - redis_before) / count,
            "pending_bytes": _stored(rig) / count,
        }
        return figures | {
            "per_s": await _imported_per_s(rig, draft, count),
            "rss_mib": peak_mib(rig.pids["scheduler"]),
        }


async def _imported_per_s(rig: Rig, campaign: str, count: int) -> float:
    begun = time.perf_counter()
    answer = await rig.client.import_recipients(campaign, _people(count))
    elapsed = time.perf_counter() - begun
    assert answer.accepted == count, answer
    return count / elapsed


async def _copy(form: Form) -> Figures:
    async with started() as rig:
        return {"per_s": await asyncio.to_thread(limits.copy_per_s, rig, form.pick(1_000_000, 20_000))}


async def _zadd(form: Form) -> Figures:
    return {"per_s": await limits.zadd_per_s(form.pick(1_000_000, 100_000))}


async def _zset(form: Form) -> Figures:
    return {"redis_bytes": await limits.zset_bytes(form.pick(100_000, 20_000))}


async def _bullmq(form: Form) -> Figures:
    async with limits.valkey() as (server, _):
        found = await bullmq("schedule", redis=server.url, count=form.pick(100_000, 5_000))
    return {"per_s": found["per_s"], "redis_bytes": found["bytes"]}


async def _settled(form: Form) -> Figures:
    """What Postgres keeps of messages that were handed out fifteen at a time, and sent, as a vacuum leaves it."""
    count = form.pick(200_000, 2_000)
    async with started(form.tree) as rig:
        await rig.fill(count // MAILBOXES)
        sender = PlayedSender(rig.stub)
        await asyncio.gather(*(sender.work(15, count) for _ in range(4)))
        rig.sql("VACUUM messages, attempts, claims, permits")
        return {"settled_bytes": _stored(rig) / count}


async def _campaign(rig: Rig) -> str:
    """A started campaign."""
    found = await _draft(rig, "m")
    # One to start with: an empty campaign is not started.
    await rig.client.import_recipients(found, [{"email": "first@example.com", **_person(0)}])
    await rig.client.campaigns.StartCampaign(campaign_pb.StartCampaignRequest(campaign_id=found))
    return found


async def _draft(rig: Rig, name: str) -> str:
    """A campaign over four mailboxes of its own, which is to begin in an hour."""
    boxes = []
    for n in range(MAILBOXES):
        smtp = mailbox_pb.Smtp(host="127.0.0.1", port=2525, security=mailbox_pb.SECURITY_NONE)
        box = mailbox_pb.Mailbox(address=f"{name}{n}@example.com", smtp=smtp, hourly_limit=100_000)
        added = await rig.client.mailboxes.CreateMailbox(mailbox_pb.CreateMailboxRequest(mailbox=box))
        boxes.append(added.mailbox.id)
    template = campaign_pb.Template(subject=SUBJECT, text=TEXT, html=HTML)
    campaign = campaign_pb.Campaign(name="bench", mailbox_ids=boxes, template=template)
    campaign.start_time.FromSeconds(int(time.time()) + 3600)
    made = await rig.client.campaigns.CreateCampaign(campaign_pb.CreateCampaignRequest(campaign=campaign))
    return made.campaign.id


def _people(count: int) -> Iterator[Mapping[str, str]]:
    """In no order of their addresses, as in a real list."""
    for n in range(count):
        yield {"email": f"{n * 2654435761 % 2**32:08x}@example{n % 977}.com", **_person(n)}


def _person(n: int) -> dict[str, str]:
    return {"name": f"Ann {n % 5000}", "company": f"Company {n % 999}", "city": "Rome"}


def _stored(rig: Rig) -> int:
    """Bytes of what is kept of messages, indexes included."""
    return sum(int(rig.sql("SELECT pg_total_relation_size(%s::regclass)", table)[0][0]) for table in TABLES)


IMPORT: Final = Row(
    "import",
    (
        Line("per_s", "import through gRPC, 1 M recipients, durable", "/s", Goal(least=50_000)),
        Line("started_per_s", "the same into a started campaign: the queue loads meanwhile", "/s", Goal(least=50_000)),
        Line("rss_mib", "the same: peak of the scheduler's memory", "MiB", Goal(most=300)),
        Line("redis_bytes", "Redis bytes for a pending message", "B", Goal(most=100)),
        Line("pending_bytes", "Postgres bytes for a pending message", "B", Goal(most=450)),
    ),
    (
        ours(_import),
        limit("COPY", _copy),
        limit("ZADD", _zadd),
        limit("sorted set", _zset),
        peer("BullMQ", _bullmq),
    ),
    long_s=300,
)
STORED: Final = Row(
    "stored",
    (Line("settled_bytes", "Postgres bytes for a settled message with its attempt", "B", Goal(most=750)),),
    (ours(_settled),),
    rounds=1,
    long_s=100,
)
