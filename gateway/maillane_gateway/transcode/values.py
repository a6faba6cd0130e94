"""Single JSON values to what a field of a message holds, after the ProtoJSON rules, each refusal in words.

Numbers may come as strings and whole floats as integers, as ProtoJSON says; nothing else is bent into shape.
"""

import base64
import binascii
import math
import re
from collections.abc import Callable
from typing import Any

from google.protobuf import duration_pb2, field_mask_pb2, timestamp_pb2
from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message

from maillane_gateway.transcode.ranges import range_of

_INTEGER = re.compile(r"-?\d{1,20}", re.ASCII)
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII)
_DURATION = re.compile(r"-?\d{1,40}(\.\d{1,9})?s", re.ASCII)
_MASK_PATH = re.compile(r"[a-zA-Z_]\w*(\.[a-zA-Z_]\w*)*", re.ASCII)
_CAPITAL = re.compile(r"[A-Z]")

MAX_MASK_PATHS = 100
"""More than any message here has fields."""

MAX_NAMES_SHOWN = 12
"""Of an enum's values in a refusal."""

_INTEGER_BOUNDS = {
    FieldDescriptor.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, 2**64 - 1),
}


class UnfitError(ValueError):
    """A value does not fit its field; the message ends the sentence "<field> …"."""


def scalar(field: FieldDescriptor, value: Any) -> Any:
    """What a scalar or enum field (or one item of a repeated one) holds for a JSON value that is not null.

    Raises:
        UnfitError: wrong type, or out of its range.
    """
    if field.enum_type is not None:
        return _enum(field.enum_type, value)
    if bounds := _INTEGER_BOUNDS.get(field.cpp_type):
        return _integer(field, value, *bounds)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return _bytes(value)
    if field.type == FieldDescriptor.TYPE_BOOL:
        return _boolean(value)
    if field.type == FieldDescriptor.TYPE_STRING:
        return _string(value)
    return _float(value, single=field.type == FieldDescriptor.TYPE_FLOAT)


def _timestamp(_field: FieldDescriptor, value: Any) -> Message:
    wanted = 'must be a time like "2026-01-31T09:30:00Z"'
    result = timestamp_pb2.Timestamp()
    _parse(value, _TIMESTAMP, result.FromJsonString, form=wanted, beyond=wanted)
    return result


def _duration(field: FieldDescriptor, value: Any) -> Message:
    limits = range_of(field)
    form = 'must be a duration in seconds like "5s" or "0.5s"' + limits
    result = duration_pb2.Duration()
    # Seconds beyond 10,000 years, which no field takes; what its own range is, its service knows.
    _parse(value, _DURATION, result.FromJsonString, form=form, beyond="is too long" + limits)
    return result


def _field_mask(_field: FieldDescriptor, value: Any) -> Message:
    wanted = 'must be field names with commas between them like "name,template.subject"'
    paths = [path.strip() for path in value.split(",")] if isinstance(value, str) and value.strip() else []
    unfit = any(not _MASK_PATH.fullmatch(path) for path in paths) or len(paths) > MAX_MASK_PATHS
    if unfit or not isinstance(value, str):
        raise UnfitError(wanted)
    return field_mask_pb2.FieldMask(paths=[_CAPITAL.sub(lambda found: "_" + found[0].lower(), path) for path in paths])


SCALAR_MESSAGES: dict[str, Callable[[FieldDescriptor, Any], Message]] = {
    "google.protobuf.Timestamp": _timestamp,
    "google.protobuf.Duration": _duration,
    "google.protobuf.FieldMask": _field_mask,
}
"""Messages that JSON writes as one string, read as the value of a field; each raises UnfitError."""


def kind(value: Any) -> str:
    """What a JSON value is, for a sentence."""
    names: tuple[tuple[type | tuple[type, ...], str], ...] = (
        (bool, "true or false"),
        (str, "a string"),
        ((int, float), "a number"),
        (dict, "an object"),
        (list, "an array"),
    )
    return next((name for types, name in names if isinstance(value, types)), "null")


def _parse(value: Any, pattern: re.Pattern[str], parse: Callable[[str], None], *, form: str, beyond: str) -> None:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise UnfitError(form)
    try:
        parse(value)
    except ValueError:  # a month 13, a year 0, a duration of more than 10,000 years
        raise UnfitError(beyond) from None


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise UnfitError(f"must be a string, not {kind(value)}")
    if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        raise UnfitError("must not hold half of a surrogate pair")
    return value


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise UnfitError("must be true or false")
    return value


def _integer(field: FieldDescriptor, value: Any, least: int, most: int) -> int:
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise UnfitError("must be a whole number" + (range_of(field) or f" from {least} to {most}"))
    return value


def _float(value: Any, *, single: bool) -> float:
    try:
        number = math.nan if isinstance(value, (bool, dict, list)) else float(value)
    except (ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number) or (single and abs(number) > 3.4028234e38):
        raise UnfitError("must be a finite number")
    return number


def _enum(enum: EnumDescriptor, value: Any) -> int:
    if isinstance(value, (str, int)) and not isinstance(value, bool):
        # Not by the descriptor's own look-ups: they cut numbers to 32 bits, and crash on half of a surrogate pair.
        for known in enum.values:
            if value in (known.name, known.number):
                return known.number
    names = [each.name for each in enum.values]
    more = f" and {len(names) - MAX_NAMES_SHOWN} more" if len(names) > MAX_NAMES_SHOWN else ""
    raise UnfitError(f"must be one of {', '.join(names[:MAX_NAMES_SHOWN])}{more}")


def _bytes(value: Any) -> bytes:
    try:
        if isinstance(value, str):
            plain = value.replace("-", "+").replace("_", "/").rstrip("=")
            return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        pass
    raise UnfitError("must be bytes as a base64 string")
