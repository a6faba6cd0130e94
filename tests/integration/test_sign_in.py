"""Sign-in as browsers meet it: the gateway before a real provider and real identities, on a real Postgres."""

from collections.abc import AsyncIterator, Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from maillane_local.ports import free_port

from .signing_in import CSRF, House, Provider, house, provider, reason


@pytest.fixture(scope="module")
def oidc() -> Iterator[Provider]:
    with provider() as running:
        yield running


@pytest.fixture
async def here(database_url: str, oidc: Provider) -> AsyncIterator[House]:
    async with house(database_url, oidc.issuer) as made:
        yield made


@pytest.fixture
async def mira(here: House, oidc: Provider) -> str:
    """An address that is invited as an editor, and that the provider vouches for."""
    oidc.knows("mira@example.com", name="Mira Holm", picture="https://example.com/mira.png")
    await here.admin("POST", "/v1/invitations", email="mira@example.com", role="ROLE_EDITOR")
    return "mira@example.com"


async def test_a_person_signs_in_and_is_back_where_they_were(here, mira):
    """With an invitation; the cookie opens the API."""
    browser = here.browser()
    back = await browser.sign_in(mira, "/campaigns/7?tab=history")
    who = (await browser.who()).json()

    assert (back.status_code, back.headers["location"]) == (303, "/campaigns/7?tab=history")
    assert (who["user"]["email"], who["user"]["name"], who["role"]) == (mira, "Mira Holm", "ROLE_EDITOR")
    assert who["user"]["picture"] == "https://example.com/mira.png"
    assert who["workspace"]["id"] == str(here.workspace)


async def test_nobody_is_kept_out_over_a_name_or_a_picture(here, mira, oidc):
    """What cannot be kept of them is left out."""
    oidc.knows(mira, name="Mira\n" + "x" * 300, picture="https://example.com/mïra.png")
    browser = here.browser()
    answer = await browser.sign_in(mira)
    user = (await browser.who()).json()["user"]

    assert reason(answer) == ""
    assert (user["name"], user["picture"]) == ("Mira" + "x" * 196, "")


async def test_the_provider_is_asked_with_state_nonce_and_pkce(here):
    """And for a code, which nobody can use without what the browser keeps."""
    asked = parse_qs(urlsplit(await here.browser().leave()).query)

    assert asked["response_type"] == ["code"]
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["scope"] == ["openid email profile"]
    assert asked["redirect_uri"] == [f"{here.base}/auth/callback"]
    assert all(len(asked[name][0]) >= 20 for name in ("state", "nonce", "code_challenge"))


async def test_no_script_and_no_other_site_gets_at_the_cookie(here, mira):
    """HttpOnly, SameSite=Lax, and an end; the one of the sign-in is gone."""
    browser = here.browser()
    back = await browser.sign_in(mira)
    session, login = back.headers.get_list("set-cookie")

    assert session.startswith(f"{here.cookie}=mls_")
    assert {"HttpOnly", "Path=/", "SameSite=lax"} <= set(session.split("; "))
    assert 86_300 < int(session.split("Max-Age=")[1].split(";")[0]) <= 86_400
    assert "Max-Age=0" in login
    assert list(browser.client.cookies) == [here.cookie]


async def test_a_state_that_is_not_this_browsers_is_forged(here, mira):
    """Nobody is signed in by a link that somebody else made."""
    browser, other = here.browser(), here.browser()
    link = await other.say_who(await other.leave(), mira)
    await browser.leave()
    answer = await browser.client.get(link)

    assert reason(answer) == "forged"
    assert not browser.secret


async def test_a_callback_without_a_sign_in_has_expired(here, mira):
    """As has one whose cookie is made up, or too old to be sent."""
    browser, other = here.browser(), here.browser()
    link = await other.say_who(await other.leave(), mira)
    without = await browser.client.get(link)
    made_up = await browser.client.get(link, headers={"cookie": f"maillane-login-{here.base[-5:].strip(':')}=AAAA"})

    assert (reason(without), reason(made_up)) == ("expired", "expired")


