"""The whole system, over real processes: it starts, delivers, and goes on where it stopped."""

import csv
import io
from importlib.resources import files
from pathlib import Path

import httpx
import pytest
from maillane_local import demo as demo_module
from maillane_local.demo import Demo
from maillane_local.system import System
from rich.console import Console
from support.system import StartSystem

# Seven processes start, some of them twice: half a minute each on a machine whose cores are all busy.
pytestmark = pytest.mark.timeout(300)

PARTS = {"valkey", "postgres", "ratelimit", "scheduler", "sender", "gateway", "catcher"}


def sample_recipients() -> list[str]:
    text = files("maillane_local").joinpath("sample.csv").read_text()
    return [row["email"] for row in csv.DictReader(io.StringIO(text))]


def public_api(system: System) -> httpx.AsyncClient:
    headers = {"authorization": f"Bearer {system.token}"}
    return httpx.AsyncClient(base_url=system.urls["gateway"], headers=headers, timeout=30)


def test_everything_runs(system: System):
    """All parts were started, and none has ended."""
    assert (set(system.pids), system.dead()) == (PARTS, {})


async def test_the_sender_knows_no_store(system: System):
    """The sender's environment holds no credential of a store."""
    told = Path(f"/proc/{system.pids['sender']}/environ").read_text()

    assert not any(secret in told for secret in (system.postgres_url, system.redis_url, system.secrets.secret_key))


async def test_the_demo_delivers_its_mails_in_order(system: System, monkeypatch):
    """A hundred mails reach the catcher, in the order of the file; nothing but the public API was used."""
    # Far enough apart that a busy machine does not have two of them on their way at once.
    monkeypatch.setattr(demo_module, "DELAY", "0.05s")
    async with public_api(system) as client, httpx.AsyncClient(base_url=system.urls["catcher"]) as catcher:
        await Demo(client, system.urls, Console(file=io.StringIO())).run()
        caught = (await catcher.get("/api/messages?limit=2000")).json()["messages"]

    from_demo = [mail["recipients"][0] for mail in reversed(caught) if mail["sender"] == demo_module.ADDRESS]
    assert from_demo == sample_recipients()


async def test_a_second_start_goes_on_where_the_first_stopped(tmp_path: Path):
    """Mailboxes, token and secrets are there again."""
    async with System(tmp_path) as first, public_api(first) as client:
        body = {"address": "kept@example.com", "smtp": {"host": "127.0.0.1", "port": 2525, "security": "SECURITY_NONE"}}
        (await client.post("/v1/mailboxes", json=body)).raise_for_status()

    async with System(tmp_path) as second, public_api(second) as client:
        listed = (await client.get("/v1/mailboxes")).json()

    assert [mailbox["address"] for mailbox in listed["mailboxes"]] == ["kept@example.com"]


async def test_every_part_comes_back_after_a_crash(start_system: StartSystem):
    """Each part is killed and started again, on the ports that it had."""
    system = await start_system()
    for name in PARTS:
        await system.kill(name)
        await system.restart(name)

    assert system.dead() == {}
