"""What a benchmark is judged by, and one row of it from end to end."""

import dataclasses
import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from support.documents import with_measured
from support.programs import CannotRun

from .plots import IMAGES, plots_of
from .rounds import Run, Runner
from .row import Figures, Form, Goal, Line, Row, limit, ours, peer
from .rows import ROWS
from .spread import percentile, rounded, spread
from .steal import Shares, parsed, shares
from .svg import LABEL, WIDTH
from .table import DOCUMENT, keep, kept_results, lines, markdown, runs_of, text

LONG = Form()
SVG = "{http://www.w3.org/2000/svg}"
LINE = Line("per_s", "things", "/s", Goal(least=100), "200: the wire", times_peer=2)


def row_of(**by_name: list[float]) -> tuple[Row, list[Run]]:
    """A row that was run, with the figures of each contestant."""

    async def never(_form: Form) -> Figures:
        raise AssertionError

    makers = {"maillane": ours, "peer": lambda run: peer("peer", run), "limit": lambda run: limit("limit", run)}
    contestants = tuple(makers[name](never) for name in by_name)
    runs = [
        Run(name, number, {"per_s": value}, 1.0, 2.0)
        for name, values in by_name.items()
        for number, value in enumerate(values)
    ]
    return Row("row", (LINE,), contestants, long_s=1), runs


def test_a_spread_is_the_median_with_the_least_and_the_most() -> None:
    """In whatever order the values come."""
    found = spread([3, 1, 10])

    assert (found.median, found.least, found.most, found.count) == (3, 1, 10, 3)


def test_a_percentile_is_a_value_that_was_measured() -> None:
    """The nearest rank, not something between two."""
    assert [percentile(range(1, 101), share) for share in (50, 99, 100)] == [50, 99, 100]
    assert percentile([7.0], 99) == 7.0


def test_figures_have_the_digits_that_are_worth_reading() -> None:
    """Neither 51,234.567 nor 0."""
    assert [rounded(value) for value in (51_234.5, 740.4, 54.34, 2.0, 0.0712, 0.0)] == [
        "51,200",
        "740",
        "54.3",
        "2",
        "0.071",
        "0",
    ]


def test_steal_is_the_eighth_field_and_guests_are_counted_once() -> None:
    """The fields after it are within user and nice already; waiting for a disk is idle."""
    before = parsed("cpu  100 0 0 100 0 0 0 0 50 0\n")
    after = parsed("cpu  150 0 0 130 10 0 0 10 99 0\n")

    assert shares(before, after) == Shares(steal=10.0, busy=50.0)


@pytest.mark.parametrize(
    ("of_ours", "of_peer", "expected"),
    [
        ([150.0], [70.0], "met"),
        ([99.0], [1.0], "missed"),
        ([150.0], [80.0], "missed"),
        ([1.0, 150.0, 151.0], [70.0], "met"),
    ],
)
def test_a_line_is_met_by_its_goal_and_beside_its_peer(of_ours, of_peer, expected) -> None:
    """By medians of both."""
    [cells] = lines(*row_of(maillane=of_ours, peer=of_peer), LONG)

    assert cells.verdict == expected


def test_of_several_checkouts_each_has_to_meet_it() -> None:
    """Not the first alone."""
    row, runs = row_of(maillane=[150.0])
    row = row.over({"old": Path("a"), "new": Path("b")})
    runs = [
        dataclasses.replace(run, contestant=name, figures={"per_s": value})
        for run in runs
        for name, value in (("old", 150.0), ("new", 50.0))
    ]
    [cells] = lines(row, runs, LONG)

    assert cells.verdict == "missed"


def test_a_quick_run_judges_nothing() -> None:
    """Its sizes are not those of the targets."""
    [cells] = lines(*row_of(maillane=[1.0]), Form(quick=True))

    assert cells.verdict == "quick"


def test_a_line_shows_target_limits_and_peers() -> None:
    """Each figure stands beside what it can be compared with."""
    row, runs = row_of(maillane=[150.0, 160.0, 170.0], peer=[70.0], limit=[190.0])
    said = text(row, runs, LONG)

    assert "160 (150–170) /s" in said
    assert "limit 200: the wire; limit 190 /s" in said
    assert "peers peer 70.0 /s" in said


def test_what_is_kept_comes_back_and_replaces_only_its_row(tmp_path: Path) -> None:
    """Rows that were not run again stay."""
    path = tmp_path / "bench.json"
    row, runs = row_of(maillane=[150.0])
    other = dataclasses.replace(row, name="other")
    keep(other, runs, LONG, {"commit": "a"}, path)
    keep(row, runs, LONG, {"commit": "a"}, path)
    keep(row, runs * 2, LONG, {"commit": "b"}, path)

    kept = kept_results(path)
    assert runs_of(kept, row) == runs * 2
    assert runs_of(kept, other) == runs
    assert markdown([row, other], json.loads(path.read_text())).count("| things |") == 2


def test_a_quick_run_does_not_take_the_place_of_a_long_one(tmp_path: Path) -> None:
    """It judges nothing."""
    path = tmp_path / "bench.json"
    row, runs = row_of(maillane=[150.0])
    keep(row, runs, LONG, {}, path)
    keep(row, [], Form(quick=True), {}, path)

    assert runs_of(kept_results(path), row) == runs


