"""Fields in errors as an HTTP client knows them.

A service names a field from the root of its request, in proto names (`campaign.mailbox_ids[0]`, or `mailbox_ids[0]`);
the client sent the campaign as the body, with JSON names. It is told `mailboxIds[0]`, in details and message alike.
"""

import re

from google.protobuf.descriptor import Descriptor
from google.rpc import error_details_pb2, status_pb2

from maillane_gateway.transcode.binding import UPDATE_MASK, WHOLE, Binding

_PATH = re.compile(r"\w+(?:\.\w+)*")
_PART = re.compile(r"(\w+)((?:\[[^\]]*\])*)")


def rename_fields(status: status_pb2.Status, binding: Binding) -> status_pb2.Status:
    """A status whose BadRequest details, if any, name fields as the client does; and so does its message then."""
    renamed = status_pb2.Status()
    renamed.CopyFrom(status)
    bad = error_details_pb2.BadRequest()
    for detail in renamed.details:
        if detail.Unpack(bad):
            for violation in bad.field_violations:
                _rename(violation, renamed, binding)
            detail.Pack(bad)
    return renamed


def _rename(
    violation: error_details_pb2.BadRequest.FieldViolation, status: status_pb2.Status, binding: Binding
) -> None:
    given = violation.field
    violation.field = client_path(binding, given)
    if given == UPDATE_MASK:
        # What it says are names of fields.
        violation.description = _in_json_names(binding, violation.description)
        status.message = _in_json_names(binding, status.message)
    elif given != violation.field:
        whole = rf"(?<![\w.]){re.escape(given)}(?!\w|\.\w)"
        status.message = re.sub(whole, lambda _: violation.field, status.message)


def _in_json_names(binding: Binding, text: str) -> str:
    request = binding.method.input_type
    inner = request.fields_by_name[binding.body].message_type if binding.body not in {"", WHOLE} else request

    def renamed(found: re.Match[str]) -> str:
        path = found[0]
        return _json_path(request if path in request.fields_by_name else inner, path)

    return _PATH.sub(renamed, text)


def client_path(binding: Binding, path: str) -> str:
    """The path in JSON names, from the root of the body; what does not resolve is left as it is."""
    request: Descriptor = binding.method.input_type
    first, _, rest = path.partition(".")
    if binding.body in {"", WHOLE}:
        return _json_path(request, path)
    inner = request.fields_by_name[binding.body].message_type
    if first == binding.body:
        return _json_path(inner, rest) if rest else "body"
    return _json_path(request if first.partition("[")[0] in request.fields_by_name else inner, path)


def _json_path(message: Descriptor | None, path: str) -> str:
    parts = []
    for part in path.split("."):
        found = _PART.fullmatch(part)
        field = message.fields_by_name.get(found[1]) if found and message is not None else None
        parts.append(field.json_name + found[2] if found and field is not None else part)
        message = field.message_type if field is not None else None
    return ".".join(parts)
