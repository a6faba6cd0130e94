"""`POST /v1/suppressions:import`: a CSV or plain list of addresses into the ImportSuppressions stream."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import TypeAlias, cast

import grpc
from maillane.scheduler.v1.suppression_service_pb2 import (
    DESCRIPTOR,
    ImportSuppressionsRequest,
    ImportSuppressionsResponse,
    SuppressionRow,
)
from maillane_chassis.errors import InvalidArgument, Violation
from starlette.requests import Request
from starlette.responses import Response

from maillane_gateway.http import body
from maillane_gateway.http.capacity import Slots
from maillane_gateway.imports.columns import EMAIL
from maillane_gateway.imports.endpoint import IDLE_S, IMPORT_S
from maillane_gateway.imports.rows import CsvError, Row, RowReader
from maillane_gateway.imports.transfer import CHUNK_ROWS, answer_limit
from maillane_gateway.imports.upload import unwrap
from maillane_gateway.transcode.answer import to_json
from maillane_gateway.upstream import Upstream, metadata

PATH = "/v1/suppressions:import"

METHOD = DESCRIPTOR.services_by_name["SuppressionService"].methods_by_name["ImportSuppressions"]

MAX_IMPORTS = 5
"""At once: a list of a workspace is imported once in a while."""

MAX_VALUE_CHARS = 254
"""Of a field that is passed on: no address is longer, and what is longer is cut and refused there."""

Call: TypeAlias = "grpc.aio.StreamUnaryCall[ImportSuppressionsRequest, ImportSuppressionsResponse]"


class SuppressionImport:
    """Streams a file of addresses into the workspace's list."""

    def __init__(self, upstream: Upstream, limit_bytes: int) -> None:
        self._upstream = upstream
        self._limit_bytes = limit_bytes
        self._slots = Slots(MAX_IMPORTS)
        self._method = upstream.stream_unary(METHOD)

    async def __call__(self, request: Request, _variables: dict[str, str]) -> Response:
        """Answers with what was added and what was left out, once all of it is durable."""

        def begin() -> Call:
            return cast(Call, self._method(metadata=metadata(request), timeout=IMPORT_S))

        with self._slots.taken():
            pieces = body.chunks(request, limit_bytes=self._limit_bytes, idle_s=IDLE_S)
            file = unwrap(request.headers.get("content-type", ""), pieces)
            await self._upstream.connected()
            result = await transfer(file, begin)
        return Response(to_json(result), media_type="application/json")


async def transfer(file: AsyncIterator[bytes], begin: Callable[[], Call]) -> ImportSuppressionsResponse:
    """Reads a file to its end and imports its addresses; the call begins once the first row was found good.

    Raises:
        InvalidArgument: with reason CSV_INVALID: the file cannot be read on. What stands before that place is added.
        grpc.aio.AioRpcError: what the scheduler answered.
        DeadlineExceeded: it did not answer.
    """
    sink = _Sink(begin)
    try:
        await _read(file, sink)
    except CsvError as bad:
        await sink.end()
        description = f"line {bad.line}: {bad}"
        raise InvalidArgument(
            [Violation("file", description)], reason="CSV_INVALID", metadata={"line": str(bad.line)}
        ) from None
    else:
        return await sink.end() or ImportSuppressionsResponse()
    finally:
        sink.abandon()


async def _read(file: AsyncIterator[bytes], sink: "_Sink") -> None:
    reader = RowReader()
    async for piece in file:
        for row in reader.feed(piece):
            await sink.take(row)
    for row in reader.finish():
        await sink.take(row)
    if not sink.begun:
        raise CsvError(1, "the file is empty")


class _Sink:
    """Rows in, chunks out."""

    def __init__(self, begin: Callable[[], Call]) -> None:
        self._begin = begin
        self._call: Call | None = None
        self._column = 0
        self._chunk = ImportSuppressionsRequest()

    @property
    def begun(self) -> bool:
        """Whether a row was read."""
        return self._call is not None

    async def take(self, row: Row) -> None:
        """The first row says in which column the addresses are: by its title, or by the address in it."""
        fields = [value.strip() for value in row.fields]
        if self._call is None:
            self._column, is_header = _column(fields, row.line)
            self._call = self._begin()
            if is_header:
                return
        if not any(fields):
            return
        email = fields[self._column] if self._column < len(fields) else ""
        self._chunk.rows.append(SuppressionRow(email=email[: MAX_VALUE_CHARS + 1], line=row.line))
        if len(self._chunk.rows) >= CHUNK_ROWS:
            await self._write()

    async def end(self) -> ImportSuppressionsResponse | None:
        """Writes the last chunk; None where no call was begun."""
        if self._call is None:
            return None
        await self._write()
        async with answer_limit():
            await self._call.done_writing()
            return await self._call

    def abandon(self) -> None:
        """Cancels the call if it has not ended."""
        if self._call is not None:
            self._call.cancel()

    async def _write(self) -> None:
        assert self._call is not None
        async with answer_limit():
            try:
                await self._call.write(self._chunk)
            except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
                # It has ended, but a write that notices first says only INTERNAL: the call itself says why.
                await self._call
                raise
        self._chunk = ImportSuppressionsRequest()


def _column(fields: list[str], line: int) -> tuple[int, bool]:
    """Where the addresses are, and whether this row is a header.

    Raises:
        CsvError: neither a column named email, nor an address.
    """
    titles = [field.lower() for field in fields]
    if EMAIL in titles:
        return titles.index(EMAIL), True
    for place, field in enumerate(fields):
        if "@" in field:
            return place, False
    raise CsvError(line, "the first row has no column named email and holds no address")
