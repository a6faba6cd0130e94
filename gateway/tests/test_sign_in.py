"""Sign-in, piece by piece: the person at the machine, cookies that open the API, what is sealed, how often, from where.
With a real provider and real identities: tests/integration/test_sign_in.py."""

import re
from pathlib import Path
from typing import get_args

import httpx
import pytest
import pytest_asyncio
from maillane.scheduler.v1 import identity_service_pb2 as pb
from maillane.scheduler.v1.campaign_service_pb2 import WatchCampaignResponse
from maillane_chassis.errors import Unavailable
from maillane_gateway.http.credential import Credentials
from maillane_gateway.sign_in import endpoints, tries
from maillane_gateway.sign_in.cookies import LOGIN_S, Cookies
from maillane_gateway.sign_in.endpoints import _return_path
from maillane_gateway.sign_in.login_state import LoginState, LoginStates
from maillane_gateway.sign_in.refusals import Reason
from maillane_gateway.sign_in.tries import Tries
from pydantic import SecretStr, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from .conftest import KEY, make_settings, running
from .fake_scheduler import LOCAL_SESSION, TOKEN

pytestmark = pytest.mark.asyncio(loop_scope="module")

CSRF = {"x-maillane-csrf": "1"}
COOKIE = "maillane-8080"
WORDS = Path(__file__).resolve().parents[1] / "web/src/words/refusal.ts"


def as_browser(gateway, client=("127.0.0.1", 4711), base="http://localhost:8080", **headers):
    """A browser somewhere, which asks for some host."""
    transport = httpx.ASGITransport(app=gateway.server._server.config.app, client=client)
    return httpx.AsyncClient(transport=transport, base_url=base, headers=headers)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def local():
    async with running(local_sign_in=True) as gateway:
        yield gateway


def begins(gateway, secret="mls_new"):
    gateway.scheduler.forget()
    answer = pb.SignInLocallyResponse(session=pb.Session(secret=secret))
    answer.session.expire_time.GetCurrentTime()
    answer.session.expire_time.seconds += 3600
    gateway.scheduler.answers["SignInLocally"] = answer
    gateway.scheduler.answers["RevokeSession"] = pb.RevokeSessionResponse()


async def test_the_person_at_the_machine_gets_a_session(local):
    """In a cookie of an hour, as the scheduler says; the one that was there is replaced."""
    begins(local)
    async with as_browser(local, cookie=f"{COOKIE}=mls_old") as browser:
        offered = (await browser.get("/auth/providers")).json()
        answer = await browser.post("/auth/local", headers=CSRF)
    cookie = answer.headers["set-cookie"]

    assert offered == {"provider": None, "local": True}
    assert answer.status_code == 200
    assert cookie.startswith(f"{COOKIE}=mls_new; ")
    assert 3590 <= int(cookie.split("Max-Age=")[1].split(";")[0]) <= 3600
    assert [asked.previous_secret for asked in local.scheduler.asked["SignInLocally"]] == ["mls_old"]
    assert local.scheduler.metadata["authorization"] == f"Service {KEY}"


@pytest.mark.parametrize(
    "where",
    [
        {"client": ("192.0.2.7", 4711)},
        {"client": ("10.0.0.1", 4711)},
        {"client": ("::ffff:192.0.2.7", 4711)},
        {"base": "http://maillane.example.com"},
        {"base": "http://localhost.example.com:8080"},
        {"base": "http://192.168.1.5:8080"},
        {"x-forwarded-for": "127.0.0.1"},
        {"forwarded": "for=127.0.0.1"},
        {"via": "1.1 proxy"},
    ],
    ids=str,
)
async def test_nobody_else_comes_in_so(local, where):
    """From another machine, by another name for this one (DNS rebinding), or through a proxy on this one."""
    begins(local)
    async with as_browser(local, **where) as browser:
        offered = (await browser.get("/auth/providers")).json()
        answer = await browser.post("/auth/local", headers=CSRF)

    assert offered["local"] is False
    assert (answer.status_code, answer.json()["error"]["details"][0]["reason"]) == (403, "LOCAL_SIGN_IN_OFF")
    assert not local.scheduler.asked["SignInLocally"]