def test_a_plot_shows_everybody_with_figures_unit_and_target() -> None:
    """As XML that any browser reads; a peer that is far ahead leaves the others a bar to be seen."""
    row, runs = row_of(maillane=[150.0, 160.0], peer=[70.0], limit=[22_800.0])
    [(name, text)] = plots_of(row, runs).items()
    said = ["".join(each.itertext()) for each in ElementTree.fromstring(text).iter(f"{SVG}text")]
    wide = [float(each.get("width", 0)) for each in ElementTree.fromstring(text).iter(f"{SVG}rect")]

    assert name == "bench-row.svg"
    assert said == [
        *("things", "Maillane", "155 /s", "peer", "70.0 /s", "limit", "22,800 /s", "≥ 100 /s", "logarithmic"),
    ]
    assert min(wide) > 20
    assert wide[1] < wide[0] < wide[2] <= WIDTH - 2 * LABEL


def test_claims_are_plotted_over_what_is_pending() -> None:
    """A point a size, in the order of the lines."""
    sized = tuple(Line(f"p99_ms_{size}", f"with {size}", "ms") for size in (1_000, 10_000))
    row, _ = row_of(maillane=[1.0])
    row = dataclasses.replace(row, lines=sized)
    drawn = plots_of(row, [Run("maillane", 0, {"p99_ms_1000": 5.0, "p99_ms_10000": 6.0}, 0.0, 1.0)])

    assert list(drawn) == ["bench-row-claims.svg"]
    assert "6 ms" in drawn["bench-row-claims.svg"]
    assert len(list(ElementTree.fromstring(drawn["bench-row-claims.svg"]).iter(f"{SVG}circle"))) == 2


def test_the_documents_plots_are_there() -> None:
    """Those that it shows, and no others."""
    shown = set(re.findall(r"\(images/(bench-.*?\.svg)\)", DOCUMENT.read_text()))

    assert {path.name for path in IMAGES.glob("bench-*.svg")} == shown


def test_the_document_has_the_long_form_alone_and_names_what_it_lacks(tmp_path: Path) -> None:
    """Smaller sizes under the names of large ones would mislead."""
    path = tmp_path / "bench.json"
    row, runs = row_of(maillane=[150.0])
    quick = dataclasses.replace(row, name="small", lines=(dataclasses.replace(LINE, what="few things"),))
    keep(row, runs, LONG, {"commit": "a"}, path)
    keep(quick, runs, Form(quick=True), {"commit": "a"}, path)

    document = markdown([row, quick], kept_results(path))
    assert "| things |" in document
    assert "few things" not in document
    assert "Not measured in the long form yet: `small`." in document


def test_the_document_has_a_place_for_the_figures_and_names_every_row() -> None:
    """It can be written again and again."""
    whole = DOCUMENT.read_text()

    assert "| a |\n" in with_measured(whole, "| a |\n")
    assert [row.name for row in ROWS if f"`{row.name}`" not in with_measured(whole, "")] == []


async def test_everybody_runs_in_turns_and_who_was_first_is_last_in_the_next_round() -> None:
    """Nobody always finds the machine as the same other left it; who cannot run is named once."""
    order: list[str] = []

    def noting(name: str):
        async def run(_form: Form) -> Figures:
            order.append(name)
            return {"per_s": 1.0}

        return run

    async def absent(_form: Form) -> Figures:
        raise CannotRun("not here")

    contestants = (ours(noting("maillane")), peer("peer", noting("peer")), peer("absent", absent))
    runner = Runner(LONG, lambda _row, _run: None, begun_s=float("-inf"))
    await runner.row(Row("row", (LINE,), contestants, long_s=1, rounds=2))

    assert order == ["maillane", "peer", "peer", "maillane"]
    assert runner.missing == {"absent": "not here"}


async def test_a_run_that_fails_costs_nobody_else_theirs() -> None:
    """It is named, with its row and round; who failed once is tried again in the next."""

    async def fails(_form: Form) -> Figures:
        raise TimeoutError("the queue does not load")

    async def fine(_form: Form) -> Figures:
        return {"per_s": 1.0}

    runner = Runner(LONG, lambda _row, _run: None, begun_s=float("-inf"))
    runs = await runner.row(Row("row", (LINE,), (ours(fails), peer("peer", fine)), long_s=1, rounds=2))

    assert [run.contestant for run in runs] == ["peer", "peer"]
    assert runner.failed == [f"row maillane, round {n}: TimeoutError: the queue does not load" for n in (0, 1)]


async def test_checkouts_run_in_turns_with_nobody_else() -> None:
    """Each by its name, on its own tree."""
    trees: list[Path | None] = []

    async def run(form: Form) -> Figures:
        trees.append(form.tree)
        return {"per_s": 1.0}

    row = Row("row", (LINE,), (ours(run), peer("peer", run)), long_s=1, rounds=2).over(
        {"old": Path("a"), "new": Path("b")}
    )
    runs = await Runner(LONG, lambda _row, _run: None, begun_s=float("-inf")).row(row)

    assert [run.contestant for run in runs] == ["old", "new", "new", "old"]
    assert trees == [Path("a"), Path("b"), Path("b"), Path("a")]


def test_every_row_has_a_name_of_its_own_and_somebody_of_ours() -> None:
    """They are chosen by their names."""
    assert len({row.name for row in ROWS}) == len(ROWS)
    assert all("ours" in row.kinds.values() for row in ROWS)


async def test_a_quick_row_runs_from_end_to_end() -> None:
    """Real stores and services, and messages through them: what idles is asked little."""
    [idle] = [row for row in ROWS if row.name == "idle"]
    runs = await Runner(Form(quick=True), lambda _row, _run: None).row(idle)

    assert [run.contestant for run in runs] == ["maillane"]
    assert 0 <= runs[0].figures["commands_per_s"] < 100