async def test_another_persons_code_is_refused(here, mira, oidc):
    """Put into one's own callback: its nonce is not this sign-in's."""
    oidc.knows("eve@example.com")
    victim, eve = here.browser(), here.browser()
    stolen = parse_qs(urlsplit(await victim.say_who(await victim.leave(), mira)).query)["code"][0]
    own = await eve.say_who(await eve.leave(), "eve@example.com")
    answer = await eve.client.get(own.replace(parse_qs(urlsplit(own).query)["code"][0], stolen))

    assert reason(answer) == "forged"
    assert not eve.secret


async def test_a_code_is_good_once(here, mira):
    """Also with the cookie of its sign-in kept."""
    browser = here.browser()
    link = await browser.say_who(await browser.leave(), mira)
    kept = dict(browser.client.cookies)
    first = await browser.client.get(link)
    browser.client.cookies.clear()
    browser.client.cookies.update(kept)
    again = await browser.client.get(link)

    assert reason(first) == ""
    assert reason(again) == "expired"
    assert not browser.secret


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"aud": ["another"]}, "forged"),
        ({"aud": ["another"], "azp": "maillane"}, "forged"),
        ({"iss": "https://evil.example"}, "forged"),
        ({"nonce": "another"}, "forged"),
        ({"exp": 1}, "expired"),
    ],
)
async def test_a_token_that_is_not_for_this_sign_in_opens_nothing(here, mira, oidc, claims, said):
    """Another audience, also where it says that it was issued to us; another issuer or nonce; or it is over."""
    oidc.knows("odd", email=mira, **claims)
    browser = here.browser()

    assert reason(await browser.sign_in("odd")) == said
    assert not browser.secret


async def test_an_address_that_is_not_verified_does_not_come_in(here, mira, oidc):
    """Though it is invited."""
    oidc.knows("eve", email=mira, email_verified=False)

    assert reason(await here.browser().sign_in("eve")) == "unverified"


async def test_who_is_not_a_member_does_not_come_in(here, oidc):
    """And keeps the way back, for after the invitation."""
    oidc.knows("lena@example.com")
    answer = await here.browser().sign_in("lena@example.com", "/sent")

    assert reason(answer) == "not_a_member"
    assert parse_qs(urlsplit(answer.headers["location"]).query)["return"] == ["/sent"]


async def test_who_says_no_at_the_provider_is_back_at_the_page(here, mira):
    """Refused."""
    browser = here.browser()
    link = await browser.say_who(await browser.leave(), mira, action="deny")

    assert reason(await browser.client.get(link)) == "refused"


async def test_only_allowed_domains_come_in(database_url, oidc):
    """Of a verified address, whole and in any case."""
    async with house(database_url, oidc.issuer, oidc_allowed_domains="example.com, Example.ORG") as here:
        answers = {}
        here.identities._sign_up = True
        for email in ("a@EXAMPLE.com", "b@example.org", "c@sub.example.com", "d@example.com.evil.net"):
            oidc.knows(email)
            answers[email] = reason(await here.browser().sign_in(email))

    assert list(answers.values()) == ["", "", "domain", "domain"]


async def test_a_provider_that_is_down_is_said_so(database_url):
    """Not with an error page, and not after long."""
    async with house(database_url, f"http://localhost:{free_port()}") as here:
        answer = await here.browser().client.get("/auth/sign-in?return=/sent")

    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?error=provider_down&return=%2Fsent")


async def test_a_provider_that_names_another_issuer_is_not_believed(database_url, oidc):
    """OpenID Connect Discovery 1.0 §4.3."""
    async with house(database_url, oidc.issuer.replace("localhost", "127.0.0.1") + "/") as here:
        answer = await here.browser().client.get("/auth/sign-in")

    assert reason(answer) == "provider_down"


async def test_scheduler_trouble_is_not_the_providers(here, mira):
    """Nobody is told to wait for Google."""
    browser = here.browser()
    link = await browser.say_who(await browser.leave(), mira)
    await here.engine.dispose()
    here.identities._engine = None

    assert reason(await browser.client.get(link)) == "unavailable"


async def test_a_session_that_somebody_planted_is_not_the_one_that_is_opened(here, mira):
    """The secret is new at each sign-in, and the one that the browser had ends."""
    browser, attacker = here.browser(), here.browser()
    await attacker.sign_in(mira)
    browser.plant(attacker.secret)
    await browser.sign_in(mira)

    assert (await browser.who()).status_code == 200
    assert browser.secret != attacker.secret
    assert (await attacker.who()).status_code == 401


