"""The grammar of templates: `{{name}}` and `{{name|fallback}}`.

Spaces and tabs around name and fallback do not count. A name is a letter or underscore and up to 63 letters, digits and
underscores, in ASCII. A fallback stands where the recipient's value is missing or empty; it holds neither braces nor
line breaks, and may itself be empty, which makes the variable optional. Every `{{` begins a slot: what does not
parse is an error, for a typo sent to ten thousand people cannot be taken back. Single braces and a lone `}}` are plain
text (style sheets are full of them); there is no way to write `{{` itself.

The scheduler refuses bad templates by a module of its own; `tests/contract/template_cases.py` holds both to one table.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_FALLBACK_CHARS = 200
"""A fallback is a word or two; a longer one is a forgotten brace."""

_OPENING = "{{"
_SLOT = re.compile(r"\{\{[ \t]*([A-Za-z_][A-Za-z0-9_]{0,63})[ \t]*(?:\|([^{}\r\n]*))?\}\}")


class TemplateError(ValueError):
    """A template that does not parse: `offset` is where, in characters, and `why` is for people."""

    def __init__(self, offset: int, why: str) -> None:
        super().__init__(f"{why} (at character {offset + 1})")
        self.offset = offset
        self.why = why


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a value goes. `fallback` is None where the value must be there."""

    name: str
    fallback: str | None = None


def parse(source: str) -> tuple[str | Slot, ...]:
    """The plain texts and slots of a template, in order, without empty texts.

    Raises:
        TemplateError: some `{{` begins no slot.
    """
    pieces: list[str | Slot] = []
    at = 0
    while (opening := source.find(_OPENING, at)) >= 0:
        match = _SLOT.match(source, opening)
        if match is None:
            raise TemplateError(opening, "not a variable: write {{name}} or {{name|fallback}}")
        fallback = None if match[2] is None else match[2].strip(" \t")
        if fallback is not None and len(fallback) > MAX_FALLBACK_CHARS:
            raise TemplateError(opening, f"a fallback has at most {MAX_FALLBACK_CHARS} characters")
        pieces += [source[at:opening], Slot(match[1], fallback)]
        at = match.end()
    pieces.append(source[at:])
    return tuple(piece for piece in pieces if piece != "")
