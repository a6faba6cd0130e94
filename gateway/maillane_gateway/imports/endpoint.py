"""`POST /v1/campaigns/{campaign_id}/recipients:import`: an upload, which no HTTP rule can describe."""

from typing import cast

from maillane.scheduler.v1 import campaign_service_pb2
from starlette.requests import Request
from starlette.responses import Response

from maillane_gateway.http import body
from maillane_gateway.http.capacity import Slots
from maillane_gateway.imports.transfer import Call, transfer
from maillane_gateway.imports.upload import unwrap
from maillane_gateway.transcode.answer import to_json
from maillane_gateway.upstream import Upstream, metadata

PATH = "/v1/campaigns/{campaign_id}/recipients:import"

METHOD = campaign_service_pb2.DESCRIPTOR.services_by_name["CampaignService"].methods_by_name["ImportRecipients"]

IDLE_S = 30.0
"""A client that sends nothing for so long has gone or hangs."""

IMPORT_S = 3600.0
"""For a whole file: ten million rows at the rate that the scheduler is built for take ten minutes."""

MAX_IMPORTS = 20
"""At once: each holds a few MiB, and keeps a connection to Postgres busy."""


class ImportEndpoint:
    """Streams a CSV file into a campaign."""

    def __init__(self, upstream: Upstream, limit_bytes: int) -> None:
        self._upstream = upstream
        self._limit_bytes = limit_bytes
        self._slots = Slots(MAX_IMPORTS)
        self._method = upstream.stream_unary(METHOD)

    async def __call__(self, request: Request, variables: dict[str, str]) -> Response:
        """Answers with what was accepted and what was not, once all of it is durable."""

        def begin() -> Call:
            return cast(Call, self._method(metadata=metadata(request), timeout=IMPORT_S))

        with self._slots.taken():
            pieces = body.chunks(request, limit_bytes=self._limit_bytes, idle_s=IDLE_S)
            file = unwrap(request.headers.get("content-type", ""), pieces)
            await self._upstream.connected()
            result = await transfer(file, variables["campaign_id"], begin)
        return Response(to_json(result), media_type="application/json")
