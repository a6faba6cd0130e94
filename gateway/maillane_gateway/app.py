"""What the gateway is made of."""

import asyncio

import grpc
from starlette.types import ASGIApp

from maillane_gateway.docs import routes as docs
from maillane_gateway.health import Readyz, healthz
from maillane_gateway.http.app import HttpApp
from maillane_gateway.http.routing import Route, RouteTable
from maillane_gateway.imports.endpoint import PATH as IMPORT_PATH
from maillane_gateway.imports.endpoint import ImportEndpoint
from maillane_gateway.services import SCHEDULER_SERVICES
from maillane_gateway.settings import GatewaySettings
from maillane_gateway.transcode import endpoints
from maillane_gateway.transcode.template import PathTemplate
from maillane_gateway.upstream import Upstream

REPEATABLE = endpoints.repeatable(SCHEDULER_SERVICES)
"""What the channel to the scheduler may call again where the answer is UNAVAILABLE."""


def build(scheduler: grpc.aio.Channel, settings: GatewaySettings, stopping: asyncio.Event) -> ASGIApp:
    """The application; streams end once `stopping` is set."""
    upstream = Upstream(scheduler)
    importing = ImportEndpoint(upstream, settings.max_csv_bytes)
    own = [
        Route("GET", PathTemplate.parse("/healthz"), healthz, open=True),
        Route("GET", PathTemplate.parse("/readyz"), Readyz(upstream), open=True),
        Route("POST", PathTemplate.parse(IMPORT_PATH), importing),
    ]
    transcoded = endpoints.routes(SCHEDULER_SERVICES, upstream, stopping)
    return HttpApp(RouteTable([*own, *transcoded, *docs.routes(SCHEDULER_SERVICES)]), settings.max_requests)
