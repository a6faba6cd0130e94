"""What is wrong with a request is said by field, and nothing is called."""

import httpx
import pytest
from maillane_chassis.errors import FailedPrecondition, InvalidArgument, ResourceExhausted, Unavailable, Violation

pytestmark = pytest.mark.asyncio(loop_scope="module")

DEEP = b'{"name":' + b"[" * 100_000


def bad_fields(response: httpx.Response) -> dict[str, str]:
    details = response.json()["error"]["details"]
    bad = next(detail for detail in details if detail["@type"].endswith("BadRequest"))
    return {violation["field"]: violation["description"] for violation in bad["fieldViolations"]}


@pytest.mark.parametrize(
    ("content", "field", "words"),
    [
        (b'{"nmae": "x"}', "nmae", "is not a field of Campaign; did you mean name?"),
        (b'{"template": {"x": 1}}', "template.x", "is not a field of Template"),
        (b'{"name": 7}', "name", "must be a string, not a number"),
        (b'{"name": ["x"]}', "name", "must be a string, not an array"),
        (b'{"name": "x", "name": "y"}', "name", "is given twice"),
        (b'{"template": {"text": "x", "text": "y"}}', "template.text", "is given twice"),
        (b'{"mailboxIds": ["1"], "mailbox_ids": ["2"]}', "mailbox_ids", "cannot be given together with mailboxIds"),
        (b'{"mailboxIds": "1"}', "mailboxIds", "must be an array, not a string"),
        (b'{"mailboxIds": ["1", 2]}', "mailboxIds[1]", "must be a string, not a number"),
        (b'{"mailboxIds": [null]}', "mailboxIds[0]", "must not be null"),
        (b'{"template": "Hi"}', "template", "must be an object, not a string"),
        (b'{"template": []}', "template", "must be an object, not an array"),
        (b'{"hourlyLimit": 1.5}', "hourlyLimit", "must be a whole number (messages an hour over all"),
        (b'{"hourlyLimit": 2147483648}', "hourlyLimit", "must be a whole number (messages an hour over all"),
        (b'{"hourlyLimit": ' + b"9" * 5000 + b"}", "hourlyLimit", "its mailboxes: 1 to 1,000,000)"),
        (b'{"hourlyLimit": 1e400}', "hourlyLimit", "its mailboxes: 1 to 1,000,000)"),
        (b'{"hourlyLimit": NaN}', "hourlyLimit", "its mailboxes: 1 to 1,000,000)"),
        (b'{"hourlyLimit": true}', "hourlyLimit", "its mailboxes: 1 to 1,000,000)"),
        (b'{"hourlyLimit": "many"}', "hourlyLimit", "its mailboxes: 1 to 1,000,000)"),
        (b'{"startTime": "tomorrow"}', "startTime", 'must be a time like "2026-01-31T09:30:00Z"'),
        (b'{"startTime": "2026-13-31T09:30:00Z"}', "startTime", "must be a time like"),
        (b'{"startTime": "2026-01-31"}', "startTime", "must be a time like"),
        (b'{"startTime": 1769852000}', "startTime", "must be a time like"),
        (b'{"delay": 5}', "delay", 'must be a duration in seconds like "5s" or "0.5s"'),
        (b'{"delay": "5m"}', "delay", "must be a duration in seconds"),
        (b'{"delay": "5_0s"}', "delay", "must be a duration in seconds"),
        (b'{"delay": "999999999999s"}', "delay", "is too long (between two messages in one mailbox: 0 s to 24 h)"),
        (b'{"delay": "' + b"9" * 40 + b's"}', "delay", "is too long"),
        (b'{"state": "ACTIVE"}', "state", "must be one of CAMPAIGN_STATE_UNSPECIFIED, CAMPAIGN_STATE_DRAFT"),
        (b'{"state": 99}', "state", "must be one of"),
        (b'{"name": "\\ud800"}', "name", "must not hold half of a surrogate pair"),
        (b"[]", "body", "must be an object, not an array"),
        (b'"x"', "body", "must be an object, not a string"),
        (b"null", "body", "must be an object, not null"),
        (b'{"name": "x"', "body", "the body is not JSON"),
        (b'{"name": "x"} trailing', "body", "the body is not JSON: Extra data at line 1, column 15"),
        (b"{'name': 'x'}", "body", "the body is not JSON"),
        (b'{"name": "\xff"}', "body", "the body is not UTF-8: byte 10 is 0xff"),
        (DEEP, "body", "the body is nested too deeply"),
    ],
    ids=lambda value: repr(value)[:40],
)
async def test_a_body_that_does_not_fit(client, scheduler, content, field, words):
    """400 INVALID_ARGUMENT, the field, and what is allowed."""
    response = await client.post("/v1/campaigns", content=content, headers={"content-type": "application/json"})

    assert (response.status_code, response.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")
    assert words in bad_fields(response)[field]
    assert not scheduler.asked


@pytest.mark.parametrize(
    ("query", "field", "words"),
    [
        ("stat=x", "stat", "is not a parameter of this call"),
        ("state=SENT", "state", "must be one of MESSAGE_STATE_UNSPECIFIED"),
        ("pageSize=many", "pageSize", "must be a whole number (1 to 200; 0: 50)"),
        ("pageSize=99999999999", "pageSize", "must be a whole number (1 to 200; 0: 50)"),
        ("pageSize=1&pageSize=2", "pageSize", "is given twice"),
        ("pageSize=1&page_size=2", "page_size", "is given twice"),
        ("campaignId.x=1", "campaignId.x", "is not a parameter of this call"),
        ("recipient=%ff", "query", "must be percent-encoded UTF-8"),
        ("&".join(f"a{number}=1" for number in range(200)), "query", "must hold at most 100 parameters"),
    ],
)
async def test_a_query_that_does_not_fit(client, scheduler, query, field, words):
    """As with bodies."""
    response = await client.get(f"/v1/messages?{query}")

    assert response.status_code == 400
    assert words in bad_fields(response)[field]
    assert not scheduler.asked


async def test_all_bad_fields_come_back_at_once(client, scheduler):
    """Who fills in a form corrects it once."""
    response = await client.post("/v1/mailboxes", json={"address": 1, "smtp": {"port": "x", "security": "SSL"}, "a": 1})

    assert list(bad_fields(response)) == ["address", "smtp.port", "smtp.security", "a"]


async def test_fields_of_a_nested_body_are_no_query_parameters(client, scheduler):
    """What the body gives comes from the body alone."""
    response = await client.post("/v1/campaigns?campaign.name=x", json={})

    assert list(bad_fields(response)) == ["campaign.name"]


async def test_a_body_that_contradicts_the_path(client, scheduler):
    """Neither wins silently."""
    response = await client.post("/v1/campaigns/7:start", json={"campaignId": "8"})

    assert bad_fields(response) == {"campaignId": "differs from what the path says"}


async def test_a_hundred_thousand_bad_fields_cost_little(client, scheduler):
    """Looking stops at some point, and the answer stays small."""
    response = await client.post("/v1/campaigns", json={f"field{number}": 1 for number in range(100_000)})

    assert response.status_code == 400
    assert len(response.content) < 10_000


async def test_a_name_of_a_megabyte_is_not_sent_back(client, scheduler):
    """What is shown of the client's own words is bounded."""
    response = await client.post("/v1/campaigns", json={"x" * 1_000_000: 1})

    assert response.status_code == 400
    assert len(response.content) < 1_000


async def test_a_body_that_is_no_json_by_its_type(client, scheduler):
    """A form sent by mistake is told so."""
    response = await client.post("/v1/campaigns", data={"name": "x"})

    assert response.status_code == 415
    assert "application/json" in response.json()["error"]["message"]


async def test_a_variable_that_is_not_utf_8(client, scheduler):
    """400, with its name."""
    response = await client.get("/v1/campaigns/%ff")

    assert list(bad_fields(response)) == ["campaign_id"]


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v1",
        "/v1/",
        "/v1/campaigns/",
        "/v1/campaigns/1/",
        "/v1/campaigns//x",
        "/v2/campaigns",
        "/v1/campaigns/1:x",
    ],
)
async def test_paths_that_are_none(client, scheduler, path):
    """404, as JSON."""
    response = await client.get(path)

    assert (response.status_code, response.json()["error"]["status"]) == (404, "NOT_FOUND")


