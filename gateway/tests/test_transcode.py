"""HTTP to gRPC and back, over a real connection on both sides."""

import re

import httpx
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from maillane.scheduler.v1 import campaign_service_pb2 as campaigns
from maillane.scheduler.v1 import identity_service_pb2 as identities
from maillane.scheduler.v1 import mailbox_service_pb2 as mailboxes
from maillane.scheduler.v1 import message_service_pb2 as messages
from maillane.scheduler.v1 import suppression_service_pb2 as suppressions
from maillane_gateway.services import SERVICES
from maillane_gateway.transcode.binding import bindings

pytestmark = pytest.mark.asyncio(loop_scope="module")

BINDINGS = [(binding.verb, binding.template.text) for binding in bindings(SERVICES)]


async def test_a_body_becomes_the_field_that_the_rule_names(client, scheduler):
    """Nested messages, enums, durations, times and optional fields arrive as what they are."""
    await client.post(
        "/v1/campaigns",
        json={
            "name": "Spring",
            "mailboxIds": ["3", "4"],
            "template": {"subject": "Hi {{first_name}}"},
            "startTime": "2026-01-31T09:30:00Z",
            "delay": "5s",
            "hourlyLimit": 200,
        },
    )

    campaign = scheduler.asked["CreateCampaign"][0].campaign
    assert campaign == campaigns.Campaign(
        name="Spring",
        mailbox_ids=["3", "4"],
        template=campaigns.Template(subject="Hi {{first_name}}"),
        start_time=Timestamp(seconds=1769851800),
        delay=Duration(seconds=5),
        hourly_limit=200,
    )


async def test_proto_names_and_numbers_of_enums_are_taken_too(client, scheduler):
    """ProtoJSON takes both forms of a name, and enums by number."""
    await client.post("/v1/mailboxes", json={"display_name": "Ann", "smtp": {"security": 2}, "hourlyLimit": "7"})

    mailbox = scheduler.asked["CreateMailbox"][0].mailbox
    assert (mailbox.display_name, mailbox.smtp.security, mailbox.hourly_limit) == ("Ann", 2, 7)


async def test_the_path_and_the_query_fill_the_request(client, scheduler):
    """Variables of the path, and query parameters by JSON or proto name, enums by name."""
    await client.get(
        "/v1/messages?campaignId=7&state=MESSAGE_STATE_SENT&page_size=20&recipient=a%2Bb%40example.com&pageToken="
    )

    assert scheduler.asked["ListMessages"] == [
        messages.ListMessagesRequest(
            campaign_id="7", state=messages.MESSAGE_STATE_SENT, page_size=20, recipient="a+b@example.com"
        )
    ]


async def test_a_variable_may_hold_encoded_slashes_and_colons(client, scheduler):
    """An address is one segment, whatever stands in it."""
    await client.delete("/v1/suppressions/a%2Fb%3Ac%40example.com")

    assert scheduler.asked["RemoveSuppression"] == [suppressions.RemoveSuppressionRequest(email="a/b:c@example.com")]


@pytest.mark.parametrize("verb", ["start", "pause", "resume", "cancel"])
@pytest.mark.parametrize("content", [b"", b"{}", b" \n"])
async def test_a_verb_needs_no_body(client, scheduler, verb, content):
    """`curl -X POST …:start` is enough."""
    response = await client.post(f"/v1/campaigns/7:{verb}", content=content)

    assert response.status_code == 200
    assert scheduler.asked[f"{verb.capitalize()}Campaign"][0].campaign_id == "7"


async def test_a_repeated_field_of_a_whole_body(client, scheduler):
    """With body: "*", the body is the request."""
    await client.post("/v1/suppressions", json={"emails": ["a@example.com", "b@example.com"]})

    assert list(scheduler.asked["AddSuppressions"][0].emails) == ["a@example.com", "b@example.com"]


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ({"name": "New"}, ["name"]),
        ({"template": {"subject": "New", "text": ""}}, ["template.subject", "template.text"]),
        ({"template": {}}, ["template"]),
        ({"hourlyLimit": None, "delay": "1s"}, ["hourly_limit", "delay"]),
        ({"mailboxIds": []}, ["mailbox_ids"]),
        ({}, []),
    ],
)
async def test_a_patch_without_a_mask_changes_what_its_body_gives(client, scheduler, body, paths):
    """AIP-134, down to the leaves: what was not given stays."""
    await client.patch("/v1/campaigns/7", json=body)

    request = scheduler.asked["UpdateCampaign"][0]
    assert (request.campaign_id, list(request.update_mask.paths)) == ("7", paths)