@pytest.mark.parametrize(
    "where",
    [
        {},
        {"base": "http://127.0.0.1:8080"},
        {"base": "http://[::1]:8080", "client": ("::1", 4711)},
        {"client": ("::ffff:127.0.0.1", 4711)},
    ],
    ids=str,
)
async def test_each_name_of_this_machine_will_do(local, where):
    """Over IPv4 and IPv6."""
    begins(local)
    async with as_browser(local, **where) as browser:
        assert (await browser.post("/auth/local", headers=CSRF)).status_code == 200


async def test_a_page_elsewhere_signs_nobody_in(local):
    """Nor out."""
    begins(local)
    async with as_browser(local, origin="https://evil.example") as browser:
        codes = [(await browser.post(f"/auth/{what}", headers=CSRF)).status_code for what in ("local", "sign-out")]

    assert codes == [403, 403]


async def test_it_is_off_unless_it_is_set(gateway, scheduler):
    """For a gateway behind a proxy sees everybody as local."""
    async with as_browser(gateway) as browser:
        offered = (await browser.get("/auth/providers")).json()
        answer = await browser.post("/auth/local", headers=CSRF)

    assert offered == {"provider": None, "local": False}
    assert answer.status_code == 403


async def test_without_a_provider_nobody_is_sent_to_one(gateway, scheduler):
    """But back to the page."""
    async with as_browser(gateway) as browser:
        answer = await browser.get("/auth/sign-in?return=/sent")

    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?error=refused&return=%2Fsent")


async def test_who_tries_too_often_waits(local, monkeypatch):
    """The page is told for how long; a call, in Retry-After."""
    monkeypatch.setattr(tries, "BURST", 1)
    monkeypatch.setattr(tries, "PER_S", 0.01)
    begins(local)
    async with as_browser(local, client=("127.0.0.9", 4711)) as browser:
        codes = [(await browser.post("/auth/local", headers=CSRF)).status_code for _ in range(2)]
        answers = [await browser.get(path) for path in ("/auth/sign-in", "/auth/callback?code=x&state=y")]

    assert codes == [200, 429]
    limited = {f"/sign-in?error=limited&wait={wait_s}" for wait_s in (99, 100)}
    assert {answer.headers["location"] for answer in answers} <= limited


async def test_a_bounded_number_is_worked_on_at_once(monkeypatch):
    """Also of those who sign out: a cookie that looks like one is made up in no time."""
    monkeypatch.setattr(endpoints, "MAX_AT_ONCE", 0)
    async with running(local_sign_in=True) as gateway, as_browser(gateway, cookie=f"{COOKIE}=mls_x") as browser:
        answers = [await browser.post(f"/auth/{what}", headers=CSRF) for what in ("local", "sign-out")]

    assert [answer.status_code for answer in answers] == [503, 503]
    assert {answer.json()["error"]["details"][0]["reason"] for answer in answers} == {"TOO_BUSY"}


async def test_a_cookie_opens_the_api_and_its_streams(gateway, scheduler):
    """As the token that it holds would."""
    scheduler.answers["WatchCampaign"] = [WatchCampaignResponse()]
    async with as_browser(gateway, base=str(gateway.client.base_url), cookie=f"maillane-8080={TOKEN}") as browser:
        one = await browser.get("/v1/identity")
        stream = await browser.get("/v1/campaigns/1:watch")

    assert (one.status_code, stream.status_code) == (200, 200)
    assert stream.headers["content-type"].startswith("text/event-stream")
    assert scheduler.metadata["authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize(
    "cookie", ["maillane-8080=", "maillane-8080=a b", "maillane-9=x", f"maillane-8080={'x' * 129}"]
)
async def test_what_is_no_session_opens_nothing(gateway, scheduler, cookie):
    """Whatever it is, it is not passed on."""
    async with as_browser(gateway, cookie=cookie) as browser:
        assert (await browser.get("/v1/identity")).status_code == 401
    assert not scheduler.asked["GetIdentity"]


