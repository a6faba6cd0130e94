"""Bodies that are wrong somewhere: JSON by a schema of our OpenAPI document, CSV files, and what is neither."""

import json
import random
from collections.abc import Mapping, Sequence
from typing import Any, Final

from . import hostile_text

LARGE: Final = 200_000
"""Characters of a text that is far too long, and well within what the gateway reads."""
DEEP: Final = 3_000
_MOST_DEPTH: Final = 5

# fmt: off
NUMBERS: Final = (0, 1, -1, 25, 587, 2**31, -(2**31), 2**63, 2**64, 10**40, 1.5, 1e300, "12", True)
PLAIN: Final = (
    "a@example.com", "127.0.0.1", "localhost", "5s", "0.000001s", "2026-01-31T09:30:00Z", "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999999Z", "name,template.subject", "*", "Hello {{name|you}}", "\ud800",
)
JUNK: Final[tuple[Any, ...]] = (
    None, True, 0, -1, 10**30, 1.5, float("nan"), float("inf"), "", [], {}, [[]], {"a": {"b": []}}, [None] * 100,
    {"@type": "type.googleapis.com/google.protobuf.Empty"}, {str(number): number for number in range(100)},
)
SPLINTERS: Final = (b"", b"\0", b"\xff", b"NaN", b"1e999", b'"\\ud800"', b"-", b",")
PARTS: Final = ("file", "file", "other", 'f"ile', "file\xff")
ENDS: Final = (b"\r\n--b--\r\n", b"\r\n--b--", b"\r\n--b\r\n", b"")
# fmt: on


class Bodies:
    """Makes bodies. `ids` are of things that exist, and of things that do not."""

    def __init__(self, document: Mapping[str, Any], ids: Sequence[str], chance: random.Random) -> None:
        self._schemas = document["components"]["schemas"]
        self._ids = ids
        self._chance = chance

    def json(self, schema: Mapping[str, Any]) -> bytes:
        """A document of this schema, wrong in some places; or no document."""
        pick = self._chance.random()
        if pick < 0.08:
            return self._chance.randbytes(self._chance.randrange(200))
        if pick < 0.16:
            return self._chance.choice((b"[" * DEEP + b"]" * DEEP, b'{"name":' * DEEP))
        ascii_only = self._chance.random() < 0.5
        raw = json.dumps(self._value(schema, 0), ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
        if self._rarely():
            cut = self._chance.randrange(len(raw))
            raw = raw[:cut] + self._chance.choice(SPLINTERS) + raw[cut + 1 :]
        return raw

    def csv(self) -> tuple[str, bytes]:
        """A file of recipients, with its content type: as it is, or in a form."""
        rows = ["email,name,n"] if self._chance.random() < 0.8 else [self._hostile()]
        rows += [f"r{n}@example.com,{self._hostile()},{self._hostile()}" for n in range(self._chance.randrange(30))]
        raw = self._chance.choice(("\n", "\r\n", "\r")).join(rows).encode()
        if self._rarely():
            broken = (b"\xff\xfe" + raw, b"PK\x03\x04" + raw, raw + b'"', raw + b"\xff", b"a," * 70_000, b"")
            raw = self._chance.choice(broken)
        if self._chance.random() < 0.7:
            return "text/csv", raw
        disposition = f'form-data; name="{self._chance.choice(PARTS)}"; filename="x.csv"'
        head = f"--b\r\nContent-Disposition: {disposition}\r\n\r\n".encode()
        return "multipart/form-data; boundary=b", head + raw + self._chance.choice(ENDS)

    def _value(self, schema: Mapping[str, Any], depth: int) -> Any:
        if "$ref" in schema:
            schema = self._schemas[schema["$ref"].rpartition("/")[2]]
        if self._rarely() or depth > _MOST_DEPTH:
            return self._junk()
        for several in ("anyOf", "oneOf", "allOf"):
            if several in schema:
                return self._value(self._chance.choice(schema[several]), depth + 1)
        if "enum" in schema:
            return self._chance.choice((*schema["enum"], self._junk()))
        match schema.get("type"):
            case "object":
                return self._object(schema, depth)
            case "array":
                count = self._chance.choice((0, 1, 2, 2, 60))
                return [self._value(schema.get("items", {}), depth + 1) for _ in range(count)]
            case "integer" | "number":
                return self._chance.choice(NUMBERS)
            case "boolean":
                return self._chance.choice((True, False, 0, "true"))
            case _:
                return self._text()

    def _object(self, schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
        properties = schema.get("properties", {})
        found = {name: self._value(part, depth + 1) for name, part in properties.items() if self._chance.random() < 0.7}
        if self._rarely():
            found[self._hostile()] = self._junk()
        return found

    def _text(self) -> str:
        if self._chance.random() < 0.5:
            return self._chance.choice((*self._ids, *PLAIN))
        return "x" * LARGE if self._chance.random() < 0.01 else self._hostile()

    def _junk(self) -> Any:
        return self._chance.choice((*JUNK, self._text()))

    def _hostile(self) -> str:
        return hostile_text.text(self._chance)

    def _rarely(self) -> bool:
        return self._chance.random() < 0.1