async def test_a_verb_that_the_path_does_not_have(client, scheduler):
    """405, with those that it has."""
    response = await client.put("/v1/campaigns/1")

    assert response.status_code == 405
    assert set(response.headers["allow"].split(", ")) == {"GET", "PATCH", "DELETE"}


@pytest.mark.parametrize("value", [None, "", "Bearer", "Bearer a b", "Basic YTpi", "the-token-of-a-test"])
async def test_without_a_token_no_call_is_made(client, scheduler, value):
    """401, with the challenge."""
    headers = {"authorization": value} if value is not None else {}
    async with httpx.AsyncClient(base_url=client.base_url) as stranger:
        response = await stranger.get("/v1/campaigns", headers=headers)

    assert (response.status_code, response.headers["www-authenticate"]) == (401, "Bearer")
    assert response.json()["error"]["status"] == "UNAUTHENTICATED"
    assert not scheduler.asked


async def test_a_wrong_token_is_refused_by_the_scheduler(client, scheduler):
    """The gateway knows no tokens."""
    response = await client.get("/v1/campaigns", headers={"authorization": "Bearer wrong"})

    assert (response.status_code, response.json()["error"]["status"]) == (401, "UNAUTHENTICATED")


async def test_fields_that_the_scheduler_refuses_are_named_as_the_client_knows_them(client, scheduler):
    """JSON names, from the root of the body, whether the scheduler says campaign.… or not."""
    scheduler.answers["CreateCampaign"] = InvalidArgument(
        [
            Violation("campaign.mailbox_ids[3]", "must be an id"),
            Violation("template.subject", "must not be empty"),
            Violation("request_id", "must have at most 64 characters"),
            Violation("hourly_limit", "must be from 1 to 1000000"),
            Violation("elsewhere.made_up", "must not be"),
        ]
    )

    response = await client.post("/v1/campaigns", json={})

    assert list(bad_fields(response)) == [
        "mailboxIds[3]",
        "template.subject",
        "requestId",
        "hourlyLimit",
        "elsewhere.made_up",
    ]


