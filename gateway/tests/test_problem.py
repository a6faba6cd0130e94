"""Every error has one shape: code, status, message, and a reason for programs."""

import gzip
import json
from typing import Any

import pytest

from .test_server import raw

pytestmark = pytest.mark.asyncio(loop_scope="module")

IMPORT = "/v1/campaigns/7/recipients:import"
JSON = {"content-type": "application/json"}


def reason_of(answer: Any) -> Any:
    """The reason of an error's ErrorInfo."""
    [info] = [each for each in answer["error"]["details"] if each["@type"].endswith("google.rpc.ErrorInfo")]
    assert info["domain"] == "maillane"
    return info["reason"]


@pytest.mark.parametrize(
    ("verb", "path", "request_", "code", "reason"),
    [
        ("GET", "/nothing", {}, 404, "NO_SUCH_PATH"),
        ("PUT", "/v1/campaigns", {}, 405, "METHOD_NOT_ALLOWED"),
        ("POST", "/v1/campaigns", {"data": {"name": "x"}}, 415, "MEDIA_TYPE_UNSUPPORTED"),
        ("POST", "/v1/campaigns", {"content": b" " * 3_000_000, "headers": JSON}, 413, "BODY_TOO_LARGE"),
        ("GET", "/v1/campaigns", {"headers": {"x-a": "a" * 40_000}}, 431, "HEAD_TOO_LARGE"),
        ("GET", "/v1/campaigns", {"headers": {"authorization": ""}}, 401, "UNAUTHENTICATED"),
        ("POST", "/v1/campaigns", {"json": []}, 400, "INVALID_ARGUMENT"),
        ("POST", IMPORT, {"content": b"", "headers": {"content-type": "text/csv"}}, 400, "CSV_INVALID"),
    ],
)
async def test_every_refusal_has_a_reason(client, scheduler, verb, path, request_, code, reason):
    """Also those that only HTTP knows."""
    response = await client.request(verb, path, **request_)

    assert (response.status_code, reason_of(response.json())) == (code, reason)


async def test_what_the_scheduler_says_without_details_has_a_reason_too(client, scheduler):
    """The name of its code."""
    scheduler.answers["CreateCampaign"] = ZeroDivisionError("secret")

    response = await client.post("/v1/campaigns", json={})

    assert reason_of(response.json()) == "INTERNAL"


async def test_what_is_no_request_has_a_reason(gateway, scheduler):
    """Though no route was found for it."""
    answer = await raw(gateway.port, b"nonsense\r\n\r\n")

    assert reason_of(json.loads(answer.partition(b"\r\n\r\n")[2])) == "INVALID_ARGUMENT"


@pytest.mark.parametrize(
    ("path", "kind", "content"),
    [("/v1/campaigns", "application/json", b'{"name": "x"}'), (IMPORT, "text/csv", b"email\na@example.com\n")],
)
async def test_a_compressed_body_is_refused(client, scheduler, path, kind, content):
    """415 with the encoding, and with what is accepted; nothing is called."""
    headers = {"content-type": kind, "content-encoding": "gzip"}

    response = await client.post(path, content=gzip.compress(content), headers=headers)

    assert (response.status_code, reason_of(response.json())) == (415, "CONTENT_ENCODING_UNSUPPORTED")
    assert response.json()["error"]["message"] == "content-encoding gzip is not supported; send the body as it is"
    assert response.headers["accept-encoding"] == "identity"
    assert not scheduler.asked


async def test_a_body_that_says_it_is_not_compressed_is_taken(client, scheduler):
    """Identity is no encoding (RFC 9110 §8.4.1)."""
    response = await client.post("/v1/campaigns", json={}, headers={"content-encoding": "Identity"})

    assert response.status_code == 200
