"""Query parameters and path variables, which are text, as the JSON that they stand for."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from maillane_chassis.errors import InvalidArgument, Violation

from maillane_gateway.transcode.binding import find_field, is_map
from maillane_gateway.transcode.faults import Faults
from maillane_gateway.transcode.values import SCALAR_MESSAGES

MAX_PARAMETERS = 100
"""More than any call has fields; http servers bound the length of the line themselves."""

_TRUTH = {"true": True, "false": False}


def parse(query: bytes) -> dict[str, list[str]]:
    """The parameters of a query by name, in their order. An empty value counts as not given.

    Raises:
        InvalidArgument: it is not UTF-8, or holds more than MAX_PARAMETERS.
    """
    try:
        pairs = parse_qsl(
            query.decode("ascii"), keep_blank_values=False, errors="strict", max_num_fields=MAX_PARAMETERS
        )
    except UnicodeError:
        raise InvalidArgument([Violation("query", "must be percent-encoded UTF-8")]) from None
    except ValueError:
        raise InvalidArgument([Violation("query", f"must hold at most {MAX_PARAMETERS} parameters")]) from None
    parameters: dict[str, list[str]] = {}
    for name, value in pairs:
        parameters.setdefault(name, []).append(value)
    return parameters


def put(
    document: dict[str, Any],
    message: Descriptor,
    path: str,
    values: list[str],
    faults: Faults,
    *,
    allowed: Iterable[str],
) -> None:
    """Puts one parameter into a JSON document of `message`, at a path of proto or JSON names (`smtp.port`).

    `allowed` are the proto names of the fields that may stand first in the path.
    """
    fields = _resolve(message, path)
    if fields is None or fields[0].name not in set(allowed):
        faults.add(path, "is not a parameter of this call")
        return
    *parents, leaf = fields
    if _is_structure(leaf):
        faults.add(path, "is an object; name a field in it")
        return
    for parent in parents:
        document = document.setdefault(parent.json_name, {})
    if leaf.is_repeated:
        document.setdefault(leaf.json_name, []).extend(_json(leaf, value) for value in values)
    elif len(values) > 1 or leaf.json_name in document:
        faults.add(path, "is given twice")
    else:
        document[leaf.json_name] = _json(leaf, values[0])


def _resolve(message: Descriptor, path: str) -> list[FieldDescriptor] | None:
    fields: list[FieldDescriptor] = []
    current: Descriptor | None = message
    for name in path.split("."):
        if fields and (fields[-1].is_repeated or fields[-1].message_type is None):
            return None
        field = find_field(current, name) if current is not None else None
        if field is None:
            return None
        fields.append(field)
        current = field.message_type
    return fields


def _is_structure(field: FieldDescriptor) -> bool:
    return field.message_type is not None and (is_map(field) or field.message_type.full_name not in SCALAR_MESSAGES)


def _json(field: FieldDescriptor, text: str) -> Any:
    """What the text would be in JSON; what fits no form stays text, for the field's own rule to refuse."""
    if field.type == FieldDescriptor.TYPE_BOOL:
        return _TRUTH.get(text, text)
    if field.enum_type is not None and text.isascii() and text.isdigit() and len(text) < 10:
        return int(text)
    return text
