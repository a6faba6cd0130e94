"""The pages behind the link that ends mail."""

import re

import httpx
import pytest
from maillane.scheduler.v1 import suppression_service_pb2 as pb
from maillane_chassis.errors import NotFound, Unavailable

pytestmark = pytest.mark.asyncio(loop_scope="module")

TOKEN = "A" * 32
ABOUT = pb.UnsubscribeResponse(sender="Sales <&>", masked_recipient="z…@example.net")


@pytest.fixture
def nobody(gateway):
    """Somebody without any credential."""
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{gateway.port}", timeout=20)


def asked(scheduler):
    return [(request.token, request.validate_only) for request in scheduler.asked["Unsubscribe"]]


async def test_looking_at_a_link_asks_and_does_nothing(scheduler, nobody):
    """A page with one button, whose values are escaped; programs follow every link of a mail."""
    scheduler.answers["Unsubscribe"] = ABOUT
    page = await nobody.get(f"/u/{TOKEN}")

    assert page.status_code == 200
    assert asked(scheduler) == [(TOKEN, True)]
    assert "Sales &lt;&amp;&gt;" in page.text
    assert '<form method="post">' in page.text


@pytest.mark.parametrize(
    "sent",
    [
        {"data": {"List-Unsubscribe": "One-Click"}},
        {"files": {"List-Unsubscribe": (None, "One-Click")}},
        {},
    ],
    ids=["form", "multipart", "nothing"],
)
async def test_one_click_unsubscribes(scheduler, nobody, sent):
    """As providers post it (RFC 8058 §3.2), without a credential."""
    scheduler.answers["Unsubscribe"] = pb.UnsubscribeResponse(sender="Sales", unsubscribed=True)
    page = await nobody.post(f"/u/{TOKEN}", **sent)

    assert (page.status_code, asked(scheduler)) == (200, [(TOKEN, False)])
    assert "You are unsubscribed" in page.text


async def test_the_pages_own_form_posts_what_providers_do(scheduler, nobody):
    """To the address that it is at."""
    scheduler.answers["Unsubscribe"] = ABOUT
    page = (await nobody.get(f"/u/{TOKEN}")).text

    assert re.findall(r'<input [^>]*name="([^"]+)" value="([^"]+)"', page) == [("List-Unsubscribe", "One-Click")]


@pytest.mark.parametrize("verb", ["GET", "POST"])
async def test_a_forged_link_is_a_page_that_says_so(scheduler, nobody, verb):
    """404, also where it is endless."""
    scheduler.answers["Unsubscribe"] = NotFound("no", reason="UNSUBSCRIBE_TOKEN_INVALID")
    pages = [await nobody.request(verb, f"/u/{token}") for token in (TOKEN, "x" * 200)]

    assert [page.status_code for page in pages] == [404, 404]
    assert all("This link is not valid" in page.text for page in pages)
    assert len(asked(scheduler)) == 1


async def test_a_scheduler_that_is_away_is_a_page_that_says_when(scheduler, nobody):
    """And that nothing was done."""
    scheduler.answers["Unsubscribe"] = Unavailable("no")
    page = await nobody.post(f"/u/{TOKEN}")

    assert (page.status_code, page.headers["retry-after"]) == (503, "60")
    assert "Nothing was changed" in page.text


async def test_the_link_of_a_test_says_that_it_is_one(scheduler, nobody):
    """Looked at, and used."""
    scheduler.answers["Unsubscribe"] = pb.UnsubscribeResponse(sender="Sales", test=True)
    pages = [await nobody.get(f"/u/{TOKEN}"), await nobody.post(f"/u/{TOKEN}")]

    assert all("This email was a test" in page.text for page in pages)


async def test_pages_run_nothing_and_load_nothing(scheduler, nobody):
    """A strict policy, which the page's own style fits; no place in caches, search engines or referrers."""
    scheduler.answers["Unsubscribe"] = ABOUT
    page = await nobody.get(f"/u/{TOKEN}")

    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "form-action 'self'" in policy
    assert "<script" not in page.text
    assert (page.headers["referrer-policy"], page.headers["cache-control"]) == ("no-referrer", "no-store")
    assert page.headers["x-robots-tag"] == "noindex, nofollow"


async def test_a_large_body_is_refused(scheduler, nobody):
    """Nobody needs an account for it, so that it is small."""
    page = await nobody.post(f"/u/{TOKEN}", content=b"x" * 5000)

    assert page.status_code == 413
    assert not asked(scheduler)
