"""The web UI's files, served from a folder as a build leaves it."""

import gzip

import httpx
import pytest
from maillane_gateway import web
from maillane_gateway.http.app import HttpApp
from maillane_gateway.http.credential import Credentials
from maillane_gateway.http.proxies import TrustedProxies
from maillane_gateway.http.routing import RouteTable

PAGE = b"<!doctype html><title>Maillane</title>"
SCRIPT = b"export {};" * 200


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_bytes(PAGE)
    (tmp_path / "theme.js").write_bytes(b"1;")
    (tmp_path / "assets/index-BH6ziSf0.js").write_bytes(SCRIPT)
    (tmp_path / "assets/index-BH6ziSf0.js.gz").write_bytes(gzip.compress(SCRIPT))
    return tmp_path


@pytest.fixture
async def browser(folder):
    application = HttpApp(
        RouteTable(web.routes(folder)), 10, Credentials("session", "", lambda _: False), TrustedProxies([])
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://here") as client:
        yield client


@pytest.mark.parametrize("path", ["/", "/campaigns", "/campaigns/7", "/sign-in", "/compose/7?part=text", "/sent"])
async def test_every_screen_gets_the_page(browser, path):
    """Asked for anew each time, for it names the files of the version in force."""
    answer = await browser.get(path)

    assert (answer.content, answer.headers["cache-control"]) == (PAGE, "no-cache")


@pytest.mark.parametrize("path", ["/v1/nothing", "/auth/nothing", "/u/nothing", "/nothing", "/campaignsx"])
async def test_no_other_address_gets_it(browser, path):
    """What is no screen is a 404, not a page."""
    answer = await browser.get(path)

    assert (answer.status_code, answer.json()["error"]["details"][0]["reason"]) == (404, "NO_SUCH_PATH")


async def test_the_policy_lets_nothing_run_inline_or_frame_us(browser):
    """Scripts only from here; no sheet but ours; in no frame."""
    headers = (await browser.get("/campaigns")).headers
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))

    assert (policy["default-src"], policy["script-src"], policy["style-src"]) == ("'none'", "'self'", "'self'")
    assert (policy["frame-ancestors"], headers["x-content-type-options"]) == ("'none'", "nosniff")


async def test_hashed_files_are_kept_for_ever(browser):
    """Their names change with what they hold; others are asked for anew."""
    hashed, plain = await browser.get("/assets/index-BH6ziSf0.js"), await browser.get("/theme.js")

    assert hashed.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert plain.headers["cache-control"] == "no-cache"
    assert hashed.headers["content-type"].startswith("text/javascript")


async def test_what_was_compressed_is_sent_so_to_who_takes_it(browser):
    """And as it is to who does not."""
    packed = await browser.get("/assets/index-BH6ziSf0.js", headers={"accept-encoding": "gzip"})
    plain = await browser.get("/assets/index-BH6ziSf0.js", headers={"accept-encoding": "identity"})

    assert (packed.headers.get("content-encoding"), plain.headers.get("content-encoding")) == ("gzip", None)
    assert packed.content == plain.content == SCRIPT


async def test_an_unchanged_page_is_not_sent_again(browser):
    """By its tag."""
    tag = (await browser.get("/")).headers["etag"]

    assert (await browser.get("/", headers={"if-none-match": tag})).status_code == 304


@pytest.mark.parametrize("name", ["index-BH6ziSf0.js.gz", "%2e%2e%2findex.html", "gone-AAAAAAAA.js"])
async def test_only_what_was_built_is_there(browser, name):
    """No way out of the folder, and none to what lies beside a file."""
    assert (await browser.get(f"/assets/{name}")).status_code == 404


def test_without_a_build_there_are_no_routes(tmp_path):
    """The API starts all the same."""
    assert list(web.routes(None)) == list(web.routes(tmp_path)) == []


def test_a_folder_of_something_else_is_refused(folder, monkeypatch):
    """It is read into memory whole."""
    monkeypatch.setattr(web, "MAX_FILES", 2)

    with pytest.raises(ValueError, match="more than the web UI"):
        list(web.routes(folder))
