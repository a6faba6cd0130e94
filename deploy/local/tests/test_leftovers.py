"""Processes of an earlier run whose supervisor was killed."""

import subprocess
import sys
from pathlib import Path

from maillane_local import leftovers
from maillane_local.data_folder import DataFolder

WAITING = [sys.executable, "-c", "import signal; signal.sigwait([signal.SIGUSR1])"]


async def test_what_an_earlier_run_left_is_ended(tmp_path: Path):
    """A noted process that still runs is ended, and named."""
    folder = DataFolder(tmp_path)
    with subprocess.Popen(WAITING) as process:
        leftovers.note(folder, {"sender": process.pid})

        assert await leftovers.end(folder) == ["sender"]


async def test_another_program_with_the_same_id_is_left_alone(tmp_path: Path):
    """Ids are given again: only the process that was noted is ended."""
    folder = DataFolder(tmp_path)
    with subprocess.Popen(WAITING) as process:
        folder.remember("processes", {"sender": [process.pid, 1.0]})

        assert (await leftovers.end(folder), process.poll()) == ([], None)
        process.kill()


async def test_nothing_noted_is_nothing_to_end(tmp_path: Path):
    """The first start of a folder ends nobody."""
    assert await leftovers.end(DataFolder(tmp_path)) == []
