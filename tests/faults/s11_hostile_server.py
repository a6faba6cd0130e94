"""Row 11: mail servers that attack who talks to them."""

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Final

from maillane.client import connect
from maillane.scheduler.v1 import mailbox_service_pb2 as mailbox_pb
from maillane_local.system import System
from support.hostile import ATTACKS, SLOW_LORIS, STEPS, Attack, Hostile, hostile

from .rig import LOOK_S, Rig
from .scenario import Scenario, Trial
from .sink import LOOPBACK, Sink
from .watch import crashes, forget_peak, peak_mib

ENDED_S: Final = 1.0
MORE_MIB: Final = 5.0
WARM: Final = 200
"""Mails to a good server first: what a sender keeps for good, it has by then."""
ATTACKED_S: Final = 240.0
DEADLINE_S: Final = 3.0


async def attack(trial: Trial) -> None:
    """Every attack at every step, each on a mailbox of its own, beside one that sends to a good server all the time."""
    await _under(trial, [(step, each) for each in ATTACKS for step in STEPS], ENDED_S)


async def drip(trial: Trial) -> None:
    """A byte now and then, at every step at which an answer is awaited: until the time-out."""
    deadlines = {f"MAILLANE_SMTP_{name}_S": str(DEADLINE_S) for name in ("CONNECT", "ENVELOPE", "CONTENT")}
    attacks = [(step, SLOW_LORIS) for step in STEPS if step != "QUIET"]
    await _under(trial, attacks, DEADLINE_S + ENDED_S, **deadlines)


async def _under(trial: Trial, attacks: Sequence[tuple[str, Attack]], ended_s: float, **settings: str) -> None:
    with ExitStack() as stack, Sink(trial.seed) as sink:
        servers = [stack.enter_context(hostile(step, each)) for step, each in attacks]
        ports = ",".join(map(str, [sink.port, *(server.port for server in servers)]))
        async with (
            System(trial.folder / "hostile", {"MAILLANE_SMTP_PORTS": ports, **settings}) as system,
            connect(system.urls["scheduler"], system.token) as client,
        ):
            rig = Rig(system, sink, client)
            good = await rig.mailbox("good@sender.example")
            await rig.campaign([good], WARM)
            await rig.sent(WARM)
            forget_peak(system.pids["sender"])
            before = peak_mib(system.pids["sender"])
            await rig.campaign([good], trial.size, delay_s=0.05)
            for number, server in enumerate(servers):
                await rig.campaign([await _mailbox(rig, number, server.port)], 1)
            attacked = await _all_attacked(servers)
            more = peak_mib(system.pids["sender"]) - before
            went_on = await sink.next_content(within_s=5) < 5
            states = await rig.oracle.ask("SELECT state, count(*) FROM messages GROUP BY state")
            found, dead = crashes(system), rig.killed()
    slowest = max((server.ended_s or 0.0 for server in servers), default=0.0)
    trial.measure(attacks=attacked, slowest_s=slowest, more_mib=more, states=dict(states))
    trial.must(f"all attacked: {attacked} of {len(servers)}", attacked == len(servers))
    late = [f"{server.attack.name} at {server.step}" for server in servers if (server.ended_s or 0) > ended_s]
    trial.must(f"connections ended ≤ {ended_s:g} s: {late}", not late)
    trial.must(f"memory + ≤ {MORE_MIB:g} MB", more <= MORE_MIB)
    trial.must("the next messages are unharmed", went_on)
    doubled = [f"{server.attack.name} at {server.step}" for server in servers if len(server.messages) > 1]
    trial.must(f"nothing was sent twice: {doubled}", not doubled)
    trial.must(f"no crash: {dead} {dict(found)}", not dead and not found)


async def _mailbox(rig: Rig, number: int, port: int) -> str:
    # With a password, so that AUTH is a step.
    smtp = mailbox_pb.Smtp(host=LOOPBACK, port=port, security=mailbox_pb.SECURITY_NONE, username="u", password="p" * 20)
    box = mailbox_pb.Mailbox(address=f"m{number}@attacked.example", smtp=smtp, hourly_limit=1_000)
    return (await rig.client.mailboxes.CreateMailbox(mailbox_pb.CreateMailboxRequest(mailbox=box))).mailbox.id


async def _all_attacked(servers: Sequence[Hostile]) -> int:
    """Waits until each has attacked and seen its client go; how many have."""
    try:
        async with asyncio.timeout(ATTACKED_S):
            while not all(server.ended.is_set() for server in servers):
                await asyncio.sleep(LOOK_S)
    except TimeoutError:
        pass
    return sum(server.ended.is_set() for server in servers)


MUST = "connection ended ≤ 1 s (slow ones: the time-out), memory + ≤ 5 MB, next message unharmed"
SCENARIOS = [
    Scenario(11, "servers that attack", MUST, 2_000, 400, attack, takes_s=40, alone=True),
    Scenario(11, "slow-loris", MUST, 1_000, 300, drip, takes_s=25, alone=True),
]
