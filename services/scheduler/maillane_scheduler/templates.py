"""The grammar of `{{variables}}` in subjects and bodies, as the scheduler checks and previews it; senders render by it.

`{{name}}` stands for a recipient's variable, `{{name|fallback}}` for it or, where the recipient lacks it, for the
fallback. Blanks inside the braces do not count. Two opening braces that begin neither are an error, so that
`{{first name}}` is told to its author, not to a recipient. A table of cases that both sides are held to is in
tests/contract.
"""

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")

_PLACEHOLDER = re.compile(r"\{\{[ \t]*([A-Za-z_][A-Za-z0-9_]{0,63})[ \t]*(?:\|([^{}\r\n]*))?\}\}")
_OPENING = "{{"
# A fallback is a word or two; a longer one is a forgotten brace.
MAX_FALLBACK = 200
# Characters of a text with its values: a small template can ask for a long value any number of times.
MAX_FILLED = 3 * 1024 * 1024
# Enough of a bad placeholder to find it again.
_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A variable where it stands in a text; `fallback` is None where there is none, which is not the same as empty.

    `start` and `end` are where, in characters.
    """

    name: str
    fallback: str | None
    start: int = 0
    end: int = 0


class TemplateError(ValueError):
    """Two opening braces begin no placeholder; the message says what is allowed, `offset` where, in characters."""

    def __init__(self, text: str, offset: int) -> None:
        shown = text[offset : offset + _SHOWN]
        super().__init__(
            f"must have two opening braces only in {{{{name}}}} or {{{{name|fallback}}}} (names are letters, digits "
            f"and underscores, a fallback up to {MAX_FALLBACK} characters); at character {offset + 1} is {shown!r}"
        )
        self.offset = offset


class FilledTooLong(ValueError):
    """With its values, a text is longer than MAX_FILLED."""


def placeholders(text: str) -> Iterator[Placeholder]:
    """The placeholders of a text, in order.

    Raises:
        TemplateError: two opening braces begin no placeholder.
    """
    at = text.find(_OPENING)
    while at >= 0:
        match = _PLACEHOLDER.match(text, at)
        fallback = match and match[2] and match[2].strip(" \t")
        if match is None or len(fallback or "") > MAX_FALLBACK:
            raise TemplateError(text, at)
        yield Placeholder(match[1], fallback, at, match.end())
        at = text.find(_OPENING, match.end())


def needed(*texts: str) -> list[str]:
    """The variables that every recipient must have: those that stand somewhere without a fallback; each once, in order.

    Raises:
        TemplateError: two opening braces begin no placeholder.
    """
    found = (placeholder for text in texts for placeholder in placeholders(text))
    return list(dict.fromkeys(placeholder.name for placeholder in found if placeholder.fallback is None))


@dataclass(frozen=True, slots=True)
class Filled:
    """A text with its values in it, and what they were; `missing` stand in it as they are written."""

    text: str
    values: dict[str, str]
    missing: frozenset[str]


def fill(text: str, variables: Mapping[str, str], *, escape: bool = False) -> Filled:
    """Puts values into a text, as senders do: a value that is missing or empty gives way to the fallback.

    Args:
        escape: values go into HTML.

    Raises:
        TemplateError: two opening braces begin no placeholder.
        FilledTooLong: it would be longer than MAX_FILLED.
    """
    pieces, values, missing, at, left = list[str](), dict[str, str](), set[str](), 0, MAX_FILLED - len(text)
    for placeholder in placeholders(text):
        value = variables.get(placeholder.name) or placeholder.fallback
        pieces.append(text[at : placeholder.start])
        if value is None:
            missing.add(placeholder.name)
            pieces.append(text[placeholder.start : placeholder.end])
        else:
            values[placeholder.name] = value
            pieces.append(html.escape(value) if escape else value)
            left -= len(pieces[-1])
            if left < 0:
                raise FilledTooLong
        at = placeholder.end
    return Filled("".join([*pieces, text[at:]]), values, frozenset(missing))
