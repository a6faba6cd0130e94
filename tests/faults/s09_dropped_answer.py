"""Row 9: the server takes the whole content and hangs up before it answers."""

from .misbehaviour import DROP, Rule, Stage
from .rig import addresses
from .scenario import Scenario, Trial


async def drop(trial: Trial) -> None:
    """Nobody can know whether such a mail was delivered: each is unconfirmed, and none is sent again."""
    async with trial.rig() as rig:
        rig.sink.misbehaviour.add(Rule(Stage.DOT, DROP, share=0.05))
        await rig.campaign([await rig.mailbox(address) for address in addresses(2)], trial.size)
        drained = await rig.drained(within_s=300)
        found = await rig.reconcile()
    drops = rig.sink.answered(Stage.DOT)[0]
    trial.measure(drops=drops)
    trial.must("everything has ended", drained)
    trial.safe(found)
    trial.must(f"some were dropped: {drops}", drops > 0)
    trial.must("unconfirmed = drops, exactly", len(found.unconfirmed) == drops)


SCENARIOS = [
    Scenario(
        9,
        "dropped after the final dot, 5 %",
        "0 doubled, unconfirmed = drops, exactly",
        20_000,
        240,
        drop,
        brief=0.01,
        takes_s=50,
        patient=True,
    )
]
