"""The API's description is valid, whole, and says what the gateway does."""

import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from maillane_gateway.openapi.document import build
from maillane_gateway.services import SERVICES
from maillane_gateway.transcode.binding import bindings
from openapi_spec_validator import OpenAPIV31SpecValidator

pytestmark = pytest.mark.asyncio(loop_scope="module")

DOCUMENT = build(SERVICES)
SCHEMAS = DOCUMENT["components"]["schemas"]


async def test_it_is_valid():
    """By the OpenAPI Initiative's own schema of 3.1, and its references resolve."""
    assert [error.message for error in OpenAPIV31SpecValidator(DOCUMENT).iter_errors()] == []


async def test_every_rule_of_the_contract_is_in_it():
    """And the upload."""
    described = {(verb.upper(), path) for path, verbs in DOCUMENT["paths"].items() for verb in verbs}

    assert {(binding.verb, binding.template.text) for binding in bindings(SERVICES)} < described
    assert ("POST", "/v1/campaigns/{campaign_id}/recipients:import") in described


async def test_types_are_those_of_the_wire():
    """Times, durations, enums, numbers and maps as ProtoJSON writes them."""
    campaign, message = SCHEMAS["Campaign"]["properties"], SCHEMAS["Message"]["properties"]

    assert campaign["startTime"]["format"] == "date-time"
    assert campaign["delay"]["pattern"] == r"^-?\d{1,12}(\.\d{1,9})?s$"
    assert campaign["hourlyLimit"]["type"] == "integer"
    assert campaign["state"]["$ref"] == "#/components/schemas/CampaignState"
    assert "CAMPAIGN_STATE_ACTIVE" in SCHEMAS["CampaignState"]["enum"]
    assert campaign["mailboxIds"]["items"] == {"type": "string"}
    assert message["variables"]["additionalProperties"] == {"type": "string"}


async def test_parameters_are_those_that_the_gateway_takes():
    """From path and query, with their comments."""
    parameters = DOCUMENT["paths"]["/v1/messages"]["get"]["parameters"]
    patch = DOCUMENT["paths"]["/v1/campaigns/{campaign_id}"]["patch"]["parameters"]

    names = {"campaignId", "state", "mailboxId", "recipient", "pageSize", "pageToken"}
    assert {parameter["name"] for parameter in parameters} >= names
    assert [(each["name"], each["in"], each.get("required", False)) for each in patch] == [
        ("campaign_id", "path", True),
        ("updateMask", "query", False),
    ]
    assert all(each["description"] for each in parameters)


async def test_everything_says_what_it_is():
    """Each operation and each field has a description."""
    operations = [operation for verbs in DOCUMENT["paths"].values() for operation in verbs.values()]
    fields = [
        (name, field, schema)
        for name, component in SCHEMAS.items()
        if name != "Error"
        for field, schema in component.get("properties", {}).items()
    ]

    assert all(operation["summary"] for operation in operations)
    assert [(name, field) for name, field, schema in fields if not schema.get("description")] == []


async def test_operations_have_names_of_their_own():
    """Generated clients are made of them."""
    names = [operation["operationId"] for verbs in DOCUMENT["paths"].values() for operation in verbs.values()]

    assert len(set(names)) == len(names)


async def test_the_comments_are_those_of_the_protos():
    """tools/extract_comments.py was run after the last change."""
    root = Path(__file__).resolve().parents[2]

    check = subprocess.run(
        [sys.executable, root / "tools/extract_comments.py", "--check"], capture_output=True, text=True, check=False
    )

    assert (check.returncode, check.stderr) == (0, "")


async def test_it_is_served_without_a_token(gateway):
    """With a tag, so that it is fetched once."""
    async with httpx.AsyncClient(base_url=gateway.client.base_url) as stranger:
        response = await stranger.get("/openapi.json")
        again = await stranger.get("/openapi.json", headers={"if-none-match": response.headers["etag"]})

    assert response.json() == DOCUMENT
    assert (response.headers["content-type"], again.status_code) == ("application/json", 304)
