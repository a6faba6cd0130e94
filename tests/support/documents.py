"""The documents: their code blocks, so that tests can run what they show, and their places for what was measured."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT = Path(__file__).resolve().parents[2]

_HEADING = re.compile(r"^#+ (.*)$")
_FENCE = re.compile(r"^ *```(\w*)$")
_PLACE: Final = re.compile(r"(?<=<!-- measured: begin -->\n).*(?=<!-- measured: end -->)", re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A code block: the heading that it stands under, its language, its text."""

    title: str
    language: str
    text: str


def blocks(document: str, language: str) -> list[Block]:
    """The blocks of one language of a document, in its order."""
    found: list[Block] = []
    title, inside, lines = "", None, []
    for line in (ROOT / document).read_text().splitlines():
        if (fence := _FENCE.match(line)) is None:
            if inside is not None:
                lines.append(line)
            elif heading := _HEADING.match(line):
                title = heading[1]
        elif inside is None:
            inside, lines = fence[1], []
        else:
            found.append(Block(title, inside, "\n".join(lines) + "\n"))
            inside = None
    return [block for block in found if block.language == language]


def with_measured(document: str, measured: str) -> str:
    """The document with this between its marks.

    Raises:
        ValueError: it has no such marks.
    """
    found, times = _PLACE.subn(lambda _: measured, document)
    if times != 1:
        raise ValueError("the document has no place for what was measured")
    return found
