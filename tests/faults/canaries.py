"""Secrets that are looked for: in every form in which they might lie somewhere, in everything that a system leaves."""

import base64
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import httpx
import psycopg
from maillane_local.system import System
from psycopg import sql
from redis.asyncio import Redis

PIECE: Final = 4 * 1024 * 1024
"""Files are searched by pieces of so many bytes, which overlap by more than any secret's length."""
OVERLAP: Final = 1024


class Canaries:
    """Secrets by name. `found_in` says which of them lie in some bytes, in the clear or in a usual encoding."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._forms = {name: re.compile(b"|".join(map(re.escape, _forms(secret)))) for name, secret in secrets.items()}

    def found_in(self, data: bytes | str) -> list[str]:
        """Names, each at most once."""
        raw = data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data
        return [name for name, form in self._forms.items() if form.search(raw)]

    def search(self, places: Iterable[tuple[str, bytes | str]]) -> list[str]:
        """What lies where: `name in place`."""
        return [f"{name} in {place}" for place, data in places for name in self.found_in(data)]

    async def in_tables(self, system: System) -> list[str]:
        """In the rows of every table: sealed columns as well, for sealed is not in the clear."""
        found = []
        async with await psycopg.AsyncConnection.connect(system.postgres_url) as connection:
            tables = await connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            for (table,) in await tables.fetchall():
                rows = await connection.execute(sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(table)))
                found += self.search([(f"table {table}", row[0]) for row in await rows.fetchall()])
        return found

    async def in_redis(self, system: System) -> list[str]:
        """In every key and what it holds."""
        found = []
        async with Redis.from_url(system.redis_url) as redis:
            async for key in redis.scan_iter():
                found += self.search([(f"Redis key {key!r}", key + b" " + repr(await _value(redis, key)).encode())])
        return found

    async def in_metrics(self, system: System) -> list[str]:
        """In what each service shows."""
        async with httpx.AsyncClient(trust_env=False) as http:
            return self.search([(url, (await http.get(url)).content) for url in system.metrics_urls.values()])

    def in_files(self, system: System) -> list[str]:
        """In every file of the data folder: stores as they lie on the disk, logs, and what else is there."""
        found = []
        for path in sorted(system.folder.path.rglob("*")):
            if path.is_file():
                place = str(path.relative_to(system.folder.path))
                found += sorted(set(self.search((place, piece) for piece in _pieces(path))))
        return found

    def in_processes(self, system: System) -> list[str]:
        """In what each process was started with: its arguments and its environment."""
        places = [
            (f"{name}'s {what}", Path(f"/proc/{pid}/{what}").read_bytes())
            for name, pid in system.pids.items()
            for what in ("cmdline", "environ")
        ]
        return self.search(places)


def _forms(secret: str) -> Iterator[bytes]:
    """As it is, in hexadecimal, and in base64 wherever in a longer text it stands (then without its cut-off ends)."""
    raw = secret.encode()
    yield raw
    yield raw.hex().encode()
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + raw)
        yield encoded[(before * 8 + 5) // 6 : (before + len(raw)) * 8 // 6]


def _pieces(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            tail = b""
            while piece := file.read(PIECE):
                yield tail + piece
                tail = piece[-OVERLAP:]
    except FileNotFoundError:
        # Stores remove files of theirs at any time.
        return


async def _value(redis: Any, key: bytes) -> Any:
    match await redis.type(key):
        case b"string":
            return await redis.get(key)
        case b"hash":
            return await redis.hgetall(key)
        case b"set":
            return await redis.smembers(key)
        case b"zset":
            return await redis.zrange(key, 0, -1, withscores=True)
        case b"list":
            return await redis.lrange(key, 0, -1)
        case kind:
            raise AssertionError(f"a key of a kind that nobody looks into: {kind!r}")
