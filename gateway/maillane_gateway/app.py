"""What the gateway is made of."""

import asyncio
from typing import TYPE_CHECKING

import grpc
from maillane_chassis.clock import SYSTEM_CLOCK
from starlette.requests import Request
from starlette.types import ASGIApp

from maillane_gateway import web
from maillane_gateway.docs import routes as docs
from maillane_gateway.health import Readyz, healthz
from maillane_gateway.http.app import HttpApp
from maillane_gateway.http.credential import Credentials
from maillane_gateway.http.proxies import TrustedProxies
from maillane_gateway.http.routing import Route, RouteTable
from maillane_gateway.imports.endpoint import PATH as IMPORT_PATH
from maillane_gateway.imports.endpoint import ImportEndpoint
from maillane_gateway.imports.suppressions import PATH as SUPPRESSIONS_PATH
from maillane_gateway.imports.suppressions import SuppressionImport
from maillane_gateway.services import SCHEDULER_SERVICES, SENDER_SERVICES, SERVICES
from maillane_gateway.settings import GatewaySettings
from maillane_gateway.sign_in.cookies import Cookies
from maillane_gateway.sign_in.endpoints import SignIn
from maillane_gateway.sign_in.login_state import LoginStates
from maillane_gateway.sign_in.loopback import is_local
from maillane_gateway.sign_in.sessions import Sessions
from maillane_gateway.sign_in.tries import Tries
from maillane_gateway.transcode import endpoints
from maillane_gateway.transcode.template import PathTemplate
from maillane_gateway.unsubscribe.endpoint import PATH as UNSUBSCRIBE_PATH
from maillane_gateway.unsubscribe.endpoint import Unsubscribe
from maillane_gateway.upstream import Upstream

if TYPE_CHECKING:
    from maillane_gateway.sign_in.provider import Provider

REPEATABLE = endpoints.repeatable(SCHEDULER_SERVICES)
"""What the channel to the scheduler may call again where the answer is UNAVAILABLE."""

VERIFY_S = 25.0
"""The deadline of a call to a sender, which tries a mail server for up to 15 s."""


def build(
    scheduler: grpc.aio.Channel, sender: grpc.aio.Channel, settings: GatewaySettings, stopping: asyncio.Event
) -> ASGIApp:
    """The application; streams end once `stopping` is set."""
    upstream = Upstream(scheduler)
    importing = ImportEndpoint(upstream, settings.max_csv_bytes)
    unsubscribing = Unsubscribe(upstream)
    own = [
        Route("GET", PathTemplate.parse("/healthz"), healthz, open=True, quiet=True),
        Route("GET", PathTemplate.parse("/readyz"), Readyz(upstream), open=True, quiet=True),
        Route("POST", PathTemplate.parse(IMPORT_PATH), importing),
        Route("POST", PathTemplate.parse(SUPPRESSIONS_PATH), SuppressionImport(upstream, settings.max_csv_bytes)),
        Route("GET", PathTemplate.parse(UNSUBSCRIBE_PATH), unsubscribing.look, open=True),
        Route("POST", PathTemplate.parse(UNSUBSCRIBE_PATH), unsubscribing.act, open=True),
    ]
    transcoded = endpoints.routes(SCHEDULER_SERVICES, upstream, stopping)
    of_sender = endpoints.routes(SENDER_SERVICES, Upstream(sender), stopping, unary_s=VERIFY_S)
    cookies = Cookies(secure=settings.public_url.startswith("https:"), port=settings.gateway_port)
    # A session of the machine's own ends to open anything once there is a provider, and never does from elsewhere.
    is_allowed = is_local if settings.local_sign_in and not settings.oidc_issuer else _never
    credentials = Credentials(cookies.session, settings.public_url, is_allowed)
    signing_in = _sign_in(upstream, settings, cookies, credentials).routes()
    table = RouteTable(
        [*own, *signing_in, *transcoded, *of_sender, *docs.routes(SERVICES), *web.routes(settings.web_dir)]
    )
    return HttpApp(table, settings.max_requests, credentials, TrustedProxies(settings.proxies))


def _sign_in(upstream: Upstream, settings: GatewaySettings, cookies: Cookies, credentials: Credentials) -> SignIn:
    key = settings.service_key.get_secret_value()
    return SignIn(
        provider=_provider(settings),
        public_url=settings.public_url,
        local=settings.local_sign_in,
        credentials=credentials,
        cookies=cookies,
        states=LoginStates(key, _wall_s),
        sessions=Sessions(upstream, key, _wall_s),
        tries=Tries(SYSTEM_CLOCK.monotonic),
    )


def _provider(settings: GatewaySettings) -> "Provider | None":
    if not settings.oidc_issuer:
        return None
    # Only where there is one: what it is made of takes a fifth of a second to load.
    from maillane_gateway.sign_in.provider import Provider  # noqa: PLC0415

    return Provider(
        settings.oidc_name,
        settings.oidc_issuer,
        settings.oidc_client_id,
        settings.oidc_client_secret.get_secret_value(),
        settings.allowed_domains,
    )


def _never(_request: Request) -> bool:
    return False


def _wall_s() -> float:
    return SYSTEM_CLOCK.wall().timestamp()
