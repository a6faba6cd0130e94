"""JSON Schemas of messages, as ProtoJSON writes them."""

from typing import Any, TypeAlias

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from maillane_gateway.comments import comment
from maillane_gateway.transcode.binding import is_map
from maillane_gateway.transcode.mask import is_output_only

Schema: TypeAlias = dict[str, Any]

_WELL_KNOWN: dict[str, Schema] = {
    "google.protobuf.Timestamp": {"type": "string", "format": "date-time", "examples": ["2026-01-31T09:30:00Z"]},
    "google.protobuf.Duration": {"type": "string", "pattern": r"^-?\d{1,12}(\.\d{1,9})?s$", "examples": ["5s"]},
    "google.protobuf.FieldMask": {"type": "string", "examples": ["name,template.subject"]},
}

_INT32 = {"type": "integer", "format": "int32"}
_INT64 = {"type": "string", "format": "int64", "pattern": r"^-?\d{1,20}$"}
_BY_CPP_TYPE: dict[int, Schema] = {
    FieldDescriptor.CPPTYPE_INT32: _INT32,
    FieldDescriptor.CPPTYPE_UINT32: {**_INT32, "minimum": 0},
    FieldDescriptor.CPPTYPE_INT64: _INT64,
    FieldDescriptor.CPPTYPE_UINT64: {**_INT64, "pattern": r"^\d{1,20}$"},
    FieldDescriptor.CPPTYPE_BOOL: {"type": "boolean"},
    FieldDescriptor.CPPTYPE_FLOAT: {"type": "number", "format": "float"},
    FieldDescriptor.CPPTYPE_DOUBLE: {"type": "number", "format": "double"},
    FieldDescriptor.CPPTYPE_STRING: {"type": "string"},
}


class Schemas:
    """Gathers the schema of every message and enum that is asked for, and of what they are made of."""

    def __init__(self, *, answers: bool = False) -> None:
        """Gathers them as requests may have them, or as answers are: there, what is always written is required."""
        self._answers = answers
        self.components: dict[str, Schema] = {}
        self._owners: dict[str, str] = {}

    def message(self, message: Descriptor) -> Schema:
        """A reference to a message's schema, or that of a message which JSON writes as a string."""
        if message.full_name in _WELL_KNOWN:
            return dict(_WELL_KNOWN[message.full_name])
        return self._component(message, lambda: self.object(message))

    def object(self, message: Descriptor, *, without: frozenset[str] = frozenset()) -> Schema:
        """A message's own schema, some fields left out."""
        properties = {field.json_name: self.field(field) for field in message.fields if field.name not in without}
        schema: Schema = {"type": "object", "properties": properties}
        always = [field.json_name for field in message.fields if field.name not in without and not field.has_presence]
        if self._answers and always:
            schema["required"] = always
        return _described(schema, comment(message.full_name))

    def field(self, field: FieldDescriptor) -> Schema:
        """A field's schema with its comment."""
        if is_map(field):
            assert field.message_type is not None
            value = self._single(field.message_type.fields_by_name["value"])
            schema: Schema = {"type": "object", "additionalProperties": value}
        elif field.is_repeated:
            schema = {"type": "array", "items": self._single(field)}
        else:
            schema = self._single(field)
        if is_output_only(field):
            schema["readOnly"] = True
        return _described(schema, comment(field.full_name))

    def _single(self, field: FieldDescriptor) -> Schema:
        if field.message_type is not None:
            return self.message(field.message_type)
        if field.enum_type is not None:
            return self._enum(field.enum_type)
        if field.type == FieldDescriptor.TYPE_BYTES:
            return {"type": "string", "contentEncoding": "base64"}
        return dict(_BY_CPP_TYPE[field.cpp_type])

    def _enum(self, enum: EnumDescriptor) -> Schema:
        lines = [f"{value.name}: {comment(f'{enum.full_name}.{value.name}')}" for value in enum.values]
        text = "\n\n".join([comment(enum.full_name), *lines]).strip()
        return self._component(
            enum, lambda: _described({"type": "string", "enum": [v.name for v in enum.values]}, text)
        )

    def _component(self, described: Descriptor | EnumDescriptor, build: Any) -> Schema:
        """A reference to a component, which is built once; a name that two packages have gets its package."""
        name = described.name
        if self._owners.setdefault(name, described.full_name) != described.full_name:
            name = described.full_name
        if name not in self.components:
            self.components[name] = {}  # before its fields, which may refer to it
            self.components[name] = build()
        return {"$ref": f"#/components/schemas/{name}"}


def _described(schema: Schema, text: str) -> Schema:
    return {**schema, "description": text} if text else schema
