"""The whole document."""

import re
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor, ServiceDescriptor

from maillane_gateway.comments import comment
from maillane_gateway.openapi.schemas import Schema, Schemas
from maillane_gateway.openapi.uploads import import_operation, probe_operations, suppressions_operation
from maillane_gateway.transcode.binding import WHOLE, Binding, bindings
from maillane_gateway.transcode.download import is_download
from maillane_gateway.transcode.values import SCALAR_MESSAGES

_CAPITAL = re.compile(r"(?<!^)[A-Z]")
_VARIABLE = re.compile(r"\{([\w.]+)(?:=[^}]*)?\}")

MAX_QUERY_DEPTH = 3
"""Of nested query parameters (`smtp.port`): deeper ones work, but nobody reads of them."""

_ERROR: Schema = {
    "type": "object",
    "description": "Every answer from 400 up.",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "status", "message", "details"],
            "properties": {
                "code": {"type": "integer", "description": "The HTTP code.", "examples": [400]},
                "status": {"type": "string", "description": "The gRPC code.", "examples": ["INVALID_ARGUMENT"]},
                "message": {"type": "string", "description": "For people."},
                "details": {
                    "type": "array",
                    "description": "google.rpc.ErrorInfo (a reason for programs), BadRequest (each bad field, in JSON "
                    "names from the root of the body), RetryInfo (when to come back).",
                    "items": {"type": "object", "properties": {"@type": {"type": "string"}}},
                },
            },
        }
    },
}


def build(services: Sequence[ServiceDescriptor], *, answers: bool = False) -> dict[str, Any]:
    """The OpenAPI document of these services, the upload and the probes; `answers` as Schemas takes it."""
    schemas = Schemas(answers=answers)
    paths: dict[str, dict[str, Any]] = {}
    for binding in bindings(services):
        path = _VARIABLE.sub(r"{\1}", binding.template.text)
        paths.setdefault(path, {})[binding.verb.lower()] = _operation(binding, schemas, paths)
    for path, verb, operation in (*import_operation(schemas), *suppressions_operation(schemas), *probe_operations()):
        paths.setdefault(path, {})[verb] = operation
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Maillane",
            "version": version("maillane-gateway"),
            "summary": "Sends email campaigns through mailboxes that have limits.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "tags": [{"name": _tag(service), "description": comment(service.full_name)} for service in services],
        "paths": paths,
        "components": {
            "schemas": {**dict(sorted(schemas.components.items())), "Error": _ERROR},
            "responses": {"Error": {"description": "What went wrong.", "content": _json(_reference("Error"))}},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "A token of the workspace."}
            },
        },
    }


def _operation(binding: Binding, schemas: Schemas, paths: dict[str, Any]) -> dict[str, Any]:
    method = binding.method
    earlier = sum(each["operationId"].startswith(method.name) for path in paths.values() for each in path.values())
    operation: dict[str, Any] = {
        "operationId": method.name if not earlier else f"{method.name}{earlier + 1}",
        "tags": [_tag(method.containing_service)],
        "summary": _words(method.name),
        "description": comment(method.full_name),
        "parameters": [*_path_parameters(binding, schemas), *_query_parameters(binding, schemas)],
        "responses": {"200": _answer(binding, schemas), "default": {"$ref": "#/components/responses/Error"}},
    }
    if body := _body(binding, schemas):
        operation["requestBody"] = body
    return operation


def _path_parameters(binding: Binding, schemas: Schemas) -> Iterator[dict[str, Any]]:
    for path in binding.template.fields:
        field = _leaf(binding.method.input_type, path)
        yield _parameter(path, "path", schemas.field(field)) | {"required": True}


def _query_parameters(binding: Binding, schemas: Schemas) -> Iterator[dict[str, Any]]:
    for name, field in _flattened(binding.query_fields, "", MAX_QUERY_DEPTH):
        yield _parameter(name, "query", schemas.field(field))


def _flattened(fields: Sequence[FieldDescriptor], prefix: str, depth: int) -> Iterator[tuple[str, FieldDescriptor]]:
    for field in fields:
        if field.message_type is None or field.message_type.full_name in SCALAR_MESSAGES:
            yield prefix + field.json_name, field
        elif not field.is_repeated and depth > 1:
            yield from _flattened(field.message_type.fields, f"{prefix}{field.json_name}.", depth - 1)


def _parameter(name: str, place: str, schema: Schema) -> dict[str, Any]:
    parameter: dict[str, Any] = {"name": name, "in": place, "schema": schema}
    if text := schema.pop("description", ""):
        parameter["description"] = text
    return parameter


def _body(binding: Binding, schemas: Schemas) -> dict[str, Any] | None:
    message = binding.method.input_type
    if not binding.body:
        return None
    if binding.body != WHOLE:
        field = message.fields_by_name[binding.body]
        return {"required": True, "content": _json(_without_description(schemas.field(field)))}
    taken = frozenset(binding.template.fields)
    if all(field.name in taken for field in message.fields):
        return None
    schema = schemas.object(message, without=taken) if taken else schemas.message(message)
    return {"required": True, "content": _json(schema)}


def _answer(binding: Binding, schemas: Schemas) -> dict[str, Any]:
    message = binding.method.output_type
    if is_download(binding):
        return {"description": comment(message.full_name), "content": {"text/csv": {"schema": {"type": "string"}}}}
    field = message.fields_by_name.get(binding.response_body)
    schema = schemas.message(message) if field is None else _without_description(schemas.field(field))
    if binding.method.server_streaming:
        text = "Server-sent events: the data of each is this; one named error holds an Error, and ends the stream."
        return {"description": text, "content": {"text/event-stream": {"schema": schema}}}
    return {"description": comment(message.full_name) or "Done.", "content": _json(schema)}


def _leaf(message: Descriptor, path: str) -> FieldDescriptor:
    first, _, rest = path.partition(".")
    field = message.fields_by_name[first]
    return _leaf(field.message_type, rest) if rest and field.message_type is not None else field


def _words(name: str) -> str:
    """An rpc's name as a heading: CreateCampaign, "Create campaign"."""
    return _CAPITAL.sub(lambda found: " " + found[0].lower(), name)


def _tag(service: ServiceDescriptor) -> str:
    return service.name.removesuffix("Service")


def _json(schema: Schema) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _reference(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _without_description(schema: Schema) -> Schema:
    return {key: value for key, value in schema.items() if key != "description"}
