"""Row 10: the connection is dropped, or hangs, at every other stage."""

from maillane.scheduler.v1 import mailbox_service_pb2 as mailbox_pb

from .certificate import tls
from .misbehaviour import DROP, HANG, Act, Rule, Stage
from .rig import Rig
from .scenario import Scenario, Trial
from .sink import Sink

BEFORE = (Stage.CONNECT, Stage.EHLO, Stage.STARTTLS, Stage.AUTH, Stage.MAIL, Stage.RCPT, Stage.DATA)
# Deadlines of the sender in this scenario, in seconds.
CONNECT_S, ENVELOPE_S, CONTENT_S = 1.5, 1.0, 2.0
# Beyond a deadline: the way to the sender, and to Postgres.
SLACK_S = 3.0


async def break_off(trial: Trial) -> None:
    """Before content nothing is lost and no attempt is spent; within it a message is unconfirmed, in time."""
    context, environment = tls(trial.folder)
    deadlines = {"smtp_connect_s": CONNECT_S, "smtp_envelope_s": ENVELOPE_S, "smtp_content_s": CONTENT_S}
    rests = {"backoff_first_s": 0.1, "backoff_most_s": 0.5}
    async with trial.rig(Sink(trial.seed, tls=context), **deadlines, **rests, **environment) as rig:
        for stage in (*BEFORE, Stage.BODY):
            for act in (DROP, HANG):
                await _one(trial, rig, stage, act)
        found = await rig.reconcile()
    trial.safe(found)
    spent = found.spent - found.total
    trial.measure(attempts_spent_in_vain=spent)
    trial.must(f"no attempt is spent: {spent}", spent == 0)
    cut_off = rig.sink.answered(Stage.BODY)[0]
    trial.must(f"unconfirmed = cut off in content: {cut_off}", len(found.unconfirmed) == cut_off > 0)
    trial.must("unconfirmed within the time-out", trial.measured["unconfirmed_s"] <= CONTENT_S + SLACK_S)


async def _one(trial: Trial, rig: Rig, stage: Stage, act: Act) -> None:
    """One stage and one way, through a mailbox of its own."""
    name = f"{stage.name}-{act.then.name}".lower()
    mailbox = await rig.mailbox(f"{name}@sender.example", security=mailbox_pb.SECURITY_STARTTLS, password="of a sink")
    broken = len(rig.sink.answers)
    # A connection is made for many messages, so that most of those must break for some to meet with it.
    share = 0.2 if stage in (Stage.RCPT, Stage.DATA, Stage.BODY) else 0.6
    rig.sink.misbehaviour.add(Rule(stage, act, share=share, times=1))
    campaign = await rig.campaign([mailbox], trial.size)
    drained = await rig.drained(within_s=60)
    rig.sink.misbehaviour.clear()
    trial.must(f"{stage}, {act.then}: everything has ended", drained)
    trial.must(f"{stage}, {act.then}: it did break off", len(rig.sink.answers) > broken)
    [(longest,)] = await rig.oracle.ask(
        "SELECT extract(epoch FROM max(settle_time - claim_time))::float8 FROM attempts WHERE campaign_id = %s "
        "AND state = 5",
        int(campaign),
    )
    if longest is not None:
        trial.most(unconfirmed_s=longest)


SCENARIOS = [
    Scenario(
        10,
        "dropped or hung at each other stage",
        "before content: all delivered, no attempt spent; after: unconfirmed, within the time-out",
        40,
        400,
        break_off,
        takes_s=80,
    )
]
