"""Row 18: requests that are wrong somewhere, by HTTP and by gRPC."""

import asyncio
from collections import Counter
from typing import Final

import grpc
import httpx

from .by_schema import send_all
from .grpc_wire import outcome
from .http_wire import Unanswered, Wire
from .malformed_grpc import GrpcNoise
from .malformed_http import HttpNoise
from .rig import Rig
from .scenario import Scenario, Trial
from .sink import LOOPBACK
from .watch import crashes, resident_mib

CLIENTS: Final = 8
WARM: Final = 0.1
"""The share after which memory is first looked at: caches and pools are full by then."""
MORE_MIB: Final = 50


async def malformed_http(trial: Trial) -> None:
    """The gateway and what is behind it."""
    async with trial.rig() as rig:
        ids = await _things(rig)
        async with httpx.AsyncClient(base_url=rig.system.urls["gateway"], trust_env=False) as http:
            document = (await http.get("/openapi.json")).json()
        noise = HttpNoise(document, rig.system.token, ids, trial.random)
        codes: Counter[int] = Counter()
        unanswered: list[str] = []
        await _send(rig, noise, round(trial.size * WARM), codes, unanswered)
        before = _memory(rig)
        await _send(rig, noise, trial.size - round(trial.size * WARM), codes, unanswered)
        more = {name: _memory(rig)[name] - was for name, was in before.items()}
        trial.measure(
            requests=codes.total(), refused=sum(n for code, n in codes.items() if 400 <= code < 500),
            unavailable=codes[503], more_mib=max(more.values()),
        )  # fmt: skip
        faults = {code: count for code, count in codes.items() if code >= 500 and code != 503}
        trial.must(f"no 5xx: {faults}", not faults)
        trial.must(f"every whole request is answered: {unanswered[:3]}", not unanswered)
        await _unharmed(trial, rig, more)


async def _send(rig: Rig, noise: HttpNoise, count: int, codes: Counter[int], unanswered: list[str]) -> None:
    port = int(rig.system.urls["gateway"].rpartition(":")[2])
    left = iter(range(count))

    async def client() -> None:
        wire = Wire(LOOPBACK, port)
        for _ in left:
            try:
                codes[await wire.exchange(noise.request())] += 1
            except Unanswered as error:
                unanswered.append(str(error))
        await wire.close()

    await asyncio.gather(*(client() for _ in range(CLIENTS)))


async def by_schema(trial: Trial) -> None:
    """The same by schemathesis, which knows our OpenAPI document and other tricks than we do."""
    async with trial.rig() as rig:
        await _things(rig)
        url = rig.system.urls["gateway"]
        async with httpx.AsyncClient(base_url=url, trust_env=False) as http:
            document = (await http.get("/openapi.json")).json()
        await asyncio.to_thread(send_all, document, url, rig.system.token, trial.seed, 1)
        before = _memory(rig)
        answers = await asyncio.to_thread(send_all, document, url, rig.system.token, trial.seed + 1, trial.size)
        more = {name: _memory(rig)[name] - was for name, was in before.items()}
        trial.measure(requests=answers.codes.total(), codes=dict(answers.codes), more_mib=max(more.values()))
        trial.must(f"no 5xx: {answers.faults[:3]}", not answers.faults)
        await _unharmed(trial, rig, more)


async def malformed_grpc(trial: Trial) -> None:
    """The scheduler as clients reach it, then all three services as they reach each other."""
    async with trial.rig() as rig:
        ids = await _things(rig)
        codes: Counter[str] = Counter()
        faults: Counter[str] = Counter()
        before: dict[str, float] = {}
        for public in (True, False):
            credential = f"Bearer {rig.system.token}" if public else f"Service {rig.system.secrets.service_key}"
            noise = GrpcNoise(credential, ids, trial.random, public=public)
            await _call(rig, noise, round(trial.size * WARM), codes, faults)
            before = before or _memory(rig)
            await _call(rig, noise, trial.size // 2 - round(trial.size * WARM), codes, faults)
        more = {name: _memory(rig)[name] - was for name, was in before.items()}
        trial.measure(
            calls=codes.total(), ok=codes["OK"], unavailable=codes["UNAVAILABLE"], more_mib=max(more.values())
        )
        trial.must(f"no INTERNAL, UNKNOWN or DATA_LOSS: {dict(faults)}", not faults)
        await _unharmed(trial, rig, more)


async def _call(rig: Rig, noise: GrpcNoise, count: int, codes: Counter[str], faults: Counter[str]) -> None:
    channels = {
        name: grpc.aio.insecure_channel(rig.system.urls[name], options=(("grpc.max_metadata_size", 64 * 1024),))
        for name in ("scheduler", "ratelimit", "sender")
    }
    left = iter(range(count))

    async def client() -> None:
        for _ in left:
            call = noise.call()
            code, words = await outcome(channels[call.part], call)
            codes[code] += 1
            if code in ("INTERNAL", "UNKNOWN", "DATA_LOSS"):
                faults[f"{code} {call.path} {words[:80]}"] += 1

    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    for channel in channels.values():
        await channel.close()


async def _things(rig: Rig) -> list[str]:
    """The ids of a mailbox and of a draft, so that some of the noise is about what exists."""
    mailbox = await rig.mailbox("m@sender.example")
    return [mailbox, await rig.campaign([mailbox], 10, start=False)]


def _memory(rig: Rig) -> dict[str, float]:
    return {name: resident_mib(rig.system.pids[name]) for name in ("gateway", "scheduler", "sender", "ratelimit")}


async def _unharmed(trial: Trial, rig: Rig, more: dict[str, float]) -> None:
    """Nothing crashed, nothing grew, and mail still leaves."""
    trial.must(f"memory + ≤ {MORE_MIB} MB: {more}", max(more.values()) <= MORE_MIB)
    trial.must(f"no crash: {rig.killed()}", not rig.system.dead())
    found = crashes(rig.system)
    trial.must(f"no mistake of ours in the logs: {dict(found)}", not found)
    campaign = await rig.campaign([await rig.mailbox("after@sender.example")], 20)
    await rig.sent(20)
    trial.must("mail still leaves", (await rig.get(campaign)).counts.total == 20)


MUST = "no 5xx, no crash, memory + ≤ 50 MB"
SCENARIOS = [
    Scenario(18, "malformed HTTP", MUST, 100_000, 1200, malformed_http, takes_s=450, patient=True),
    # Requests of each kind, fitting and not, for each operation.
    Scenario(18, "schemathesis", MUST, 100, 600, by_schema, takes_s=200, patient=True),
    Scenario(18, "malformed gRPC", MUST, 20_000, 1200, malformed_grpc, takes_s=130, patient=True),
]
