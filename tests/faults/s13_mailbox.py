"""Row 13: one mailbox of twenty gets into trouble with its server."""

import asyncio
import time

from maillane.scheduler.v1 import mailbox_service_pb2 as mailbox_pb

from .certificate import tls
from .misbehaviour import Act, Rule, Stage, Then
from .rig import Rig, addresses
from .scenario import Scenario, Trial
from .sink import Sink

MAILBOXES = 20
SICK = "m1@sender.example"
# Four mails a second in each mailbox.
GAP_S = 0.25
KEPT = 0.98

TROUBLES = {
    "4xx storm": [Rule(Stage.MAIL, Act("451 4.3.0 Try again later"), sender=SICK)],
    "slow down": [Rule(Stage.RCPT, Act("451 4.7.500 Server busy. Please try again later"), sender=SICK)],
    "454": [Rule(Stage.DOT, Act("454 Throttling failure: Maximum sending rate exceeded."), sender=SICK)],
    "421": [Rule(Stage.MAIL, Act("421 4.7.0 Try again later, closing connection", Then.DROP), sender=SICK)],
    "quota": [Rule(Stage.DOT, Act("550 5.4.5 Daily user sending limit exceeded."), sender=SICK)],
    "AUTH": [
        # What it is connected by must end first.
        Rule(Stage.MAIL, Act("421 4.3.2 Closing", Then.DROP), sender=SICK),
        Rule(Stage.AUTH, Act("535 5.7.8 Username and Password not accepted"), sender=SICK),
    ],
}


async def trouble(trial: Trial) -> None:
    """It rests for longer and longer, spends no attempts, and the others do not notice."""
    context, environment = tls(trial.folder)
    rests = {"backoff_first_s": 1, "backoff_most_s": 30}
    seconds = trial.scaled(12, 4)
    async with trial.rig(Sink(trial.seed, tls=context), **rests, **environment) as rig:
        boxes = [
            await rig.mailbox(address, security=mailbox_pb.SECURITY_STARTTLS, password="of a sink")
            for address in addresses(MAILBOXES)
        ]
        total = round((2 * len(TROUBLES) + 1) * seconds * MAILBOXES / GAP_S)
        await rig.campaign(boxes, total, delay_s=GAP_S)
        await rig.sent(2 * MAILBOXES)
        await asyncio.sleep(2)
        for name, rules in TROUBLES.items():
            await _one(trial, rig, name, rules, boxes[0], seconds)
        drained = await rig.drained(within_s=8 * seconds + 120)
        found = await rig.reconcile()
        suppressed = await rig.oracle.ask("SELECT count(*) FROM suppressions")
    trial.safe(found)
    trial.must("everything has ended", drained)
    trial.must(f"all were sent in the end: {found.states}", found.states == {"SENT": total})
    trial.must(f"no attempt is spent: {found.spent - found.total}", found.spent == found.total)
    trial.must("nobody is suppressed", suppressed == [(0,)])


async def _one(trial: Trial, rig: Rig, name: str, rules: list[Rule], mailbox: str, seconds: int) -> None:
    before = await _others(rig, seconds)
    rig.sink.misbehaviour.add(*rules)
    levels: list[int] = []
    watch = asyncio.create_task(_watch(rig, mailbox, levels))
    during = await _others(rig, seconds)
    watch.cancel()
    rig.sink.misbehaviour.clear()
    kept = during / before
    trial.measured["others_kept"] = round(min(kept, trial.measured.get("others_kept", 1.0)), 3)
    trial.must(f"{name}: the others keep {KEPT:.0%}: {kept:.1%}", kept >= KEPT)
    trial.must(f"{name}: the mailbox rests", max(levels, default=0) >= 1)
    trial.must(f"{name}: for longer and longer: {levels}", levels == sorted(levels) and len(set(levels)) >= 2)
    # A person has mended it.
    await rig.persist(lambda: rig.client.mailboxes.ResumeMailbox(mailbox_pb.ResumeMailboxRequest(mailbox_id=mailbox)))


async def _others(rig: Rig, seconds: int) -> float:
    """What the healthy ones send a second, over about so many: a process that is late looks for longer."""
    first, begun = len(rig.sink.contents), time.monotonic()
    await asyncio.sleep(seconds)
    sent = sum(content.sender != SICK and content.accepted for content in rig.sink.contents[first:])
    return sent / (time.monotonic() - begun)


async def _watch(rig: Rig, mailbox: str, levels: list[int]) -> None:
    while True:
        [(level,)] = await rig.oracle.ask("SELECT backoff_level FROM mailboxes WHERE id = %s", int(mailbox))
        levels.append(level)
        await asyncio.sleep(0.3)


SCENARIOS = [
    Scenario(
        13,
        "trouble in 1 of 20 mailboxes",
        "it parks with growing back-off and spends no attempts; the others keep ≥ 98 % of their rate; nobody fails",
        1,
        600,
        trouble,
        takes_s=240,
        alone=True,
    )
]
