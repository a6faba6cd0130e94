"""docs/benchmarks.md and its plots, out of what is kept."""

from collections.abc import Sequence

from support.documents import with_measured

from .plots import plots_of, write_plots
from .row import Row
from .table import DOCUMENT, in_long_form, kept_results, markdown, runs_of


def write_document(rows: Sequence[Row]) -> None:
    """Writes figures and plots anew."""
    kept = kept_results()
    drawn = {name: text for row in in_long_form(rows, kept) for name, text in plots_of(row, runs_of(kept, row)).items()}
    write_plots(drawn)
    DOCUMENT.write_text(with_measured(DOCUMENT.read_text(), markdown(rows, kept, list(drawn))))
