"""What stores and wire do alone: beside these every figure is to be read."""

import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import psycopg
from maillane_local.ports import LOOPBACK, free_port
from maillane_local.valkey import Valkey
from redis import Redis
from support.programs import unpacked

from .echo import calls_per_s
from .processes import output_of, running
from .rig import Rig

PIPELINE: Final = 1000
"""ZADDs in flight."""

ECHO_S: Final = 3.0
BENCHMARK_S: Final = 120.0

_ECHO: Final = Path(__file__).with_name("echo.py")
_RATE: Final = re.compile(r'"([0-9.]+)"')


@asynccontextmanager
async def valkey() -> AsyncIterator[tuple[Valkey, Redis]]:
    """A Valkey with an append-only file, as `make up` runs it, and a connection to it."""
    with tempfile.TemporaryDirectory(prefix="maillane-bench-") as folder:
        server = Valkey(Path(folder))
        await server.start()
        try:
            with Redis.from_url(server.url) as redis:
                yield server, redis
        finally:
            await server.stop()


async def zadd_per_s(count: int) -> float:
    """Pipelined ZADDs of random members into one set, by redis-benchmark.

    Raises:
        CannotRun: it is not installed, and cannot be had.
    """
    program, env = _redis_benchmark()
    async with valkey() as (server, _):
        to = ("-h", LOOPBACK, "-p", str(server.port), "-n", str(count), "-P", str(PIPELINE), "-c", "4")
        what = ("-r", str(10 * count), "--csv", "ZADD", "lane", "__rand_int__", "__rand_int__")
        said = await output_of([program, *to, *what], BENCHMARK_S, env)
    return float(_RATE.findall(said.splitlines()[-1])[0])


async def zset_bytes(count: int) -> float:
    """Bytes of Redis for an entry of a sorted set: 8 bytes and a score, as messages lie in a lane."""
    async with valkey() as (_, redis):
        before = redis.info("memory")["used_memory"]
        pipeline = redis.pipeline(transaction=False)
        now_us = time.time_ns() // 1000
        for first in range(0, count, PIPELINE):
            pipeline.zadd("lane", {n.to_bytes(8, "big"): now_us + n for n in range(first, first + PIPELINE)})
        pipeline.execute()
        return float(redis.info("memory")["used_memory"] - before) / count


def copy_per_s(rig: Rig, rows: int) -> float:
    """Rows a second by COPY into a table like `messages`, its indexes included, in one statement on one connection."""
    with psycopg.connect(rig.database_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE copied (LIKE messages INCLUDING ALL)")
        begun = time.perf_counter()
        with connection.cursor().copy(
            "COPY copied (id, campaign_id, mailbox_id, ordinal, line, email, variables) FROM STDIN"
        ) as copy:
            # In an order that is not the index's, as addresses of a list are in none.
            for first in range(0, rows, PIPELINE):
                copy.write("".join(map(_copied, range(first, first + PIPELINE))))
        rate = rows / (time.perf_counter() - begun)
        connection.execute("DROP TABLE copied")
    return rate


@asynccontextmanager
async def _echoing() -> AsyncIterator[int]:
    port = free_port()
    async with running([sys.executable, _ECHO, str(port)], port=port):
        yield port


async def echo(in_flight: int, payload_bytes: int) -> tuple[float, float]:
    """A gRPC echo: calls a second, and the median of a call in ms."""
    async with _echoing() as port:
        return await calls_per_s(port, in_flight, bytes(payload_bytes), ECHO_S)


async def bare_sender_us(mail_port: int, count: int) -> float:
    """CPU µs a mail of a sender that does nothing but what Python, the wire and gRPC make it do.

    Raises:
        TimeoutError: it does not end.
    """
    async with _echoing() as port:
        command = [sys.executable, "-m", f"{__package__}.bare_sender", *map(str, (mail_port, port, count))]
        return float(await output_of(command, BENCHMARK_S))


def _copied(n: int) -> str:
    address = f"{n * 2654435761 % 2**32:08x}.{n}@example.com"
    return f'{n}\t1\t1\t{n}\t{n}\t{address}\t{{"name": "Ann {n}", "city": "Rome", "company": "Company {n % 999}"}}\n'


def _redis_benchmark() -> tuple[str, Mapping[str, str]]:
    if installed := shutil.which("redis-benchmark") or shutil.which("valkey-benchmark"):
        return installed, dict(os.environ)
    files = unpacked("redis-tools", "redis-benchmark")
    # What Debian links it to, and a slim machine may lack.
    libraries = [unpacked(package, "redis-benchmark") / "usr/lib" for package in ("libjemalloc2", "liblzf1")]
    paths = [str(path) for library in libraries for path in (library, *library.glob("*-linux-gnu"))]
    return str(files / "usr/bin/redis-benchmark"), {**os.environ, "LD_LIBRARY_PATH": ":".join(paths)}
