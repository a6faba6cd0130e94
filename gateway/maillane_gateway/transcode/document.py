"""JSON text to Python values, strictly: what most parsers let pass silently is kept visible or refused."""

import json
from typing import Any

MAX_DIGITS = 40
"""More than any field holds; beyond it int() costs the square of the length."""


class DocumentError(ValueError):
    """The text is not JSON; the message says why, for the one who sent it."""


class Repeated(dict[str, Any]):
    """An object in which some names came twice: `names` says which."""

    names: tuple[str, ...] = ()


def parse(raw: bytes) -> Any:
    """Reads one JSON value.

    NaN and Infinity become floats and numbers without end become infinite, so that the field's own rule refuses them by
    name. An object with a repeated name becomes a `Repeated`.

    Raises:
        DocumentError: it is not UTF-8, not JSON (RFC 8259), nested too deeply, or something follows it.
    """
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DocumentError(f"the body is not UTF-8: byte {error.start} is 0x{raw[error.start]:02x}") from None
    try:
        return json.loads(text, object_pairs_hook=_object, parse_int=_integer, parse_constant=float)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise DocumentError(f"the body is not JSON: {error.msg} at {where}") from None
    except RecursionError:
        raise DocumentError("the body is nested too deeply") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) == len(pairs):
        return value
    repeated, seen = Repeated(value), set[str]()
    repeated.names = tuple(dict.fromkeys(name for name, _ in pairs if name in seen or seen.add(name)))  # type: ignore[func-returns-value]
    return repeated


def _integer(text: str) -> int | float:
    return int(text) if len(text) <= MAX_DIGITS else float(text)
