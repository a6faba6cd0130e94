"""The routes that no rule of the protos describes."""

from typing import Any, TypeAlias

from maillane_gateway.comments import comment
from maillane_gateway.imports.endpoint import METHOD as IMPORT_METHOD
from maillane_gateway.imports.endpoint import PATH as IMPORT_PATH
from maillane_gateway.imports.suppressions import METHOD as SUPPRESSIONS_METHOD
from maillane_gateway.imports.suppressions import PATH as SUPPRESSIONS_PATH
from maillane_gateway.imports.upload import FIELD, FORM
from maillane_gateway.openapi.schemas import Schemas

Operation: TypeAlias = tuple[str, str, dict[str, Any]]
"""Path, verb, operation."""

_FILE = (
    "A CSV file in UTF-8, with comma, semicolon or tab. Its header has a column email; each other column is a "
    "variable, whose name becomes one of letters, digits and _ where that is plain (First Name: first_name). Rows "
    "that are not valid are left out and come back with their line and reason. Sending a file again changes nothing."
)
_ADDRESSES = (
    "A file in UTF-8 with one address a row: a CSV with a column email, or a plain list. Rows that are no address are "
    "left out and come back with their line and reason. Sending a file again changes nothing."
)
_EXAMPLE = "email,first_name\nann@example.com,Ann\n"


def import_operation(schemas: Schemas) -> tuple[Operation]:
    """The upload of recipients."""
    operation = {
        "operationId": IMPORT_METHOD.name,
        "tags": ["Campaign"],
        "summary": "Import recipients from a CSV file",
        "description": comment(IMPORT_METHOD.full_name),
        "parameters": [
            {
                "name": "campaign_id",
                "in": "path",
                "required": True,
                "description": "Which.",
                "schema": {"type": "string"},
            }
        ],
        "requestBody": {
            "required": True,
            "description": _FILE,
            "content": {
                "text/csv": {"schema": {"type": "string"}, "example": _EXAMPLE},
                FORM: {
                    "schema": {
                        "type": "object",
                        "required": [FIELD],
                        "properties": {FIELD: {"type": "string", "contentMediaType": "text/csv"}},
                    }
                },
            },
        },
        "responses": {
            "200": {
                "description": comment(IMPORT_METHOD.output_type.full_name),
                "content": {"application/json": {"schema": schemas.message(IMPORT_METHOD.output_type)}},
            },
            "default": {"$ref": "#/components/responses/Error"},
        },
    }
    return ((IMPORT_PATH, "post", operation),)


def suppressions_operation(schemas: Schemas) -> tuple[Operation]:
    """The upload of addresses that are not written to."""
    operation = {
        "operationId": SUPPRESSIONS_METHOD.name,
        "tags": ["Suppression"],
        "summary": "Import suppressions from a CSV or TXT file",
        "description": comment(SUPPRESSIONS_METHOD.full_name),
        "requestBody": {
            "required": True,
            "description": _ADDRESSES,
            "content": {
                "text/csv": {"schema": {"type": "string"}, "example": "email\nann@example.com\n"},
                FORM: {
                    "schema": {
                        "type": "object",
                        "required": [FIELD],
                        "properties": {FIELD: {"type": "string", "contentMediaType": "text/csv"}},
                    }
                },
            },
        },
        "responses": {
            "200": {
                "description": comment(SUPPRESSIONS_METHOD.output_type.full_name),
                "content": {"application/json": {"schema": schemas.message(SUPPRESSIONS_METHOD.output_type)}},
            },
            "default": {"$ref": "#/components/responses/Error"},
        },
    }
    return ((SUPPRESSIONS_PATH, "post", operation),)


def probe_operations() -> tuple[Operation, ...]:
    """What load balancers ask."""
    return (
        ("/healthz", "get", _probe("IsAlive", "Whether the process is up")),
        ("/readyz", "get", _probe("IsReady", "Whether it can do its work: the scheduler answers")),
    )


def _probe(operation_id: str, text: str) -> dict[str, Any]:
    schema = {"type": "object", "properties": {"status": {"type": "string", "enum": ["SERVING"]}}}
    return {
        "operationId": operation_id,
        "tags": ["Health"],
        "summary": text,
        "security": [],
        "responses": {
            "200": {"description": "Yes.", "content": {"application/json": {"schema": schema}}},
            "503": {"$ref": "#/components/responses/Error"},
        },
    }
