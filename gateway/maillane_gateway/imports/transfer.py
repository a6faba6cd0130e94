"""One file into one ImportRecipients call, and what came of it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeAlias

import grpc
from maillane.scheduler.v1.campaign_service_pb2 import (
    ImportRecipientsRequest,
    ImportRecipientsResponse,
    Recipient,
    RejectedRow,
)
from maillane_chassis.errors import DeadlineExceeded, InvalidArgument, Violation

from maillane_gateway.imports.columns import Columns, Ragged
from maillane_gateway.imports.rows import CsvError, Row, RowReader

Call: TypeAlias = "grpc.aio.StreamUnaryCall[ImportRecipientsRequest, ImportRecipientsResponse]"

CHUNK_ROWS = 2_000
CHUNK_BYTES = 1024 * 1024
"""A chunk is one transaction there; with the longest row on top it stays below a message's limit of 4 MiB."""

ANSWER_S = 30.0
"""How long the scheduler may take over a chunk; it takes well under a second in good health."""

MAX_REJECTED = 1_000
"""Rows that come back by name, as in the contract; the rest are counted."""


async def transfer(file: AsyncIterator[bytes], campaign_id: str, begin: Callable[[], Call]) -> ImportRecipientsResponse:
    """Reads a CSV file to its end and imports its rows; the call begins once the header was found good.

    Raises:
        InvalidArgument: with reason CSV_INVALID: the file cannot be read on. Rows before that place are imported,
            and the error says how many; the mended file can be sent again as a whole, for what is there stays.
        grpc.aio.AioRpcError: what the scheduler answered.
        DeadlineExceeded: it did not answer.
    """
    sink = _Sink(campaign_id, begin)
    try:
        await _read(file, sink)
    except CsvError as bad:
        raise _refusal(bad, await sink.end()) from None
    else:
        return await sink.end() or ImportRecipientsResponse()
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
    """Rows in, chunks out. Writing waits where the scheduler is slower than the file (HTTP/2 flow control)."""

    def __init__(self, campaign_id: str, begin: Callable[[], Call]) -> None:
        self._campaign_id = campaign_id
        self._begin = begin
        self._call: Call | None = None
        self._columns: Columns | None = None
        self._chunk = ImportRecipientsRequest(campaign_id=campaign_id)
        self._chunk_bytes = 0
        self._ragged: list[Ragged] = []
        self._ragged_count = 0

    @property
    def begun(self) -> bool:
        """Whether a header was read."""
        return self._columns is not None

    async def take(self, row: Row) -> None:
        """The header first, then what stands under it."""
        if self._columns is None:
            self._columns = Columns(row)
            self._call = self._begin()
            return
        recipient = self._columns.recipient(row)
        if isinstance(recipient, Recipient):
            self._chunk.recipients.append(recipient)
            self._chunk_bytes += recipient.ByteSize()
            if len(self._chunk.recipients) >= CHUNK_ROWS or self._chunk_bytes >= CHUNK_BYTES:
                await self._write()
        elif recipient is not None:
            self._ragged_count += 1
            if len(self._ragged) < MAX_REJECTED:
                self._ragged.append(recipient)

    async def end(self) -> ImportRecipientsResponse | None:
        """Writes the last chunk, which may be empty but names the campaign; None where no call was begun."""
        if self._call is None:
            return None
        await self._write()
        async with answer_limit():
            await self._call.done_writing()
            response = await self._call
        return self._merged(response)

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
        self._chunk = ImportRecipientsRequest(campaign_id=self._campaign_id)
        self._chunk_bytes = 0

    def _merged(self, response: ImportRecipientsResponse) -> ImportRecipientsResponse:
        rejected = [
            *response.rejected,
            *(RejectedRow(line=r.line, value=r.value, reason=r.reason) for r in self._ragged),
        ]
        rejected.sort(key=lambda row: row.line)
        return ImportRecipientsResponse(
            accepted=response.accepted,
            duplicates=response.duplicates,
            rejected=rejected[:MAX_REJECTED],
            rejected_count=response.rejected_count + self._ragged_count,
        )


@asynccontextmanager
async def answer_limit() -> AsyncIterator[None]:
    """Bounds one wait for the scheduler."""
    try:
        async with asyncio.timeout(ANSWER_S):
            yield
    except TimeoutError:
        raise DeadlineExceeded(f"the scheduler took no recipients for {ANSWER_S:g} s") from None


def _refusal(bad: CsvError, done: ImportRecipientsResponse | None) -> InvalidArgument:
    description = f"line {bad.line}: {bad}"
    metadata = {"line": str(bad.line)}
    if done is not None:
        description += f" ({done.accepted} recipients from the lines before it were accepted)"
        metadata |= {"accepted": str(done.accepted), "duplicates": str(done.duplicates)}
        metadata |= {"rejectedCount": str(done.rejected_count)}
    return InvalidArgument([Violation("file", description)], reason="CSV_INVALID", metadata=metadata)
