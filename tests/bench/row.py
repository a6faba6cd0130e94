"""What a row of the benchmark is: who is measured, in which figures, and what they should be."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final, Literal, Self, TypeAlias, TypeVar

OURS: Final = "maillane"

Figures: TypeAlias = dict[str, float]
"""What one run found, by the keys of the row's lines."""

_Amount = TypeVar("_Amount", int, float)


@dataclass(frozen=True, slots=True)
class Form:
    """How large a run is: the long form, of which the table is made, or a quick one, whose figures judge nothing.

    Attributes:
        tree: the checkout whose services ours are; None: this one.
    """

    quick: bool = False
    tree: Path | None = None

    def pick(self, long: _Amount, quick: _Amount) -> _Amount:
        """A size."""
        return quick if self.quick else long

    def pick_all(self, long: tuple[int, ...], quick: tuple[int, ...]) -> tuple[int, ...]:
        """Several sizes."""
        return quick if self.quick else long

    @property
    def name(self) -> str:
        """As results have it."""
        return "quick" if self.quick else "long"


@dataclass(frozen=True, slots=True)
class Goal:
    """What a figure should be: at least or at most so much."""

    least: float | None = None
    most: float | None = None

    def met(self, value: float) -> bool:
        """Whether it is."""
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the table: one figure of a row.

    Attributes:
        key: of the figure in what runs return. A contestant that does not return it is left out of the line.
        bound: what no program could pass, in words, where that is known without measuring.
        times_peer: the goal also asks for so many times what the best peer reached.
        peers_note: what peers leave out of the same work.
    """

    key: str
    what: str
    unit: str
    goal: Goal | None = None
    bound: str = ""
    times_peer: float | None = None
    peers_note: str = ""


@dataclass(frozen=True, slots=True)
class Contestant:
    """Who is measured: what we built, a peer that does the same work, or a limit that nobody could pass.

    Attributes:
        long_only: it takes too long for the quick form.
    """

    name: str
    run: Callable[[Form], Awaitable[Figures]]
    kind: Literal["ours", "peer", "limit"]
    long_only: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """Some lines that are measured together.

    Attributes:
        long_s: about how long the long form takes, all rounds of everybody, on two calm cores.
        rounds: in the long form; everybody runs once in each, in turns.
    """

    name: str
    lines: tuple[Line, ...]
    contestants: tuple[Contestant, ...]
    long_s: int
    rounds: int = 3
    long_only: bool = False

    def over(self, trees: Mapping[str, Path]) -> Self:
        """The same with ours alone, once by each checkout's name."""
        contestants = tuple(
            replace(each, name=name, run=partial(_over, each, tree))
            for each in self.contestants
            if each.kind == "ours"
            for name, tree in trees.items()
        )
        return replace(self, contestants=contestants)

    @property
    def kinds(self) -> Mapping[str, str]:
        """Of each contestant, by its name."""
        return {each.name: each.kind for each in self.contestants}


def ours(run: Callable[[Form], Awaitable[Figures]], *, name: str = OURS, long_only: bool = False) -> Contestant:
    """What we built."""
    return Contestant(name, run, "ours", long_only)


def peer(name: str, run: Callable[[Form], Awaitable[Figures]], *, long_only: bool = False) -> Contestant:
    """Somebody else's, that does the same work."""
    return Contestant(name, run, "peer", long_only)


def limit(name: str, run: Callable[[Form], Awaitable[Figures]], *, long_only: bool = False) -> Contestant:
    """What the wire, the store or the library does alone."""
    return Contestant(name, run, "limit", long_only)


async def _over(contestant: Contestant, tree: Path, form: Form) -> Figures:
    return await contestant.run(replace(form, tree=tree))
