"""Row 17: imports that are cut off, and sent again."""

import asyncio
from collections import Counter
from urllib.parse import urlsplit

from .rig import Rig
from .scenario import Scenario, Trial

ROWS = 30_000
"""Of a CSV file: some chunks of the gateway's."""


async def cut_off(trial: Trial) -> None:
    """A CSV upload that ends at any byte; a stream whose scheduler is killed: sent again, each row is there once."""
    cuts = trial.scaled(40, 4)
    kills = trial.scaled(8)
    async with trial.rig() as rig:
        mailbox = await rig.mailbox("m@sender.example")
        for _ in range(cuts):
            campaign = await rig.campaign([mailbox], 0, start=False)
            rows = trial.random.choice((3, 200, ROWS // 3))
            body = _csv(rows)
            await _upload(rig, campaign, body, trial.random.randrange(len(body)))
            had = await _rows(rig, campaign)
            trial.must(f"what is left of an upload are whole rows: {had}", set(had) <= set(_addresses(rows)))
            answer = await _upload(rig, campaign, body, len(body))
            trial.must(f"the second is taken: {answer[:200]!r}", answer.startswith(b"HTTP/1.1 200"))
            _judge(trial, Counter(_addresses(rows)), await _rows(rig, campaign))
            await rig.delete(campaign)
        for _ in range(kills):
            campaign = await rig.campaign([mailbox], 0, start=False)
            feeding = asyncio.create_task(rig.feed(campaign, ROWS))
            await asyncio.sleep(trial.random.uniform(0, 1))
            await rig.system.kill("scheduler")
            await rig.system.restart("scheduler")
            await feeding
            expected = Counter(f"r{n}@c{campaign}.example" for n in range(1, ROWS + 1))
            _judge(trial, expected, await _rows(rig, campaign))
            await rig.delete(campaign)
    trial.measure(cuts=cuts, kills=kills)


def _judge(trial: Trial, expected: Counter[str], found: Counter[str]) -> None:
    missing, extra = expected - found, found - expected
    trial.must(f"each row is there: {list(missing)[:3]} are not", not missing)
    trial.must(f"and once: {list(extra)[:3]} are more", not extra)
    trial.measured["rows"] = trial.measured.get("rows", 0) + found.total()


async def _upload(rig: Rig, campaign: str, body: bytes, cut: int) -> bytes:
    """Sends a file's first bytes, and hangs up where that is not all; returns the answer."""
    url = urlsplit(rig.system.urls["gateway"])
    reader, writer = await asyncio.open_connection(url.hostname, url.port)
    head = (
        f"POST /v1/campaigns/{campaign}/recipients:import HTTP/1.1",
        f"Host: {url.netloc}",
        "Connection: close",
        f"Authorization: Bearer {rig.system.token}",
        "Content-Type: text/csv",
        f"Content-Length: {len(body)}",
    )
    writer.write("\r\n".join(head).encode() + b"\r\n\r\n" + body[:cut])
    await writer.drain()
    answer = await reader.read() if cut == len(body) else b""
    writer.transport.abort()
    await rig.imports_ended(campaign)
    return answer


async def _rows(rig: Rig, campaign: str) -> Counter[str]:
    return Counter(
        row[0] for row in await rig.oracle.ask("SELECT email FROM messages WHERE campaign_id = %s", int(campaign))
    )


def _csv(rows: int) -> bytes:
    return ("email,name\n" + "".join(f"{address},Zoë {address}\n" for address in _addresses(rows))).encode()


def _addresses(rows: int) -> list[str]:
    return [f"row{number}@csv.example" for number in range(1, rows + 1)]


SCENARIOS = [
    Scenario(
        17,
        "imports cut off",
        "sent again, each row is there once",
        1,
        300,
        cut_off,
        brief=0.05,
        takes_s=100,
        patient=True,
    ),
]
