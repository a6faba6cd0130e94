"""What a scenario is, and how it is run: seeded, bounded in time, with a row of a table as its result."""

import asyncio
import importlib
import random
import tempfile
import time
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Self

from support.programs import CannotRun

from .oracle import Findings
from .rig import Rig, rig
from .sink import Sink

HOLDS: Final = "holds"
FAILS: Final = "FAILS"
SKIPPED: Final = "not run"


@dataclass(frozen=True, slots=True)
class Scenario:
    """One row of the table.

    Attributes:
        must: what it must show, in words.
        size: of the long form; what it counts is the scenario's own (sends, mostly).
        limit_s: of the long form; one that takes longer has failed.
        brief: the share of its size in the short form, which is run by `make test`; 0: none.
        takes_s: how long the long form takes on two quiet cores, for the estimate and the order.
        alone: nothing else runs meanwhile, for what it claims hangs on how busy the machine is.
        patient: it claims nothing about time, and takes what the others leave of the machine.
    """

    row: int
    name: str
    must: str
    size: int
    limit_s: float
    run: "Callable[[Trial], Awaitable[None]]"
    brief: float = 0.0
    takes_s: float = 60.0
    alone: bool = False
    patient: bool = False


@dataclass(slots=True)
class Result:
    """What came of one run."""

    row: int
    scenario: str
    must: str
    seed: int
    size: int
    date: str
    took_s: float = 0.0
    measured: dict[str, Any] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    verdict: str = HOLDS

    @classmethod
    def of(cls, scenario: Scenario, seed: int, scale: float) -> Self:
        """One of which nothing is known yet."""
        size = max(1, round(scenario.size * scale))
        return cls(scenario.row, scenario.name, scenario.must, seed, size, datetime.now(UTC).date().isoformat())


class Trial:
    """One run of a scenario: its luck, its size, its systems, and what it found."""

    def __init__(self, seed: int, scale: float, size: int, folder: Path) -> None:
        self.seed = seed
        self.size = size
        self.random = random.Random(seed)
        self.measured: dict[str, Any] = {}
        self.broken: list[str] = []
        self._scale = scale
        self.folder = folder
        self._systems = 0

    def scaled(self, of_the_long_form: int, at_least: int = 1) -> int:
        """A number of the long form, as this run has it."""
        return max(at_least, round(of_the_long_form * self._scale))

    @asynccontextmanager
    async def rig(self, sink: Sink | None = None, **settings: Any) -> AsyncIterator[Rig]:
        """A system and a sink, with settings as keywords."""
        self._systems += 1
        folder = self.folder / f"system{self._systems}"
        async with rig(folder, self.seed, settings, sink) as made:
            yield made

    def measure(self, **values: Any) -> None:
        """Notes what was measured; numbers are rounded."""
        self.measured |= {name: round(v, 2) if isinstance(v, float) else v for name, v in values.items()}

    def most(self, **values: float) -> None:
        """Notes the largest of what is measured several times."""
        for name, value in values.items():
            self.measured[name] = round(max(value, self.measured.get(name, 0.0)), 2)

    def must(self, claim: str, holds: bool) -> None:
        """Claims something; what does not hold makes the scenario fail."""
        if not holds:
            self.broken.append(claim)

    def safe(self, found: Findings) -> None:
        """The promise itself: nothing lost, nothing doubled, no limit passed, and every count true."""
        over = max(found.over.values(), default=0)
        over_at_sink = max(found.over_at_sink.values(), default=0)
        self.measure(
            messages=found.total,
            lost=len(found.lost),
            doubled=len(found.doubled),
            unconfirmed=len(found.unconfirmed),
            over_limit=max(over, over_at_sink),
            displaced=found.displaced,
        )
        self.must(f"0 lost: {found.lost[:5]}", not found.lost)
        self.must(f"0 doubled: {found.doubled[:5]}", not found.doubled)
        self.must(f"what the server took is SENT or UNCONFIRMED: {found.untrue[:5]}", not found.untrue)
        self.must(f"no limit passed by hand-outs: {found.over}", over == 0)
        self.must(f"no limit passed at the server: {found.over_at_sink}", over_at_sink == 0)
        self.must(f"every content was counted: {found.uncounted} were not", found.uncounted == 0)
        self.must(f"counts are those of the rows: {found.miscounted}", not found.miscounted)


def scenarios(rows: Collection[int] = ()) -> list[Scenario]:
    """The scenarios of rows, of all if none is named: each module s<row>_<name>.py beside this one holds SCENARIOS."""
    found: list[Scenario] = []
    for path in sorted(Path(__file__).parent.glob("s[0-9][0-9]_*.py")):
        if not rows or int(path.stem[1:3]) in rows:
            found += importlib.import_module(f".{path.stem}", __package__).SCENARIOS
    return found


async def run(scenario: Scenario, seed: int, scale: float = 1.0) -> Result:
    """Runs one; whatever goes wrong is in the result."""
    result = Result.of(scenario, seed, scale)
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="maillane-faults-", ignore_cleanup_errors=True) as folder:
        trial = Trial(seed, scale, result.size, Path(folder))
        result.measured, result.broken = trial.measured, trial.broken
        try:
            # A small run has its start and its end all the same.
            async with asyncio.timeout(scenario.limit_s * min(1.0, scale) + 120):
                await scenario.run(trial)
        except CannotRun as error:
            result.verdict = f"{SKIPPED}: {error}"
        except Exception as error:  # noqa: BLE001 - one that breaks must not take the others along
            trial.broken.append(f"it ran to its end: {type(error).__name__}: {error}")
            traceback.print_exc()
    result.took_s = round(time.monotonic() - begun, 1)
    if result.broken:
        result.verdict = FAILS
    return result
