"""What a provider may say, and what is not believed. (The whole way: tests/integration/test_sign_in.py.)"""

import json
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from maillane_gateway.sign_in.provider import GOOGLE, Claims, Provider
from maillane_gateway.sign_in.refusals import Refused
from starlette.requests import Request

SECRET = "the-secret-of-a-client-of-a-provider"
OWN = RSAKey.generate_key(2048, {"kid": "own"})
FOREIGN = RSAKey.generate_key(2048, {"kid": "own"})
MIRA = {"sub": "7", "email": "mira@example.com", "email_verified": True}
BACK = "http://127.0.0.1:8080/auth/callback"


class Fake(ThreadingHTTPServer):
    """A provider that says what it is told to say, signed as it is told to sign."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.issuer = f"http://127.0.0.1:{self.server_port}"
        self.claims: dict[str, Any] = {}
        self.alg, self.key = "RS256", OWN
        self.userinfo: dict[str, Any] = {}

    def answer(self, path: str) -> dict[str, Any]:
        if path == "/token":
            now = int(time.time())
            claims = {"iss": self.issuer, "aud": "maillane", "iat": now, "exp": now + 60, **self.claims}
            token = jwt.encode({"alg": self.alg, "kid": "own"}, claims, self.key, algorithms=[self.alg])
            return {"access_token": "x", "token_type": "Bearer", "id_token": token}
        return {
            "/jwks": {"keys": [OWN.as_dict(private=False)]},
            "/userinfo": self.userinfo,
            "/.well-known/openid-configuration": {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "userinfo_endpoint": f"{self.issuer}/userinfo",
                "jwks_uri": f"{self.issuer}/jwks",
                "id_token_signing_alg_values_supported": ["none", "HS256", "RS256"],
            },
        }[path]


class _Answers(BaseHTTPRequestHandler):
    server: Fake

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        body = json.dumps(self.server.answer(self.path)).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def fake() -> Iterator[Fake]:
    with Fake() as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def request(query: str = "") -> Request:
    return Request({"type": "http", "method": "GET", "path": "/", "query_string": query.encode(), "headers": []})


async def confirmed(fake: Fake, claims: dict[str, Any]) -> Claims:
    """Who comes back from the provider, which says these claims of them."""
    provider = Provider("", fake.issuer, "maillane", SECRET, frozenset())
    url, kept = await provider.begin(request(), BACK)
    asked = parse_qs(urlsplit(url).query)
    fake.claims = {"nonce": asked["nonce"][0], **claims}
    return await provider.confirm(request(f"code=c&state={asked['state'][0]}"), kept)


async def test_who_the_provider_has_signed_for_comes_in(fake):
    """By the key that it shows."""
    assert await confirmed(fake, MIRA) == Claims(fake.issuer, "7", "mira@example.com", "", "")


@pytest.mark.parametrize(
    ("alg", "key"),
    [("none", None), ("HS256", OctKey.import_key(SECRET)), ("RS256", FOREIGN)],
    ids=["not signed", "by our secret", "by another key"],
)
async def test_a_token_that_the_provider_did_not_sign_is_forged(fake, alg, key):
    """Also where it says that it signs so (RFC 8725 §3.1)."""
    fake.alg, fake.key = alg, key

    with pytest.raises(Refused, match="forged"):
        await confirmed(fake, MIRA)


async def test_an_address_may_be_told_apart_from_the_token(fake):
    """Of the same subject (OpenID Connect Core 1.0 §5.3.2), and nobody else's."""
    fake.userinfo = MIRA
    found = await confirmed(fake, {"sub": "7"})
    with pytest.raises(Refused) as other:
        await confirmed(fake, {"sub": "8"})

    assert (found.subject, found.email) == ("7", "mira@example.com")
    assert other.value.reason == "forged"


@pytest.mark.parametrize(
    ("issuer", "email", "more", "comes_in"),
    [
        (GOOGLE, "mira@example.com", {"hd": "example.com"}, True),
        (GOOGLE, "mira@example.com", {}, False),
        (GOOGLE, "mira@example.com", {"hd": "example.org"}, False),
        (GOOGLE, "mira@gmail.com", {}, True),
        ("https://id.example.com", "mira@example.com", {}, True),
    ],
)
async def test_an_account_at_google_must_be_its_domains(issuer, email, more, comes_in):
    """Anybody can make one with an address elsewhere, and keeps it when they leave that place."""
    provider = Provider("", issuer, "maillane", SECRET, frozenset({"example.com", "gmail.com"}))
    claims = {"sub": "7", "email": email, "email_verified": True, **more}

    if comes_in:
        assert provider._admitted(claims).email == email
    else:
        with pytest.raises(Refused, match="domain"):
            provider._admitted(claims)
