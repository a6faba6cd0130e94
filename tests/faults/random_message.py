"""Messages with fields of any size and any content, by their descriptors."""

import random
from collections.abc import Sequence
from typing import Any, Final

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from . import hostile_text

HUGE: Final = 300_000
NUMBERS: Final = (0, 1, -1, 2, 25, 200, 1000, 2**31 - 1, -(2**31), 2**32 - 1, 2**53, 2**63 - 1, -(2**63), 2**64 - 1)
FLOATS: Final = (0.0, -1.0, 1.5, float("nan"), float("inf"))
PLAIN: Final = ("a@example.com", "127.0.0.1", "localhost", "x", "1", "9" * 18, "e30", "name", "smtp.port", "m-1")
_INTEGERS: Final = {
    FieldDescriptor.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, 2**64 - 1),
}
_FLOATS: Final = (FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT)
_MOST_DEPTH: Final = 6
_MOST_MESSAGES: Final = 60


class Filler:
    """Fills messages. `ids` are of things that exist."""

    def __init__(self, ids: Sequence[str], chance: random.Random) -> None:
        self._ids = ids
        self._chance = chance

    def fill(self, message: Message, depth: int = 0) -> None:
        """Sets about two thirds of the fields."""
        for field in message.DESCRIPTOR.fields:
            if self._chance.random() < 0.35:
                continue
            if field.message_type is not None and field.message_type.GetOptions().map_entry:
                self._fill_map(getattr(message, field.name), field)
            elif field.is_repeated:
                self._fill_list(getattr(message, field.name), field, depth)
            elif field.message_type is not None:
                getattr(message, field.name).SetInParent()
                if depth < _MOST_DEPTH:
                    self.fill(getattr(message, field.name), depth + 1)
            else:
                setattr(message, field.name, self._value(field))

    # The descriptors' types have two names: that of the stubs, and that of the C library.
    def _fill_map(self, values: Any, field: Any) -> None:
        entry = field.message_type.fields_by_name
        if entry["value"].message_type is None:
            for _ in range(self._chance.choice((0, 1, 3, 200))):
                values[self._value(entry["key"])] = self._value(entry["value"])

    def _fill_list(self, values: Any, field: Any, depth: int) -> None:
        for _ in range(self._chance.choice((0, 1, 1, 2, 3, 60, 1_500))):
            if field.message_type is None:
                values.append(self._value(field))
            elif depth < _MOST_DEPTH and len(values) < _MOST_MESSAGES:
                self.fill(values.add(), depth + 1)

    def _value(self, field: Any) -> Any:
        if field.enum_type is not None:
            return self._chance.choice((*field.enum_type.values_by_number, 99, -1))
        if bounds := _INTEGERS.get(field.cpp_type):
            low, high = bounds
            return self._chance.choice([number for number in NUMBERS if low <= number <= high])
        if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
            return self._chance.random() < 0.5
        if field.cpp_type in _FLOATS:
            return self._chance.choice(FLOATS)
        text = self._text(field.name)
        return text.encode() if field.type == FieldDescriptor.TYPE_BYTES else text

    def _text(self, name: str) -> str:
        pick = self._chance.random()
        if pick < 0.35 and name.endswith(("id", "ids")):
            return self._chance.choice(self._ids)
        if pick < 0.5:
            return self._chance.choice(PLAIN)
        return "x" * HUGE if pick > 0.995 else hostile_text.text(self._chance)
