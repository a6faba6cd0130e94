"""Which fields an update changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from google.api import field_behavior_pb2
from maillane_chassis.violations import Violations

if TYPE_CHECKING:
    from google.protobuf.descriptor import Descriptor, FieldDescriptor

FIELD = "update_mask"
_BEHAVIOUR: Any = field_behavior_pb2.field_behavior


def changed(
    violations: Violations, paths: Iterable[str], known: Mapping[str, frozenset[str]], resource: Descriptor
) -> frozenset[str]:
    """The fields that the paths of a mask name; a path of a message names all that is in it.

    A path that is not known, or that only the server sets, and a mask without paths, are violations.
    """
    fields: set[str] = set()
    empty = True
    for path in paths:
        empty = False
        if path not in known:
            if _is_output_only(resource, path):
                violations.add(FIELD, f"must not name {path}: it is set by the server")
            else:
                violations.add(FIELD, f"must name only {', '.join(known)}")
            break
        fields |= known[path]
    if empty:
        violations.add(FIELD, f"must name at least one of {', '.join(known)}")
    return frozenset(fields)


def leaves(*names: str) -> dict[str, frozenset[str]]:
    """Paths that name one field each, by that name."""
    return {name: frozenset((name.rpartition(".")[2],)) for name in names}


def _is_output_only(resource: Descriptor, path: str) -> bool:
    """Whether the contract says of a field, or of what it is in, that only the server sets it."""
    message: Descriptor | None = resource
    for name in path.split("."):
        field: FieldDescriptor | None = message.fields_by_name.get(name) if message is not None else None
        if field is None:
            return False
        if field_behavior_pb2.OUTPUT_ONLY in field.GetOptions().Extensions[_BEHAVIOUR]:
            return True
        message = field.message_type
    return False