PROVIDER = {
    "oidc_issuer": "https://accounts.example.com",
    "oidc_client_id": "id",
    "oidc_client_secret": SecretStr("secret"),
    "public_url": "http://localhost:8080",
}


@pytest.mark.parametrize(
    ("where", "settings"),
    [
        ({"client": ("192.0.2.7", 4711)}, {}),
        ({"base": "http://maillane.example.com"}, {}),
        ({"x-forwarded-for": "127.0.0.1"}, {}),
        ({}, {"local_sign_in": False}),
        ({}, PROVIDER),
    ],
    ids=str,
)
async def test_a_session_of_the_machine_opens_nothing_elsewhere_or_beside_a_provider(where, settings):
    """In a cookie or as a bearer's; where it was begun, both do."""
    secrets = ({"cookie": f"{COOKIE}={LOCAL_SESSION}"}, {"authorization": f"Bearer {LOCAL_SESSION}"})
    async with running(**{"local_sign_in": True, **settings}) as gateway:
        for secret in secrets:
            async with as_browser(gateway, **where, **secret) as browser:
                assert (await browser.get("/v1/identity")).status_code == 401
        assert not gateway.scheduler.asked["GetIdentity"]


async def test_a_session_of_the_machine_opens_the_api_on_it(local):
    """And ends there like any other."""
    begins(local)
    async with as_browser(local, cookie=f"{COOKIE}={LOCAL_SESSION}") as browser:
        opened = await browser.get("/v1/identity")
        await browser.post("/auth/sign-out", headers=CSRF)

    assert opened.status_code == 200
    assert [asked.secret for asked in local.scheduler.asked["RevokeSession"]] == [LOCAL_SESSION]


async def test_a_sign_out_that_fails_keeps_the_cookie(local):
    """So that it can be tried again: what is not revoked still opens."""
    begins(local)
    local.scheduler.answers["RevokeSession"] = Unavailable("down")
    async with as_browser(local, cookie=f"{COOKIE}=mls_x") as browser:
        answer = await browser.post("/auth/sign-out", headers=CSRF)

    assert answer.status_code == 503
    assert "set-cookie" not in answer.headers


async def test_signing_out_without_a_session_is_done(local):
    """Nobody has to be asked."""
    begins(local)
    async with as_browser(local) as browser:
        assert (await browser.post("/auth/sign-out", headers=CSRF)).status_code == 200
    assert not local.scheduler.asked["RevokeSession"]


async def test_by_https_cookies_are_of_this_host_alone():
    """__Host- and Secure (RFC 6265bis §4.1.3.2), without a domain."""
    cookies, response = Cookies(secure=True, port=8080), Response()
    cookies.set(response, cookies.session, "x", 60)

    assert response.headers["set-cookie"].startswith("__Host-maillane=x; ")
    assert {"HttpOnly", "Secure", "Path=/", "SameSite=lax"} <= set(response.headers["set-cookie"].split("; "))
    assert "domain" not in response.headers["set-cookie"].lower()


def request(**headers):
    """A request that changes something."""
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "POST", "headers": raw})


async def test_behind_a_proxy_the_public_address_is_ours():
    """The proxy may ask us by another name, and by plain HTTP."""
    credentials = Credentials("maillane", "https://mail.example.com", lambda _: False)
    credentials.check_sender(request(x_maillane_csrf="1", host="gateway:8080", origin="https://mail.example.com"))
    credentials.check_sender(request(x_maillane_csrf="1", host="mail.example.com", origin="https://mail.example.com"))


@pytest.mark.parametrize(
    "path", ["/", "/campaigns/7?tab=x#y", "/sent?q=a%20b", "/a//b", "/campaigns/7:watch", "/-/~x;y=1,2"]
)
async def test_a_path_here_is_returned_to(path):
    """As it is."""
    assert _return_path(path) == path


@pytest.mark.parametrize(
    "path",
    ["", "sent", "//evil.example", "/\\evil.example", "\\/evil.example", "/\t/evil.example", "/\n/evil.example",
     "https://evil.example", "javascript:alert(1)", "/x y", "/ü", "/" + "x" * 1002, "/\r\nset-cookie: a=b"],
)  # fmt: skip
async def test_nothing_else_is(path):
    """No redirect leads out of this server."""
    assert _return_path(path) == "/"


