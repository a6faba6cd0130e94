"""Row 12: messages cancelled at random points of their way."""

from support.cancelled import cancel_at_random

from .scenario import Scenario, Trial


async def cancel(trial: Trial) -> None:
    """By the sender's own pool, at a server that names the message in each answer and takes its time."""
    found = await cancel_at_random(trial.seed, trial.size)
    trial.measure(
        points=trial.size,
        answered=len(found.verdicts),
        accepted=len(found.accepted),
        mistaken=len(found.mistaken),
        doubled=sum(count > 1 for count in found.taken.values()),
    )
    trial.must(f"no reply taken for another's: {list(found.mistaken.items())[:3]}", not found.mistaken)
    trial.must("what is said to be accepted was taken", found.accepted <= set(found.taken))
    trial.must("nothing was taken that had not begun", set(found.taken) <= found.begun)
    trial.must("nothing was taken twice", max(found.taken.values(), default=0) <= 1)


SCENARIOS = [
    # In short it is a test of the sender's own.
    Scenario(
        12,
        "cancelled at random points",
        "no reply ever taken for another's",
        10_000,
        120,
        cancel,
        takes_s=20,
        patient=True,
    ),
]
