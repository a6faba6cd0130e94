"""Files of any size pass in the same memory. Client, gateway and scheduler share the process, so all are counted."""

import asyncio
from collections.abc import Iterator

import psutil
import pytest

from .conftest import Gateway
from .test_import import PATH

pytestmark = pytest.mark.asyncio(loop_scope="module")

MIB = 1024 * 1024

BOUND_MIB = 60
"""Some chunks of 1 MiB on each side of each connection, and what the allocator keeps."""

ROW = b"someone@example.com," + b"x" * 4000 + b"," + b"y" * 4000 + b"\n"


def rows(total: int) -> Iterator[bytes]:
    yield b"email,a,b\n"
    for _ in range(total // (len(ROW) * 64)):
        yield ROW * 64


def field(total: int) -> Iterator[bytes]:
    yield b"email,a\na@x,b\n"
    for _ in range(total // 65536):
        yield b"z" * 65536


async def upload(gateway: Gateway, pieces: Iterator[bytes]) -> tuple[bytes, float]:
    """The answer, and by how many MiB the process grew at most."""
    process = psutil.Process()
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: {gateway.client.headers['authorization']}\r\n"
    writer.write(head.encode() + b"Content-Type: text/csv\r\nTransfer-Encoding: chunked\r\n\r\n")
    before = most = process.memory_info().rss
    answer = asyncio.create_task(reader.readuntil(b"\r\n\r\n"))
    for piece in pieces:
        if answer.done():
            break
        writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        await writer.drain()
        most = max(most, process.memory_info().rss)
    else:
        writer.write(b"0\r\n\r\n")
    head_came = await answer
    writer.close()
    return head_came, (most - before) / MIB


async def test_a_file_of_200_mb(gateway, scheduler):
    """All of it arrives."""
    scheduler.keep = False

    answer, grown_mib = await upload(gateway, rows(200_000_000))

    assert answer.startswith(b"HTTP/1.1 200")
    assert scheduler.held > 195_000_000
    assert grown_mib < BOUND_MIB


async def test_a_field_of_100_mb(gateway, scheduler):
    """It is refused before much of it was read."""
    answer, grown_mib = await upload(gateway, field(100_000_000))

    assert answer.startswith(b"HTTP/1.1 400")
    assert grown_mib < BOUND_MIB