async def test_the_message_names_fields_as_the_details_do(client, scheduler):
    """In JSON names; words that only look like a field stay."""
    scheduler.answers["CreateCampaign"] = InvalidArgument(
        [Violation("campaign.mailbox_ids", "must be ids"), Violation("campaign.hourly_limit", "must be from 1")],
        message="campaign.mailbox_ids and campaign.hourly_limit: {{campaign.hourly_limits}} mailbox_ids",
    )

    response = await client.post("/v1/campaigns", json={})

    assert response.json()["error"]["message"] == "mailboxIds and hourlyLimit: {{campaign.hourly_limits}} mailbox_ids"


async def test_a_mask_that_is_refused_is_told_in_json_names(client, scheduler):
    """The names in what is said of it as well."""
    scheduler.answers["UpdateMailbox"] = InvalidArgument(
        [Violation("update_mask", "must name only address, display_name, smtp.has_password")]
    )

    response = await client.patch("/v1/mailboxes/3?updateMask=x", json={})

    words = "must name only address, displayName, smtp.hasPassword"
    assert bad_fields(response) == {"updateMask": words}
    assert response.json()["error"]["message"] == f"updateMask: {words}"


@pytest.mark.parametrize(
    ("path", "body", "fields"),
    [
        (
            "/v1/mailboxes/3",
            {"state": "MAILBOX_STATE_PAUSED", "smtp": {"has_password": True}},
            ["state", "smtp.has_password"],
        ),
        ("/v1/campaigns/7", {"counts": {"sent": 1}}, ["counts"]),
    ],
)
async def test_an_update_of_what_only_the_server_sets(client, scheduler, path, body, fields):
    """Is refused by the names that the client wrote: nothing of it could take effect."""
    response = await client.patch(path, json=body)

    assert bad_fields(response) == dict.fromkeys(fields, "is set by the server and cannot be changed")
    assert not scheduler.asked


async def test_what_only_the_server_sets_may_come_back_with_a_change(client, scheduler):
    """AIP-203: who reads a resource, changes a field and sends it all is understood."""
    body = {
        "id": "3",
        "state": "MAILBOX_STATE_PAUSED",
        "displayName": "Ann",
        "parks": [],
        "smtp": {"hasPassword": True},
    }
    await client.patch("/v1/mailboxes/3", json=body)

    assert list(scheduler.asked["UpdateMailbox"][0].update_mask.paths) == ["display_name"]


async def test_a_reason_comes_back_with_its_details(client, scheduler):
    """ErrorInfo is resolved, not bytes."""
    scheduler.answers["StartCampaign"] = FailedPrecondition(
        "the campaign has no recipients", reason="CAMPAIGN_EMPTY", metadata={"campaign": "7"}
    )

    response = await client.post("/v1/campaigns/7:start")

    assert response.status_code == 400
    assert response.json() == {
        "error": {
            "code": 400,
            "status": "FAILED_PRECONDITION",
            "message": "the campaign has no recipients",
            "details": [
                {
                    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                    "reason": "CAMPAIGN_EMPTY",
                    "domain": "maillane",
                    "metadata": {"campaign": "7"},
                }
            ],
        }
    }


async def test_a_wait_that_the_scheduler_asks_for_is_a_header(client, scheduler):
    """RetryInfo, rounded up to whole seconds."""
    scheduler.answers["CreateToken"] = ResourceExhausted("too many tokens", retry_after_s=1.2)

    response = await client.post("/v1/tokens", json={})

    assert (response.status_code, response.headers["retry-after"]) == (429, "2")


async def test_a_store_that_is_away_is_503(client, scheduler):
    """With the scheduler's words."""
    scheduler.answers["CreateCampaign"] = Unavailable("the store does not answer")

    response = await client.post("/v1/campaigns", json={})

    assert (response.status_code, response.json()["error"]["message"]) == (503, "the store does not answer")


async def test_an_error_that_nobody_foresaw_says_nothing_of_itself(client, scheduler):
    """500, no stack trace, no words of the exception."""
    scheduler.answers["CreateCampaign"] = ZeroDivisionError("secret")

    response = await client.post("/v1/campaigns", json={})

    assert (response.status_code, response.json()["error"]["status"]) == (500, "INTERNAL")
    assert "secret" not in response.text
