"""An HTTP request as the message that its rpc takes."""

from typing import Any

from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message
from google.rpc import code_pb2
from maillane_chassis.errors import InvalidArgument, Violation
from starlette.requests import Request

from maillane_gateway.http import body
from maillane_gateway.http.problem import HttpFailure
from maillane_gateway.transcode import document, query
from maillane_gateway.transcode.binding import UPDATE_MASK, WHOLE, Binding, find_field
from maillane_gateway.transcode.faults import Faults
from maillane_gateway.transcode.mask import given_paths, server_set_paths
from maillane_gateway.transcode.message import fill

MAX_BODY_BYTES = 2 * 1024 * 1024
"""A template's text (512 KiB) and HTML (1 MiB) fit with room for escapes."""

BODY_S = 10.0
"""For a body of that size, a line of 2 Mbit/s will do."""

_JSON_TYPES = ("", "application/json")


async def read_request(binding: Binding, request: Request, variables: dict[str, str]) -> Message:
    """The request message of a call.

    Raises:
        InvalidArgument: with every field that does not fit, named as the client knows it: in JSON names, from the root
            of the body.
        HttpFailure: 408, 413 or 415.
        ClientDisconnect: the client went away.
    """
    message = message_factory.GetMessageClass(binding.method.input_type)()
    faults = Faults()
    given = await _read_body(request) if binding.body else None
    outer = _from_url(binding, request, variables, faults)
    if binding.body == WHOLE:
        _merge_path(outer, given, binding, faults)
    elif binding.body:
        fill(getattr(message, binding.body), given, faults)
        # Given, if empty: an update to nothing differs from no update.
        getattr(message, binding.body).SetInParent()
    fill(message, outer, faults)
    faults.raise_if_any()
    if binding.derives_mask and not message.HasField(UPDATE_MASK):
        getattr(message, UPDATE_MASK).paths.extend(_changed(given, getattr(message, binding.body).DESCRIPTOR))
    return message


def _changed(given: Any, resource: Descriptor) -> list[str]:
    """The mask of an update that brings none.

    Raises:
        InvalidArgument: it gives only what the server sets, so that nothing would change, and the client not know why.
    """
    paths = list(given_paths(given, resource))
    if not paths and (refused := list(server_set_paths(given, resource))):
        raise InvalidArgument([Violation(path, "is set by the server and cannot be changed") for path in refused])
    return paths


async def _read_body(request: Request) -> Any:
    raw = await body.read(request, limit_bytes=MAX_BODY_BYTES, within_s=BODY_S)
    if not raw.strip():
        # A verb without fields needs none: `curl -X POST …:start`.
        return {}
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in _JSON_TYPES:
        raise HttpFailure(415, code_pb2.INVALID_ARGUMENT, "send the body with content-type: application/json")
    try:
        return document.parse(raw)
    except document.DocumentError as bad:
        raise InvalidArgument([Violation("body", str(bad))], message=str(bad)) from None


def _from_url(binding: Binding, request: Request, variables: dict[str, str], faults: Faults) -> dict[str, Any]:
    """What path and query give, as a document of the request message."""
    outer: dict[str, Any] = {}
    message = binding.method.input_type
    for path, value in variables.items():
        query.put(outer, message, path, [value], faults, allowed=[path.partition(".")[0]])
    allowed = [field.name for field in binding.query_fields]
    for path, values in query.parse(request.scope["query_string"]).items():
        query.put(outer, message, path, values, faults, allowed=allowed)
    return outer


def _merge_path(outer: dict[str, Any], given: Any, binding: Binding, faults: Faults) -> None:
    """Adds a whole body to what the path gives; where both give a field, they must agree."""
    if not isinstance(given, dict):
        faults.add("body", "must be an object")
        return
    for name, value in given.items():
        field = find_field(binding.method.input_type, name)
        if field is not None and field.json_name in outer and value != outer[field.json_name]:
            faults.add(name, "differs from what the path says")
        else:
            outer.setdefault(name, value)
