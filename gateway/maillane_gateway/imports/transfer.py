"""One file into one ImportRecipients call, and what came of it."""

from __future__ import annotations

from collections.abc import AsyncIterator

from maillane.scheduler.v1.campaign_service_pb2 import (
    ImportRecipientsRequest,
    ImportRecipientsResponse,
    Recipient,
    RejectedRow,
)
from maillane_chassis.errors import InvalidArgument, Violation

from maillane_gateway.imports.columns import Columns, Ragged
from maillane_gateway.imports.rows import CsvError, Row
from maillane_gateway.imports.sink import CHUNK_ROWS, Begin, Sink

CHUNK_BYTES = 1024 * 1024
"""With the longest row on top a chunk stays below a message's limit of 4 MiB."""

MAX_REJECTED = 1_000
"""Rows that come back by name, as in the contract; the rest are counted."""


async def transfer(
    file: AsyncIterator[bytes], campaign_id: str, begin: Begin[ImportRecipientsRequest, ImportRecipientsResponse]
) -> ImportRecipientsResponse:
    """Reads a CSV file to its end and imports its rows; the call begins once the header was found good.

    Raises:
        InvalidArgument: with reason CSV_INVALID: the file cannot be read on. Rows before that place are imported,
            and the error says how many; the mended file can be sent again as a whole, for what is there stays.
        grpc.aio.AioRpcError: what the scheduler answered.
        DeadlineExceeded: it did not answer.
    """
    sink = _Sink(campaign_id, begin)
    try:
        await sink.read(file)
    except CsvError as bad:
        raise _refusal(bad, await sink.end()) from None
    else:
        return await sink.end() or ImportRecipientsResponse()
    finally:
        sink.abandon()


class _Sink(Sink[ImportRecipientsRequest, ImportRecipientsResponse]):
    """A header, and what stands under it."""

    def __init__(self, campaign_id: str, begin: Begin[ImportRecipientsRequest, ImportRecipientsResponse]) -> None:
        super().__init__(begin)
        self._campaign_id = campaign_id
        self._columns: Columns | None = None
        self._chunk = ImportRecipientsRequest(campaign_id=campaign_id)
        self._chunk_bytes = 0
        self._ragged: list[Ragged] = []
        self._ragged_count = 0

    async def take(self, row: Row) -> None:
        """The header first."""
        if self._columns is None:
            self._columns = Columns(row)
            self.open()
            return
        recipient = self._columns.recipient(row)
        if isinstance(recipient, Recipient):
            self._chunk.recipients.append(recipient)
            self._chunk_bytes += recipient.ByteSize()
            if len(self._chunk.recipients) >= CHUNK_ROWS or self._chunk_bytes >= CHUNK_BYTES:
                await self.write()
        elif recipient is not None:
            self._ragged_count += 1
            if len(self._ragged) < MAX_REJECTED:
                self._ragged.append(recipient)

    def next_chunk(self) -> ImportRecipientsRequest:
        """One without recipients still names the campaign."""
        chunk, self._chunk = self._chunk, ImportRecipientsRequest(campaign_id=self._campaign_id)
        self._chunk_bytes = 0
        return chunk

    async def end(self) -> ImportRecipientsResponse | None:
        """With the rows that were left out here."""
        response = await super().end()
        return None if response is None else self._merged(response)

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


def _refusal(bad: CsvError, done: ImportRecipientsResponse | None) -> InvalidArgument:
    description = f"line {bad.line}: {bad}"
    metadata = {"line": str(bad.line)}
    if done is not None:
        description += f" ({done.accepted} recipients from the lines before it were accepted)"
        metadata |= {"accepted": str(done.accepted), "duplicates": str(done.duplicates)}
        metadata |= {"rejectedCount": str(done.rejected_count)}
    return InvalidArgument([Violation("file", description)], reason="CSV_INVALID", metadata=metadata)
