"""One import: check, keep, tell the queue; of consecutive chunks, one is in each stage."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import TypeVar

import structlog
from maillane.scheduler.v1 import campaign_service_pb2 as pb
from maillane_chassis.errors import DeadlineExceeded, InvalidArgument, Violation
from maillane_chassis.violations import Violations
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from maillane_scheduler.store import campaigns, imports, recipients
from maillane_scheduler.store.recipients import Added, KnownAddressError, Target
from maillane_scheduler.sync.sync import Sync
from maillane_scheduler.validation.campaigns import needed_variables
from maillane_scheduler.validation.recipients import MAX_CHUNK, Checked, RecipientChecker, Rejection, Row

log = structlog.get_logger()

# The first rows that were left out are named; all of them are counted.
MAX_REJECTED = 1000
# A caller that says nothing for so long is gone; its import would not hold its campaign open any more.
IDLE_S = float(imports.EXPIRE_S)
Chunk = TypeVar("Chunk")
# The event loop holds tasks weakly; those whose call was cancelled have nobody else.
_ENDING: set[asyncio.Task[None]] = set()


@dataclass(slots=True)
class Result:
    """What came of an import so far."""

    accepted: int = 0
    duplicates: int = 0
    rejected: list[Rejection] = field(default_factory=list)
    rejected_count: int = 0

    def reject(self, rows: list[Rejection]) -> None:
        """Counts rows that were left out, and keeps the first of them."""
        self.rejected_count += len(rows)
        self.rejected += rows[: MAX_REJECTED - len(self.rejected)]


class Importer:
    """Takes the chunks of one call. Memory stays flat: three chunks, and gRPC's flow control reaches the caller."""

    def __init__(self, engine: AsyncEngine, sync: Sync, workspace_id: int) -> None:
        self._engine = engine
        self._sync = sync
        self._workspace_id = workspace_id
        self._campaign_id = 0
        self._import_id: int | None = None
        self._checker = RecipientChecker()
        # What every recipient of a started campaign must have; it is fixed by then, and read once.
        self._needed: frozenset[str] | None = None
        # A list without repeats goes straight in. After the first repeat, each chunk is looked up before.
        self._looks_up = False
        self._result = Result()
        self._telling: asyncio.Task[None] | None = None

    async def run(self, chunks: AsyncIterator[pb.ImportRecipientsRequest]) -> Result:
        """Imports all chunks. What was accepted before an error stays.

        Raises:
            InvalidArgument: no campaign is named, or another one; a chunk is too large.
            NotFound: the workspace has no such campaign.
            FailedPrecondition: CAMPAIGN_ENDED or CAMPAIGN_INCOMPLETE.
            ResourceExhausted: CAMPAIGN_FULL.
            DeadlineExceeded: no chunk came for IDLE_S.
        """
        keeping: asyncio.Task[None] | None = None
        try:
            async for chunk in not_idle(chunks):
                self._check_chunk(chunk)
                # In a thread, so that a claim that comes meanwhile does not wait for 10,000 rows.
                checked = await asyncio.to_thread(self._checker.check, chunk.recipients)
                if keeping is not None:
                    await keeping
                keeping = asyncio.create_task(self._keep(checked))
            if keeping is None:
                raise InvalidArgument([Violation("campaign_id", "must be named in the first chunk")])
            await keeping
        finally:
            # A task of its own, for gRPC cancels a call whose caller is gone more than once.
            ending = asyncio.create_task(self._end(keeping))
            _ENDING.add(ending)
            ending.add_done_callback(_ENDING.discard)
            await asyncio.shield(ending)
        return self._result

    def _check_chunk(self, chunk: pb.ImportRecipientsRequest) -> None:
        violations = Violations()
        if not self._campaign_id:
            self._campaign_id = violations.identifier("campaign_id", chunk.campaign_id)
        elif chunk.campaign_id not in ("", str(self._campaign_id)):
            violations.add("campaign_id", "must be that of the first chunk, or empty")
        violations.count("recipients", chunk.recipients, 0, MAX_CHUNK, "recipient")
        violations.raise_if_any()

    async def _keep(self, checked: Checked) -> None:
        try:
            added = await self._commit(checked)
        except KnownAddressError:
            self._looks_up = True
            added = await self._commit(checked)
        if added.marks:
            await self._tell(added)

    async def _commit(self, checked: Checked) -> Added:
        async with self._engine.begin() as connection:
            target = await recipients.target(connection, self._workspace_id, self._campaign_id)
            import_id = await self._keep_open(connection)
            rows, lacking = await self._complete(connection, target, checked.rows)
            fresh = await self._fresh(connection, rows)
            added = await recipients.add(connection, target, fresh)
        self._import_id = import_id
        self._result.accepted += len(fresh)
        self._result.duplicates += checked.duplicates + len(rows) - len(fresh)
        self._result.reject(sorted(checked.rejected + lacking))
        return added

    async def _keep_open(self, connection: AsyncConnection) -> int:
        if self._import_id is None:
            return await imports.open_one(connection, self._campaign_id)
        await imports.extend(connection, self._import_id)
        return self._import_id

    async def _complete(
        self, connection: AsyncConnection, target: Target, rows: list[Row]
    ) -> tuple[list[Row], list[Rejection]]:
        """Rows that a started campaign can take, and those that lack what its template needs."""
        if not target.started:
            return rows, []
        if self._needed is None:
            campaign = await campaigns.get(connection, self._workspace_id, self._campaign_id)
            self._needed = frozenset(needed_variables(campaign.plan.template))
        # Rows of one list have the same few sets of names.
        lacks = {names: sorted(self._needed.difference(names)) for names in {row.names for row in rows}}
        if not any(lacks.values()):
            return rows, []
        lacking = [
            Rejection(row.line, ", ".join(missing), "lacks what the template needs")
            for row in rows
            if (missing := lacks[row.names])
        ]
        return [row for row in rows if not lacks[row.names]], lacking

    async def _fresh(self, connection: AsyncConnection, rows: list[Row]) -> list[Row]:
        if not self._looks_up or not rows:
            return rows
        return await recipients.fresh(connection, self._campaign_id, rows)

    async def _tell(self, added: Added) -> None:
        """Tells the queue of a chunk while the next is kept; chunks follow each other."""
        if self._telling is not None:
            await self._telling
        self._telling = asyncio.create_task(self._enqueue(added))

    async def _enqueue(self, added: Added) -> None:
        try:
            await self._sync.enqueue(self._campaign_id, added.marks, added.messages())
        except Exception:
            # The rows are durable and marked: the sweep tells the queue.
            log.warning("enqueue_left_to_sweep", campaign=self._campaign_id, exc_info=True)

    async def _end(self, keeping: asyncio.Task[None] | None) -> None:
        """Waits for what was begun, also where the caller is gone; then the campaign may complete."""
        begun = [keeping] if keeping is not None else []
        await asyncio.gather(*begun, return_exceptions=True)
        if self._telling is not None:
            await self._telling
        if self._import_id is not None:
            async with self._engine.begin() as connection:
                await imports.close(connection, self._import_id)


async def not_idle(chunks: AsyncIterator[Chunk]) -> AsyncIterator[Chunk]:
    """The chunks of a caller that goes on talking.

    Raises:
        DeadlineExceeded: no chunk came for IDLE_S.
    """
    while True:
        try:
            async with asyncio.timeout(IDLE_S):
                chunk = await anext(chunks)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise DeadlineExceeded(f"no chunk came for {IDLE_S:.0f} s", reason="IMPORT_IDLE") from None
        yield chunk
