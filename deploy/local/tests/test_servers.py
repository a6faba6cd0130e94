"""The embedded servers: they start, survive, and end with us."""

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from maillane_local import postgres as postgres_module
from maillane_local.errors import LocalError
from maillane_local.ports import free_port
from maillane_local.postgres import Postgres
from maillane_local.valkey import Valkey
from redis.asyncio import Redis


async def test_what_postgres_committed_survives_a_kill(tmp_path: Path):
    """A killed Postgres comes back with what was committed."""
    server = Postgres(tmp_path / "postgres", password="p", settings={"fsync": "off"})
    await server.start()
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")

    await server.kill()
    await server.start()

    with psycopg.connect(server.url()) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)
    await server.stop()


@pytest.mark.usefixtures("postgres")
async def test_postgres_wants_its_password(postgres: Postgres):
    """Without the password nobody connects."""
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(postgres.url().replace("of-tests", "wrong"))


async def test_a_cluster_whose_making_was_interrupted_is_made_again(tmp_path: Path):
    """Left-overs of an initdb that did not end do not stop the next start."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "base").touch()
    server = Postgres(tmp_path, password="p", settings={"fsync": "off"})

    await server.start()

    assert server.exit_code() is None
    await server.stop()


async def test_copied_binaries_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Where root's checkout lets nobody in, Postgres runs by a copy of its programs, which find their libraries."""
    monkeypatch.setattr(postgres_module, "BINARIES_COPY", tmp_path)

    binaries = postgres_module._copied_binaries(postgres_module._installed_binaries())

    assert b"18." in subprocess.check_output([binaries / "postgres", "--version"])


async def test_what_valkey_wrote_survives_a_restart(tmp_path: Path):
    """A stopped Valkey comes back, on the same port, with what was written."""
    server = Valkey(tmp_path, password="p")
    await server.start()
    async with Redis.from_url(server.url) as client:
        await client.set("kept", 42)

    await server.stop()
    await server.start()

    async with Redis.from_url(server.url) as client:
        assert await client.get("kept") == b"42"
    await server.stop()


async def test_a_port_in_use_is_said_in_one_line(valkey: Valkey, tmp_path: Path):
    """Valkey on a port that is taken names its log and the reason."""
    server = Valkey(tmp_path, port=valkey.port)

    with pytest.raises(LocalError, match=r"valkey\.log says: .*(bind|listen)"):
        await server.start()


async def test_children_of_a_killed_parent_end(tmp_path: Path):
    """kill -9 of whoever started a server ends the server too."""
    port = free_port()
    program = (
        "import asyncio, pathlib, sys, time\n"
        "from maillane_local.valkey import Valkey\n"
        f"server = Valkey(pathlib.Path({str(tmp_path)!r}), port={port})\n"
        "asyncio.run(server.start())\n"
        "print(server.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())

    parent.send_signal(signal.SIGKILL)
    parent.communicate()

    async with asyncio.timeout(10):
        while Path(f"/proc/{child}").exists():
            await asyncio.sleep(0.02)
