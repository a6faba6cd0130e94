"""Runs a row: everybody in turns, several rounds, and again where the hypervisor took too much."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from support.programs import CannotRun

from .row import Contestant, Figures, Form, Row
from .steal import CALM_PERCENT, shares, ticks

REPEATS: Final = 2
"""How often a run is repeated for steal, until the calmest one counts."""

REPEATS_END_S: Final = 40 * 60.0
"""After so long nothing is repeated any more: the long form has 45 minutes."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of one contestant.

    Attributes:
        steal, busy: of the machine's time, in percent, over the whole run.
        repeated: how often it was run before, with more steal.
    """

    contestant: str
    round: int
    figures: Figures
    steal: float
    took_s: float
    repeated: int = 0
    busy: float = 0.0


@dataclass(slots=True)
class Runner:
    """Runs rows one after another.

    Attributes:
        tell: hears of each run as it ends.
        missing: whom this machine cannot run, and why.
        failed: runs that did not end as they should, and why. The others go on.
    """

    form: Form
    tell: Callable[[Row, Run], None]
    begun_s: float = field(default_factory=time.monotonic)
    missing: dict[str, str] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)

    async def row(self, row: Row, rounds: int | None = None) -> list[Run]:
        """All runs of a row, in the order in which they were made."""
        runs: list[Run] = []
        for number, contestant in self._turns(row, rounds):
            try:
                run = await self._calm(contestant, number)
            except CannotRun as error:
                self.missing[contestant.name] = str(error)
                continue
            except Exception as error:  # noqa: BLE001 - whatever it is, it must not cost what else is measured
                self.failed.append(f"{row.name} {contestant.name}, round {number}: {type(error).__name__}: {error}")
                print(f"    failed: {self.failed[-1]}", flush=True)
                continue
            runs.append(run)
            self.tell(row, run)
        return runs

    def _turns(self, row: Row, rounds: int | None) -> Iterator[tuple[int, Contestant]]:
        for number in range(rounds or (1 if self.form.quick else row.rounds)):
            # Who was first is last in the next round: nobody always finds the machine as the same other left it.
            order = row.contestants if number % 2 == 0 else tuple(reversed(row.contestants))
            for contestant in order:
                if not (contestant.long_only and self.form.quick) and contestant.name not in self.missing:
                    yield number, contestant

    async def _calm(self, contestant: Contestant, number: int) -> Run:
        """The run with the least steal of those that were needed until one was calm."""
        calmest = await self._run(contestant, number, 0)
        for repeat in range(1, REPEATS + 1):
            if calmest.steal <= CALM_PERCENT or self.form.quick or time.monotonic() - self.begun_s > REPEATS_END_S:
                break
            again = await self._run(contestant, number, repeat)
            calmest = min(calmest, again, key=lambda run: run.steal)
        return calmest

    async def _run(self, contestant: Contestant, number: int, repeat: int) -> Run:
        before, begun = ticks(), time.monotonic()
        figures = await contestant.run(self.form)
        of_time = shares(before, ticks())
        took_s = time.monotonic() - begun
        return Run(contestant.name, number, figures, of_time.steal, took_s, repeat, of_time.busy)
