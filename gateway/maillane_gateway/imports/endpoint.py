"""`POST /v1/campaigns/{campaign_id}/recipients:import`: an upload, which no HTTP rule can describe; and what all do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from typing import Generic, cast

import grpc
from google.protobuf.descriptor import MethodDescriptor
from maillane.scheduler.v1 import campaign_service_pb2
from maillane.scheduler.v1.campaign_service_pb2 import ImportRecipientsRequest, ImportRecipientsResponse
from starlette.requests import Request
from starlette.responses import Response

from maillane_gateway.http import body
from maillane_gateway.http.capacity import Slots
from maillane_gateway.imports.sink import Answer, Begin, Chunk
from maillane_gateway.imports.transfer import transfer
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


class FileImport(ABC, Generic[Chunk, Answer]):
    """Streams a file of a request's body into a call."""

    def __init__(self, upstream: Upstream, method: MethodDescriptor, limit_bytes: int, at_once: int) -> None:
        """Takes the scheduler and its method, the largest file, and how many requests are served at once."""
        self._upstream = upstream
        self._limit_bytes = limit_bytes
        self._slots = Slots(at_once)
        self._method = upstream.stream_unary(method)

    @abstractmethod
    async def transfer(
        self, file: AsyncIterator[bytes], variables: dict[str, str], begin: Begin[Chunk, Answer]
    ) -> Answer:
        """Reads the file to its end; `variables` are those of the path."""

    async def __call__(self, request: Request, variables: dict[str, str]) -> Response:
        """Answers with what was accepted and what was not, once all of it is durable."""

        def begin() -> grpc.aio.StreamUnaryCall[Chunk, Answer]:
            return cast(
                "grpc.aio.StreamUnaryCall[Chunk, Answer]", self._method(metadata=metadata(request), timeout=IMPORT_S)
            )

        with self._slots.taken():
            pieces = body.chunks(request, limit_bytes=self._limit_bytes, idle_s=IDLE_S)
            file = unwrap(request.headers.get("content-type", ""), pieces)
            await self._upstream.connected()
            result = await self.transfer(file, variables, begin)
        return Response(to_json(result), media_type="application/json")


class ImportEndpoint(FileImport[ImportRecipientsRequest, ImportRecipientsResponse]):
    """Streams a CSV file into a campaign."""

    def __init__(self, upstream: Upstream, limit_bytes: int) -> None:
        super().__init__(upstream, METHOD, limit_bytes, MAX_IMPORTS)

    async def transfer(
        self,
        file: AsyncIterator[bytes],
        variables: dict[str, str],
        begin: Begin[ImportRecipientsRequest, ImportRecipientsResponse],
    ) -> ImportRecipientsResponse:
        """Into the campaign that the path names."""
        return await transfer(file, variables["campaign_id"], begin)
