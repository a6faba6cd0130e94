"""Which fields a PATCH without an update mask changes: those that its body gives (AIP-134)."""

from collections.abc import Iterator, Sequence
from typing import Any

from google.api import field_behavior_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from maillane_gateway.transcode.binding import find_field, is_map


def given_paths(document: Any, message: Descriptor, prefix: str = "") -> Iterator[str]:
    """The paths of a document's leaves, in proto names and in its order.

    A message that was given with fields stands for these, an empty one or null for itself. Names that `message` lacks
    and fields that are output only are left out: the first are refused elsewhere, the second may come back unchanged
    (AIP-203).
    """
    if not isinstance(document, dict):
        return
    for name, value in document.items():
        field = find_field(message, name)
        if field is None or is_output_only(field):
            continue
        path = prefix + field.name
        if isinstance(value, dict) and value and field.message_type is not None and not is_map(field):
            yield from given_paths(value, field.message_type, path + ".")
        else:
            yield path


def server_set_paths(document: Any, message: Descriptor, prefix: str = "") -> Iterator[str]:
    """The paths of a document's fields that are output only, as the client wrote them."""
    if not isinstance(document, dict):
        return
    for name, value in document.items():
        field = find_field(message, name)
        if field is not None and is_output_only(field):
            yield prefix + name
        elif field is not None and field.message_type is not None and not is_map(field):
            yield from server_set_paths(value, field.message_type, f"{prefix}{name}.")


def is_output_only(field: FieldDescriptor) -> bool:
    """Whether the contract says that only the server sets it."""
    extension: Any = field_behavior_pb2.field_behavior
    behaviours: Sequence[int] = field.GetOptions().Extensions[extension]
    return field_behavior_pb2.OUTPUT_ONLY in behaviours
