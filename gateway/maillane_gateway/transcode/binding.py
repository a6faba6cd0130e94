"""What an rpc's google.api.http rule says: which verb and path, and which part of a request comes from where."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from google.api import annotations_pb2, http_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor, ServiceDescriptor

from maillane_gateway.transcode.template import PathTemplate

WHOLE = "*"
"""As the body of a rule: everything that the path does not give."""

FIELD_MASK = "google.protobuf.FieldMask"
UPDATE_MASK = "update_mask"

_HTTP: Any = annotations_pb2.http
"""Typed as a descriptor of a field in general, which options do not take."""


@dataclass(frozen=True, slots=True)
class Binding:
    """One way to call an rpc over HTTP."""

    method: MethodDescriptor
    verb: str
    template: PathTemplate
    body: str
    """A field of the request, WHOLE, or empty: no body."""
    response_body: str
    """The field of the response that is the answer; empty: all of it."""

    @property
    def derives_mask(self) -> bool:
        """Whether a call that gives no update mask means the fields that its body holds (AIP-134)."""
        mask = self.method.input_type.fields_by_name.get(UPDATE_MASK)
        named = self.body not in {"", WHOLE}
        return self.verb == "PATCH" and named and mask is not None and is_message(mask, FIELD_MASK)

    @property
    def query_fields(self) -> list[FieldDescriptor]:
        """The fields of the request that may come from the query."""
        if self.body == WHOLE:
            return []
        taken = {path.partition(".")[0] for path in self.template.fields} | {self.body}
        return [field for field in self.method.input_type.fields if field.name not in taken]


def bindings(services: Iterable[ServiceDescriptor]) -> Iterator[Binding]:
    """Every binding of every unary and server-streaming rpc that has a rule, additional ones included.

    Raises:
        ValueError: a rule names a field that does not exist, or belongs to a client-streaming rpc.
    """
    for service in services:
        for method in service.methods:
            if method.GetOptions().HasExtension(_HTTP):
                rule: http_pb2.HttpRule = method.GetOptions().Extensions[_HTTP]
                for each in (rule, *rule.additional_bindings):
                    yield _bind(method, each)


def find_field(message: Descriptor, name: str) -> FieldDescriptor | None:
    """A field by its proto or its JSON name."""
    if not name.isascii():
        # No field has such a name; and the descriptor's look-up crashes on half of a surrogate pair.
        return None
    found = message.fields_by_name.get(name)
    return found or next((field for field in message.fields if field.json_name == name), None)


def is_message(field: FieldDescriptor, full_name: str) -> bool:
    """Whether a field holds messages of this type."""
    return field.message_type is not None and field.message_type.full_name == full_name


def is_map(field: FieldDescriptor) -> bool:
    """Whether a field is a map."""
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def _bind(method: MethodDescriptor, rule: http_pb2.HttpRule) -> Binding:
    if method.client_streaming:
        raise ValueError(f"{method.full_name}: a stream of requests has no HTTP form")
    kind = rule.WhichOneof("pattern")
    if kind is None:
        raise ValueError(f"{method.full_name}: its HTTP rule has no path")
    verb, path = (rule.custom.kind, rule.custom.path) if kind == "custom" else (kind.upper(), getattr(rule, kind))
    binding = Binding(method, verb, PathTemplate.parse(path), rule.body, rule.response_body)
    for name in binding.template.fields:
        _require(method, method.input_type, name)
    if rule.body and rule.body != WHOLE:
        _require(method, method.input_type, rule.body)
    if rule.response_body:
        _require(method, method.output_type, rule.response_body)
    return binding


def _require(method: MethodDescriptor, message: Descriptor, path: str) -> None:
    current: Descriptor | None = message
    for name in path.split("."):
        field = current.fields_by_name.get(name) if current else None
        if field is None:
            raise ValueError(f"{method.full_name}: its HTTP rule names {path}, which {message.name} lacks")
        current = field.message_type