STATE = LoginState("/sent", {"_state_provider_x": {"data": {"nonce": "n"}}})


async def test_what_was_sealed_opens_in_time_on_any_copy():
    """And not a second later."""
    now = 1_000.0
    sealed = LoginStates(KEY, lambda: now).seal(STATE)
    other = LoginStates(KEY, lambda: now)
    opened = other.open(sealed)
    now += LOGIN_S + 1

    assert opened == STATE
    assert other.open(sealed) is None
    assert "sent" not in sealed


async def test_what_others_sealed_or_changed_opens_nothing():
    """Nor anything made up."""
    states = LoginStates(KEY, lambda: 0.0)
    sealed = states.seal(STATE)
    changed = sealed[:40] + ("A" if sealed[40] != "A" else "B") + sealed[41:]
    bad = [changed, sealed[:-8], LoginStates("x" * 32, lambda: 0.0).seal(STATE), "", "x", "ä", "=" * 9, "A" * 5000]

    assert [states.open(each) for each in bad] == [None] * len(bad)


async def test_tries_come_back_with_time():
    """Each address has its own; a customer's IPv6 addresses are one."""
    now = 0.0
    limiter = Tries(lambda: now)
    first = [limiter.take("192.0.2.1") for _ in range(tries.BURST + 1)]
    others = [limiter.take("192.0.2.2"), limiter.take("2001:db8::1")]
    for n in range(tries.BURST - 1):
        limiter.take(f"2001:db8::{n:x}")
    now += 1

    assert first == [0] * tries.BURST + [1]
    assert others == [0, 0]
    assert [limiter.take("192.0.2.1"), limiter.take("192.0.2.1")] == [0, 1]
    assert [limiter.take("2001:db8::ffff"), limiter.take("2001:db8::fffe"), limiter.take("2001:db8:0:1::")] == [0, 1, 0]


async def test_tries_take_bounded_memory(monkeypatch):
    """Who has not come for longest makes room."""
    monkeypatch.setattr(tries, "MAX_PEERS", 2)
    limiter = Tries(lambda: 0.0)
    for host in ("192.0.2.1", "192.0.2.2", "192.0.2.1", "192.0.2.3"):
        limiter.take(host)

    assert list(limiter._left) == ["192.0.2.1", "192.0.2.3"]


WHOLE = {
    "oidc_issuer": "https://id.example.com",
    "oidc_client_id": "x",
    "oidc_client_secret": SecretStr("y"),
    "public_url": "https://mail.example.com",
}


@pytest.mark.parametrize("missing", WHOLE)
async def test_a_provider_is_set_whole(missing):
    """Or not at all."""
    settings = {name: value for name, value in WHOLE.items() if name != missing}

    with pytest.raises(ValidationError, match="go together"):
        make_settings(**settings)


@pytest.mark.parametrize(
    "change",
    [
        {"oidc_issuer": "http://id.example.com"},
        {"public_url": "http://mail.example.com"},
        {"public_url": "https://mail.example.com/maillane"},
        {"oidc_allowed_domains": "example.com, @example.org"},
    ],
    ids=str,
)
async def test_what_would_not_be_safe_is_refused(change):
    """Passwords and sessions go by HTTPS, except on this machine."""
    with pytest.raises(ValidationError):
        make_settings(**{**WHOLE, **change})


async def test_on_this_machine_plain_http_will_do():
    """For trials."""
    settings = make_settings(**{**WHOLE, "oidc_issuer": "http://localhost:9", "public_url": "http://127.0.0.1:8080"})

    assert settings.allowed_domains == frozenset()


async def test_the_sign_in_page_has_words_for_each_refusal():
    """Each reason that a browser can be sent back with has words in the sign-in page, and no other has."""
    told = re.findall(r"case '(\w+)':", WORDS.read_text())

    assert sorted(told) == sorted(get_args(Reason))
