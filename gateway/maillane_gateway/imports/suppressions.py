"""`POST /v1/suppressions:import`: a CSV or plain list of addresses into the ImportSuppressions stream."""

from __future__ import annotations

from collections.abc import AsyncIterator

from maillane.scheduler.v1.suppression_service_pb2 import (
    DESCRIPTOR,
    ImportSuppressionsRequest,
    ImportSuppressionsResponse,
    SuppressionRow,
)
from maillane_chassis.errors import InvalidArgument, Violation

from maillane_gateway.imports.columns import EMAIL
from maillane_gateway.imports.endpoint import FileImport
from maillane_gateway.imports.rows import CsvError, Row
from maillane_gateway.imports.sink import CHUNK_ROWS, Begin, Sink
from maillane_gateway.upstream import Upstream

PATH = "/v1/suppressions:import"

METHOD = DESCRIPTOR.services_by_name["SuppressionService"].methods_by_name["ImportSuppressions"]

MAX_IMPORTS = 5
"""At once: a list of a workspace is imported once in a while."""

MAX_VALUE_CHARS = 254
"""Of a field that is passed on: no address is longer, and what is longer is cut and refused there."""


class SuppressionImport(FileImport[ImportSuppressionsRequest, ImportSuppressionsResponse]):
    """Streams a file of addresses into the workspace's list."""

    def __init__(self, upstream: Upstream, limit_bytes: int) -> None:
        super().__init__(upstream, METHOD, limit_bytes, MAX_IMPORTS)

    async def transfer(
        self,
        file: AsyncIterator[bytes],
        _variables: dict[str, str],
        begin: Begin[ImportSuppressionsRequest, ImportSuppressionsResponse],
    ) -> ImportSuppressionsResponse:
        """Of the workspace that the token names."""
        return await transfer(file, begin)


async def transfer(
    file: AsyncIterator[bytes], begin: Begin[ImportSuppressionsRequest, ImportSuppressionsResponse]
) -> ImportSuppressionsResponse:
    """Reads a file to its end and imports its addresses; the call begins once the first row was found good.

    Raises:
        InvalidArgument: with reason CSV_INVALID: the file cannot be read on. What stands before that place is added.
        grpc.aio.AioRpcError: what the scheduler answered.
        DeadlineExceeded: it did not answer.
    """
    sink = _Sink(begin)
    try:
        await sink.read(file)
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


class _Sink(Sink[ImportSuppressionsRequest, ImportSuppressionsResponse]):
    """A list, with a header or without one."""

    def __init__(self, begin: Begin[ImportSuppressionsRequest, ImportSuppressionsResponse]) -> None:
        super().__init__(begin)
        self._column = 0
        self._chunk = ImportSuppressionsRequest()

    async def take(self, row: Row) -> None:
        """The first row says in which column the addresses are: by its title, or by the address in it."""
        fields = [value.strip() for value in row.fields]
        if not self.is_open:
            self._column, is_header = _column(fields, row.line)
            self.open()
            if is_header:
                return
        if not any(fields):
            return
        email = fields[self._column] if self._column < len(fields) else ""
        self._chunk.rows.append(SuppressionRow(email=email[: MAX_VALUE_CHARS + 1], line=row.line))
        if len(self._chunk.rows) >= CHUNK_ROWS:
            await self.write()

    def next_chunk(self) -> ImportSuppressionsRequest:
        """Its rows."""
        chunk, self._chunk = self._chunk, ImportSuppressionsRequest()
        return chunk


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