async def test_a_mask_in_the_query_rules(client, scheduler):
    """In JSON or proto names; the body's fields do not add to it."""
    await client.patch("/v1/mailboxes/3?updateMask=smtp.host,hourlyLimit,min_gap", json={"smtp": {"host": "mx"}})

    paths = scheduler.asked["UpdateMailbox"][0].update_mask.paths
    assert list(paths) == ["smtp.host", "hourly_limit", "min_gap"]


async def test_the_answer_is_the_bare_resource_with_every_field_without_presence(client, scheduler):
    """Counts of 0, empty texts and lists are there; messages and optional fields that are unset are not."""
    scheduler.answers["GetCampaign"] = campaigns.GetCampaignResponse(
        campaign=campaigns.Campaign(
            id="7",
            name="Spring",
            state=campaigns.CAMPAIGN_STATE_ACTIVE,
            counts=campaigns.Counts(total=2, sent=1),
            delay=Duration(seconds=5),
            unconfirmed_policy=campaigns.UNCONFIRMED_POLICY_HOLD,
        )
    )

    response = await client.get("/v1/campaigns/7")

    assert response.json() == {
        "id": "7",
        "name": "Spring",
        "mailboxIds": [],
        "delay": "5s",
        "state": "CAMPAIGN_STATE_ACTIVE",
        "stateReason": "",
        "stateActor": "",
        "shares": [],
        "counts": {
            "total": 2,
            "pending": 0,
            "sending": 0,
            "sent": 1,
            "failed": 0,
            "unconfirmed": 0,
            "suppressed": 0,
            "cancelled": 0,
        },
        "unconfirmedPolicy": "UNCONFIRMED_POLICY_HOLD",
    }


async def test_a_list_is_an_object_with_its_token(client, scheduler):
    """An empty one too."""
    scheduler.answers["ListMailboxes"] = mailboxes.ListMailboxesResponse()

    response = await client.get("/v1/mailboxes")

    assert response.json() == {"mailboxes": [], "nextPageToken": ""}


async def test_text_beyond_ascii_comes_back_as_it_went(client, scheduler):
    """UTF-8, unescaped."""
    scheduler.answers["GetIdentity"] = identities.GetIdentityResponse(workspace=identities.Workspace(name="Grüße 🐦"))

    response = await client.get("/v1/identity")

    assert response.json()["workspace"]["name"] == "Grüße 🐦"
    assert "Grüße 🐦".encode() in response.content


async def test_the_token_and_the_request_id_travel_with_the_call(client, scheduler):
    """The scheduler decides who it is."""
    await client.get("/v1/identity", headers={"x-request-id": "abc-1"})

    assert scheduler.metadata["authorization"] == f"Bearer {_token(client)}"
    assert scheduler.metadata["x-request-id"] == "abc-1"


@pytest.mark.parametrize("headers", [{}, {"x-forwarded-for": "192.0.2.7", "x-maillane-origin": "ipv4:192.0.2.7:1"}])
async def test_the_scheduler_learns_from_where_a_request_came(client, scheduler, headers):
    """The other end of the connection, whatever its headers say: not the gateway's own address."""
    async with httpx.AsyncClient(
        base_url=client.base_url,
        headers=client.headers,
        transport=httpx.AsyncHTTPTransport(local_address="127.0.0.9"),
    ) as elsewhere:
        await elsewhere.get("/v1/identity", headers=headers)

    assert re.fullmatch(r"ipv4:127\.0\.0\.9:\d+", scheduler.origin)


async def test_head_answers_as_get_without_a_body(client, scheduler):
    """Monitors ask so."""
    response = await client.head("/v1/identity")

    assert (response.status_code, response.content, len(scheduler.asked["GetIdentity"])) == (200, b"", 1)


@pytest.mark.parametrize(("verb", "template"), BINDINGS)
async def test_every_rule_of_the_contract_has_its_route(client, scheduler, verb, template):
    """No route is written by hand, and none is missing."""
    path = template.replace("{campaign_id}", "1").replace("{mailbox_id}", "1").replace("{message_id}", "1")
    path = path.replace("{token_id}", "1").replace("{email}", "a@example.com")
    if path.endswith(":watch"):
        scheduler.answers["WatchCampaign"] = []

    response = await client.request(verb, path, json=None if verb in {"GET", "DELETE"} else {})

    assert response.status_code == 200
    assert sum(map(len, scheduler.asked.values())) == 1


def _token(client):
    return client.headers["authorization"].removeprefix("Bearer ")
