"""Clocks that are wrong, by libfaketime: of a process, and of those that inherit our environment."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from support.programs import unpacked

INSTALLED: Final = Path("/usr/lib")
LIBRARY: Final = "*/faketime/libfaketimeMT.so.1"


class WrongClock:
    """A wall clock that is off by what was set last. What measures durations (the monotonic clock) stays right."""

    def __init__(self, folder: Path) -> None:
        """A right one, for now.

        Raises:
            CannotRun: libfaketime is not installed, and cannot be had.
        """
        # A copy that Postgres can reach, wherever this checkout lies.
        library = shutil.copy(_library(), folder)
        self._file = folder / "offset"
        self.set("+0")
        self.environment: dict[str, Any] = {
            "LD_PRELOAD": os.fspath(library),
            "FAKETIME_TIMESTAMP_FILE": os.fspath(self._file),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def set(self, offset: str) -> None:
        """From now on the clock is off by so much: "+2h", "-1h", "+0"; read within a second."""
        staged = self._file.with_suffix(".new")
        staged.write_text(offset + "\n")
        staged.chmod(0o644)
        staged.replace(self._file)


def _library() -> Path:
    found = sorted(INSTALLED.glob(LIBRARY))
    return found[0] if found else next((unpacked("libfaketime", "libfaketime") / "usr/lib").glob(LIBRARY))


@contextmanager
def wrong_clock() -> Iterator[WrongClock]:
    """A clock whose file anybody may read, for Postgres runs as somebody else."""
    folder = Path(tempfile.mkdtemp(prefix="maillane-clock-"))
    try:
        folder.chmod(0o755)
        yield WrongClock(folder)
    finally:
        shutil.rmtree(folder)


@contextmanager
def inherited(environment: dict[str, str], program: str) -> Iterator[None]:
    """Puts a clock into our own environment, for one program among those that are started meanwhile."""
    added = {**environment, "FAKETIME_ONLY_CMDS": program}
    before = {name: os.environ.get(name) for name in added}
    os.environ.update(added)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
