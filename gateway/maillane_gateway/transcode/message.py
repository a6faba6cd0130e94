"""JSON values to messages, by descriptors, with the path of everything that does not fit.

json_format stops at the first error and words it for programmers; a person who fills in a form wants all of them.
"""

from typing import Any, cast

from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from maillane_gateway.transcode.binding import find_field, is_map
from maillane_gateway.transcode.document import Repeated
from maillane_gateway.transcode.faults import Faults, joined, shortened
from maillane_gateway.transcode.values import SCALAR_MESSAGES, UnfitError, kind, scalar

_MAP_KEY_TEXT = {"true": True, "false": False}


def fill(message: Message, document: Any, faults: Faults, path: str = "") -> None:
    """Sets the fields of `message` that a JSON object gives; null means not given (ProtoJSON).

    What does not fit is noted in `faults` and left unset: the message is good only where nothing was noted.
    """
    if not isinstance(document, dict):
        faults.add(path or "body", f"must be an object, not {kind(document)}")
        return
    for name in document.names if isinstance(document, Repeated) else ():
        faults.add(joined(path, name), "is given twice")
    descriptor = cast(Descriptor, message.DESCRIPTOR)
    given: dict[str, str] = {}
    for name, value in document.items():
        if faults.full:
            return
        field, where = find_field(descriptor, name), joined(path, shortened(name))
        if field is None:
            faults.add_unknown(where, name, descriptor)
        elif value is not None:
            if earlier := given.get(_exclusive(field)):
                faults.add(where, f"cannot be given together with {earlier}")
            given[_exclusive(field)] = name
            _set(message, field, value, faults, where)


def _exclusive(field: FieldDescriptor) -> str:
    """What only one name in an object may set: a field (which has two names), or a oneof."""
    return field.containing_oneof.full_name if field.containing_oneof is not None else field.full_name


def _set(message: Message, field: FieldDescriptor, value: Any, faults: Faults, path: str) -> None:
    if is_map(field):
        _set_map(message, field, value, faults, path)
    elif field.is_repeated:
        _set_list(message, field, value, faults, path)
    elif field.message_type is not None:
        part = getattr(message, field.name)
        part.SetInParent()
        _set_message(part, field, value, faults, path)
    else:
        _try(faults, path, lambda: setattr(message, field.name, scalar(field, value)))


def _set_message(part: Message, field: FieldDescriptor, value: Any, faults: Faults, path: str) -> None:
    name = part.DESCRIPTOR.full_name
    if read := SCALAR_MESSAGES.get(name):
        _try(faults, path, lambda: part.CopyFrom(read(field, value)))
    elif name.startswith("google.protobuf."):
        # Struct, wrappers and the like: rare, and json_format knows their many forms.
        try:
            json_format.ParseDict(value, part)
        except (json_format.ParseError, TypeError, ValueError, AttributeError, RecursionError):
            faults.add(path, f"is no valid {part.DESCRIPTOR.name}")
    else:
        fill(part, value, faults, path)


def _set_list(message: Message, field: FieldDescriptor, value: Any, faults: Faults, path: str) -> None:
    if not isinstance(value, list):
        faults.add(path, f"must be an array, not {kind(value)}")
        return
    items = getattr(message, field.name)
    for index, item in enumerate(value):
        where = f"{path}[{index}]"
        if faults.full:
            return
        if item is None:
            faults.add(where, "must not be null")
        elif field.message_type is not None:
            _set_message(items.add(), field, item, faults, where)
        else:
            _try(faults, where, lambda item=item: items.append(scalar(field, item)))


def _set_map(message: Message, field: FieldDescriptor, value: Any, faults: Faults, path: str) -> None:
    if not isinstance(value, dict):
        faults.add(path, f"must be an object, not {kind(value)}")
        return
    for name in value.names if isinstance(value, Repeated) else ():
        faults.add(f'{path}["{shortened(name)}"]', "is given twice")
    entry = cast(Descriptor, field.message_type)
    key_field, value_field = entry.fields_by_name["key"], entry.fields_by_name["value"]
    entries = getattr(message, field.name)
    for name, item in value.items():
        where = f'{path}["{shortened(name)}"]'
        if faults.full:
            return
        try:
            key = scalar(key_field, _MAP_KEY_TEXT.get(name, name) if key_field.type == key_field.TYPE_BOOL else name)
            if value_field.message_type is not None:
                _set_message(entries[key], value_field, item, faults, where)
            else:
                entries[key] = scalar(value_field, item)
        except UnfitError as unfit:
            faults.add(where, str(unfit))


def _try(faults: Faults, path: str, act: Any) -> None:
    try:
        act()
    except UnfitError as unfit:
        faults.add(path, str(unfit))
