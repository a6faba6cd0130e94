"""The OpenID Connect provider: the code flow with PKCE, state and nonce, by Authlib."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import httpx2
import structlog
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.base_client.errors import MismatchingStateError
from authlib.integrations.starlette_client import OAuth
from joserfc.errors import ExpiredTokenError, JoseError
from starlette.requests import Request

from maillane_gateway.sign_in.refusals import Reason, Refused

TIMEOUT_S: Final = 5.0
"""For each answer of the provider: people wait for it."""

GOOGLE: Final = "https://accounts.google.com"

_ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures by the provider's own key: none by our secret, and not none at all (RFC 8725 §3.1)."""

_OAUTH_ERRORS: Final[Mapping[str, Reason]] = {
    # RFC 6749 §5.2: a code that has expired, or was used already.
    "invalid_grant": "expired",
    # §4.1.2.1
    "server_error": "provider_down",
    "temporarily_unavailable": "provider_down",
}

# What the scheduler takes; nobody is kept out over a picture.
_PICTURE = re.compile(r"https://[\x21-\x7e]{1,2040}")

# Accounts of people, who own no domain.
_GOOGLES_OWN: Final = ("gmail.com", "googlemail.com")

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Claims:
    """What the provider says of a person, after its signature, issuer, audience, time and nonce were checked."""

    issuer: str
    subject: str
    email: str
    name: str
    picture: str


class Provider:
    """One provider, as the settings name it."""

    def __init__(
        self, name: str, issuer: str, client_id: str, client_secret: str, allowed_domains: frozenset[str]
    ) -> None:
        """Asks it nothing yet. `name` may be empty; no `allowed_domains`: any."""
        self.name = name or ("Google" if issuer == GOOGLE else urlsplit(issuer).netloc)
        self._issuer = issuer
        self._client_id = client_id
        self._domains = allowed_domains
        self._client: Any = OAuth().register(
            "provider",
            client_id=client_id,
            client_secret=client_secret,
            server_metadata_url=f"{issuer.rstrip('/')}/.well-known/openid-configuration",
            client_kwargs={
                "scope": "openid email profile",
                "code_challenge_method": "S256",
                "timeout": TIMEOUT_S,
                # Authlib makes a client for each call; certificates take 60 ms to load, once is enough.
                "verify": httpx2.create_ssl_context(),
            },
        )

    async def begin(self, request: Request, redirect_uri: str) -> tuple[str, dict[str, Any]]:
        """Where to send the browser, and what to keep for `confirm`.

        Raises:
            Refused: provider_down.
        """
        kept: dict[str, Any] = {}
        request.scope["session"] = kept
        with _failures():
            await self._check_metadata()
            answer = await self._client.authorize_redirect(request, redirect_uri, prompt="select_account")
        return answer.headers["location"], kept

    async def confirm(self, request: Request, kept: dict[str, Any]) -> Claims:
        """Who has signed in, by the provider's answer in this request.

        Raises:
            Refused: the answer is not for what was kept, or not good; or the person may not come in.
        """
        request.scope["session"] = kept
        with _failures():
            await self._check_metadata()
            token = await self._client.authorize_access_token(request, claims_options=self._claims_options())
            claims: dict[str, Any] = token.get("userinfo") or {}
            if claims and "email" not in claims:
                claims |= await self._more_of(claims["sub"], token)
        if not claims:
            _log.error("provider_gave_no_id_token", issuer=self._issuer)
            raise Refused("provider_down")
        return self._admitted(claims)

    async def _check_metadata(self) -> None:
        metadata = await self._client.load_server_metadata()
        if metadata.get("issuer") != self._issuer:
            # OpenID Connect Discovery 1.0 §4.3. Not kept, so that it is asked again.
            self._client.server_metadata.clear()
            _log.error("provider_has_another_issuer", issuer=self._issuer)
            raise Refused("provider_down")
        offered = metadata.get("id_token_signing_alg_values_supported") or ()
        metadata["id_token_signing_alg_values_supported"] = [name for name in _ALGORITHMS if name in offered]

    def _claims_options(self) -> dict[str, Any]:
        return {
            "iss": {"essential": True, "value": self._issuer},
            # Authlib by itself is content with an `azp` that is ours.
            "aud": {"essential": True, "value": self._client_id},
        }

    async def _more_of(self, subject: str, token: Mapping[str, Any]) -> dict[str, Any]:
        """Some providers tell the address at the userinfo endpoint only; it must be of the same subject (§5.3.2)."""
        told: dict[str, Any] = await self._client.userinfo(token=token)
        if told.get("sub") != subject:
            raise Refused("forged")
        return told

    def _admitted(self, claims: Mapping[str, Any]) -> Claims:
        email = str(claims.get("email") or "")
        # Some providers write it as a string.
        if not email or claims.get("email_verified") not in (True, "true"):
            raise Refused("unverified")
        domain = email.rpartition("@")[2].lower()
        if self._domains and (domain not in self._domains or not self._owns(domain, claims)):
            raise Refused("domain")
        picture = str(claims.get("picture") or "")
        return Claims(
            issuer=self._issuer,
            subject=str(claims["sub"]),
            email=email,
            name=str(claims.get("name") or ""),
            picture=picture if _PICTURE.fullmatch(picture) else "",
        )

    def _owns(self, domain: str, claims: Mapping[str, Any]) -> bool:
        """Whether the account belongs to the domain, not only its address.

        Google lets anybody make an account with an address elsewhere, which stays theirs when they leave that place;
        `hd` is on the accounts that the domain itself manages.
        """
        return self._issuer != GOOGLE or domain in _GOOGLES_OWN or claims.get("hd") == domain


@contextmanager
def _failures() -> Iterator[None]:
    try:
        yield
    except MismatchingStateError:
        raise Refused("forged") from None
    except AuthlibBaseError as error:
        raise Refused(_OAUTH_ERRORS.get(error.error, "refused")) from None
    except ExpiredTokenError:
        raise Refused("expired") from None
    except JoseError as error:
        _log.warning("id_token_refused", error=error.error)
        raise Refused("forged") from None
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, KeyError, TypeError, RuntimeError) as error:
        # What is not JSON, or lacks what it must have, is as good as no answer.
        _log.warning("provider_does_not_answer", error=type(error).__name__)
        raise Refused("provider_down") from None
