"""`make up`, as a process: what it says, restarts, leaves behind, and refuses."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
from maillane_local.settings import LocalSettings

# Seven processes start, some of them twice: half a minute each on a machine whose cores are all busy.
pytestmark = pytest.mark.timeout(300)

PATIENCE_S = 90


class Up:
    """A running `make up` (or `make demo`) on a data folder, and its log."""

    def __init__(self, data: Path, command: str = "up", **settings: str) -> None:
        self.data = data
        ports = {f"MAILLANE_{name.upper()}_PORT": "0" for name in LocalSettings().ports()}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "maillane_local", command],
            env={**os.environ, **ports, "MAILLANE_DATA": str(data), **settings},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    async def says(self, text: str) -> str:
        """Waits until it says something; returns all that it said until then."""
        said = ""
        async with asyncio.timeout(PATIENCE_S):
            while text not in said:
                assert self.process.stdout is not None
                line = await asyncio.to_thread(self.process.stdout.readline)
                assert line, f"it ended without saying {text!r}: {said}"
                said += line
        return said

    async def ends(self) -> tuple[int, str]:
        """Waits until it has ended: its exit code, and what else it said."""
        said, _ = await asyncio.wait_for(asyncio.to_thread(self.process.communicate), PATIENCE_S)
        return self.process.returncode, said

    def children(self) -> dict[str, psutil.Process]:
        noted = json.loads((self.data / "processes.json").read_text())
        return {name: psutil.Process(pid) for name, (pid, _) in noted.items()}


@pytest.fixture
async def up(tmp_path: Path) -> AsyncIterator[Up]:
    up = Up(tmp_path / "data")
    yield up
    if up.process.poll() is None:
        up.process.terminate()
        await up.ends()


async def test_it_says_where_everything_is_and_stops_in_order(up: Up):
    """The banner has the token; SIGTERM ends all children, and the exit code is 0."""
    said = await up.says("Ctrl-C stops it")
    token = (up.data / "token").read_text().strip()
    children = up.children()

    up.process.terminate()
    code, _ = await up.ends()

    assert (code, token in said, [name for name, child in children.items() if child.is_running()]) == (0, True, [])


async def test_ctrl_c_stops_it(up: Up):
    """SIGINT is a stop like any other: no traceback, nobody left, exit code 0."""
    await up.says("Ctrl-C stops it")
    children = up.children()

    up.process.send_signal(signal.SIGINT)
    code, said = await up.ends()

    left = [name for name, child in children.items() if child.is_running()]
    assert (code, "Traceback" in said, left) == (0, False, [])


async def test_a_dead_child_is_named_and_restarted(up: Up):
    """A part that was killed is reported by its name, and runs again."""
    await up.says("Ctrl-C stops it")

    up.children()["ratelimit"].kill()

    said = await up.says("ratelimit runs again")
    assert "ratelimit ended with signal SIGKILL" in said


async def test_a_killed_supervisor_leaves_nobody_and_starts_again(up: Up):
    """kill -9 of `make up` ends its children too; the next one starts on the same folder with the same token."""
    await up.says("Ctrl-C stops it")
    children = up.children()
    token = (up.data / "token").read_text()

    up.process.send_signal(signal.SIGKILL)
    await up.ends()
    again = Up(up.data)
    await again.says("Ctrl-C stops it")

    gone = not any(child.is_running() for child in children.values())
    assert (gone, (up.data / "token").read_text()) == (True, token)
    again.process.terminate()
    await again.ends()


async def test_a_port_in_use_is_one_line(tmp_path: Path):
    """Which port, which setting, and what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])

        code, said = await Up(tmp_path, MAILLANE_GATEWAY_PORT=port).ends()

    last = said.splitlines()[-1]
    assert (code, last.startswith(f"maillane: in use by another program: port {port} (MAILLANE_GATEWAY_PORT);")) == (
        1,
        True,
    )


async def test_a_second_instance_is_one_line(tmp_path: Path):
    """The folder that another system has is named."""
    first = Up(tmp_path)
    await first.says("starting")
    while not (tmp_path / "lock").exists():
        await asyncio.sleep(0.02)

    code, said = await Up(tmp_path).ends()

    assert (code, "another Maillane runs on" in said.splitlines()[-1]) == (1, True)
    first.process.terminate()
    await first.ends()


@pytest.mark.parametrize("command", ["up", "demo"])
@pytest.mark.parametrize("place", ["file", "file/data", "/proc/maillane"])
async def test_a_data_folder_that_cannot_be_written_is_one_line(tmp_path: Path, place: str, command: str):
    """Which, why, and how to name another; also where a file is in its place, and for whoever runs it."""
    (tmp_path / "file").touch()
    folder = tmp_path / place

    code, said = await Up(folder, command).ends()

    refusals = [line for line in said.splitlines() if line.startswith("maillane: ")]
    assert (code, "Traceback" in said) == (1, False)
    assert len(refusals) == 1
    assert refusals[0].startswith(f"maillane: the data folder {folder} cannot be written (")
    assert refusals[0].endswith("name another: MAILLANE_DATA=/path")


async def test_a_bad_setting_is_one_line(tmp_path: Path):
    """Which setting, and what is wrong with it."""
    code, said = await Up(tmp_path, MAILLANE_GATEWAY_PORT="http").ends()

    assert (code, said.count("\n"), said.startswith("maillane: MAILLANE_GATEWAY_PORT: ")) == (1, 1, True)
