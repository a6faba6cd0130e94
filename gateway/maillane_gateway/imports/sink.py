"""Rows of a file into one client stream of the scheduler: what all imports have in common."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Generic, TypeAlias, TypeVar

import grpc
from google.protobuf.message import Message
from maillane_chassis.errors import DeadlineExceeded

from maillane_gateway.imports.rows import CsvError, Row, RowReader

Chunk = TypeVar("Chunk", bound=Message)
Answer = TypeVar("Answer", bound=Message)

Begin: TypeAlias = "Callable[[], grpc.aio.StreamUnaryCall[Chunk, Answer]]"

CHUNK_ROWS = 2_000
"""A chunk is one transaction there."""

ANSWER_S = 30.0
"""How long the scheduler may take over a chunk; it takes well under a second in good health."""


class Sink(ABC, Generic[Chunk, Answer]):
    """Rows in, chunks out. Writing waits where the scheduler is slower than the file (HTTP/2 flow control).

    The call begins with `open`, once a row was found good; `abandon` it whatever happens.
    """

    def __init__(self, begin: Begin[Chunk, Answer]) -> None:
        self._begin = begin
        self._call: grpc.aio.StreamUnaryCall[Chunk, Answer] | None = None

    @property
    def is_open(self) -> bool:
        """Whether a first row was found good."""
        return self._call is not None

    @abstractmethod
    async def take(self, row: Row) -> None:
        """Takes the next row."""

    @abstractmethod
    def next_chunk(self) -> Chunk:
        """Gives up what is collected, and begins to collect anew."""

    async def read(self, file: AsyncIterator[bytes]) -> None:
        """Takes all rows of a file.

        Raises:
            CsvError: it is empty, or cannot be read on.
        """
        reader = RowReader()
        async for piece in file:
            for row in reader.feed(piece):
                await self.take(row)
        for row in reader.finish():
            await self.take(row)
        if not self.is_open:
            raise CsvError(1, "the file is empty")

    def open(self) -> None:
        """Begins the call."""
        self._call = self._begin()

    async def write(self) -> None:
        """Writes what is collected."""
        assert self._call is not None
        async with _answer_limit():
            try:
                await self._call.write(self.next_chunk())
            except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
                # It has ended, but a write that notices first says only INTERNAL: the call itself says why.
                await self._call
                raise

    async def end(self) -> Answer | None:
        """Writes the last chunk, which may be empty; None where no call was begun."""
        if self._call is None:
            return None
        await self.write()
        async with _answer_limit():
            await self._call.done_writing()
            return await self._call

    def abandon(self) -> None:
        """Cancels the call if it has not ended."""
        if self._call is not None:
            self._call.cancel()


@asynccontextmanager
async def _answer_limit() -> AsyncIterator[None]:
    """Bounds one wait for the scheduler."""
    try:
        async with asyncio.timeout(ANSWER_S):
            yield
    except TimeoutError:
        raise DeadlineExceeded(f"the scheduler took no rows for {ANSWER_S:g} s") from None