async def test_signing_out_ends_the_session(here, mira):
    """Not only the cookie: a copy of it opens nothing either."""
    browser, copy = here.browser(), here.browser()
    await browser.sign_in(mira)
    copy.plant(browser.secret)
    refused = await browser.client.post("/auth/sign-out")
    before = (await copy.who()).status_code
    done = await browser.client.post("/auth/sign-out", headers=CSRF)

    assert (refused.status_code, before, done.status_code) == (403, 200, 200)
    assert (await copy.who()).status_code == 401
    assert not browser.secret


async def test_a_removed_member_is_out_with_the_next_request(here, mira, oidc):
    """And one that was raised may do more with it."""
    browser = here.browser()
    await browser.sign_in(mira)
    member = f"/v1/members/{(await browser.who()).json()['user']['id']}"
    invite = {"json": {"email": "x@example.com", "role": "ROLE_VIEWER"}, "headers": CSRF}
    codes = [(await browser.client.post("/v1/invitations", **invite)).status_code]
    await here.admin("PATCH", member, role="ROLE_ADMIN")
    codes += [(await browser.client.post("/v1/invitations", **invite)).status_code]
    oidc.knows("jonah@example.com")
    await here.admin("POST", "/v1/invitations", email="jonah@example.com", role="ROLE_ADMIN")
    await here.browser().sign_in("jonah@example.com")
    await here.admin("DELETE", member)
    codes += [(await browser.who()).status_code]

    assert codes == [403, 200, 401]


async def test_a_cookie_alone_changes_nothing(here, mira):
    """A page elsewhere can make the browser send it; the header, and the right origin, only a page of ours."""
    browser = here.browser()
    await browser.sign_in(mira)
    body = {"workspaceId": str(here.workspace)}
    codes = {
        name: (await browser.client.post("/v1/workspace:switch", json=body, headers=headers)).status_code
        for name, headers in {
            "nothing": {},
            "another value": {"x-maillane-csrf": "0"},
            "another origin": {**CSRF, "origin": "https://evil.example"},
            "no origin": {**CSRF, "origin": "null"},
            "another site": {**CSRF, "sec-fetch-site": "same-site"},
            "ours": {**CSRF, "origin": here.base, "sec-fetch-site": "same-origin"},
            "ours, of an old browser": CSRF,
        }.items()
    }

    assert list(codes.values()) == [403, 403, 403, 403, 403, 200, 200]


async def test_a_token_needs_no_such_header(here, mira):
    """No browser sends it by itself. It also wins over a cookie."""
    browser = here.browser()
    await browser.sign_in(mira)
    answer = await browser.client.post(
        "/v1/workspace:switch",
        json={"workspaceId": str(here.workspace)},
        headers={"authorization": f"Bearer {here.token}"},
    )
    who = await browser.who(headers={"authorization": f"Bearer {here.token}"})

    assert answer.status_code == 200
    assert who.json()["token"]["name"] == "admin"


async def test_the_page_is_told_of_the_provider(here, oidc):
    """By its host where no name is set; and that nobody comes in without it."""
    answer = await here.browser().client.get("/auth/providers")
    local = await here.browser().client.post("/auth/local", headers=CSRF)

    assert answer.json() == {"provider": {"name": urlsplit(oidc.issuer).netloc}, "local": False}
    assert (local.status_code, local.json()["error"]["details"][0]["reason"]) == (403, "LOCAL_SIGN_IN_OFF")


async def test_the_person_at_the_machine_comes_in_without_a_provider(database_url):
    """Where it is on."""
    nothing = {"oidc_client_id": "", "oidc_client_secret": "", "local_sign_in": True}
    async with house(database_url, "", **nothing) as here:
        browser = here.browser()
        offered = await browser.client.get("/auth/providers")
        done = await browser.client.post("/auth/local", headers=CSRF)
        who = (await browser.who()).json()

    assert offered.json() == {"provider": None, "local": True}
    assert done.status_code == 200
    assert (who["role"], who["user"]["email"], who["workspace"]["name"]) == ("ROLE_ADMIN", "", "acme")
