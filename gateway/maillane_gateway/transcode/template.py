"""Path templates as google/api/http.proto defines them: `/v1/campaigns/{campaign_id}/recipients:import`."""

import re
from dataclasses import dataclass
from urllib.parse import unquote

_VARIABLE = re.compile(r"\{([\w.]+)(?:=([^}]*))?\}")
_ENCODED_SLASH = re.compile(r"%2[fF]")

_ONE_SEGMENT = "[^/:]+"
"""What `*` takes. A colon as such begins a verb; in a value it comes encoded."""

_MANY_SEGMENTS = f"(?:{_ONE_SEGMENT}(?:/{_ONE_SEGMENT})*)?"
"""What `**` takes: any number of segments, none included."""


class PathError(ValueError):
    """A path variable is not UTF-8 once decoded."""

    def __init__(self, field: str) -> None:
        super().__init__(f"{field} is not UTF-8")
        self.field = field


@dataclass(frozen=True, slots=True)
class PathTemplate:
    """A template, ready to match."""

    text: str
    """As the proto has it."""
    fields: tuple[str, ...]
    """Field paths of the variables, from left to right."""
    pattern: re.Pattern[str]
    specificity: tuple[int, ...]
    """Sorts templates so that of two that match, the one with the earlier literal comes first."""
    _multiple: frozenset[str]

    @classmethod
    def parse(cls, text: str) -> "PathTemplate":
        """Reads a template.

        Raises:
            ValueError: it does not start with a slash, or names a variable twice.
        """
        path, verb = _split_verb(text)
        expression, fields, multiple, position = "", [], set(), 0
        for variable in _VARIABLE.finditer(path):
            inner = variable[2] or "*"
            expression += _expression(path[position : variable.start()]) + f"({_expression(inner)})"
            fields.append(variable[1])
            if "/" in inner or "**" in inner:
                multiple.add(variable[1])
            position = variable.end()
        expression += _expression(path[position:]) + (f":{re.escape(verb)}" if verb else "")
        if not text.startswith("/") or len(set(fields)) < len(fields):
            raise ValueError(f"not a path template: {text}")
        flat = _VARIABLE.sub(lambda variable: variable[2] or "*", path)
        specificity = tuple({"*": 1, "**": 2}.get(segment, 0) for segment in flat.split("/")[1:])
        return cls(text, tuple(fields), re.compile(expression), specificity, frozenset(multiple))

    def match(self, raw_path: str) -> dict[str, str] | None:
        """The variables of a path that is still percent-encoded, decoded; None where it does not match.

        A variable of several segments keeps its encoded slashes, as http.proto asks.

        Raises:
            PathError: a variable is not UTF-8.
        """
        found = self.pattern.fullmatch(raw_path)
        if found is None:
            return None
        return {field: self._decode(field, raw) for field, raw in zip(self.fields, found.groups(), strict=True)}

    def _decode(self, field: str, raw: str) -> str:
        if field in self._multiple:
            raw = _ENCODED_SLASH.sub("%252F", raw)
        try:
            return unquote(raw, errors="strict")
        except UnicodeDecodeError:
            raise PathError(field) from None


def _split_verb(text: str) -> tuple[str, str]:
    path, colon, verb = text.rpartition(":")
    return (path, verb) if colon and "}" not in verb and "/" not in verb else (text, "")


def _expression(part: str) -> str:
    segments = {"*": _ONE_SEGMENT, "**": _MANY_SEGMENTS}
    return "/".join(segments.get(segment, re.escape(segment)) for segment in part.split("/"))
