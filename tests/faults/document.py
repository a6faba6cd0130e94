"""Writes what was measured into docs/reliability.md: `python -m tests.faults.document`, after `make faults`."""

import json
import re
import sys
from pathlib import Path
from typing import Final

DOCUMENT: Final = Path(__file__).resolve().parents[2] / "docs/reliability.md"
_PLACE: Final = re.compile(r"(?<=<!-- measured: begin -->\n).*(?=<!-- measured: end -->)", re.DOTALL)


def with_table(document: str, table: str) -> str:
    """The document with this table between its marks.

    Raises:
        ValueError: it has no such marks.
    """
    found, times = _PLACE.subn(lambda _: table, document)
    if times != 1:
        raise ValueError("the document has no place for what was measured")
    return found


def main() -> None:
    """Rewrites the document; exits 1 where nothing was measured."""
    # Here, for what stands beside it needs all that scenarios need.
    from .table import RESULTS, markdown

    if not RESULTS.exists():
        sys.exit(f"{RESULTS} is not there: run make faults first")
    DOCUMENT.write_text(with_table(DOCUMENT.read_text(), markdown(json.loads(RESULTS.read_text()))))


if __name__ == "__main__":
    main()
