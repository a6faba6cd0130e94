"""Small disks of a scenario's own, that can be filled and emptied: in a mount namespace that nobody else sees."""

import ctypes
import errno
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from support.programs import CannotRun

CLONE_NEWNS: Final = 0x20000
BLOCK: Final = bytes(64 * 1024)


class SmallDisk:
    """A mounted one."""

    def __init__(self, path: Path) -> None:
        self._ballast = path / "ballast"

    def fill(self) -> None:
        """Leaves no byte free."""
        with suppress(OSError), self._ballast.open("ab", buffering=0) as file:
            while file.write(BLOCK):
                pass

    def empty(self) -> None:
        """Gives the space back."""
        self._ballast.unlink()


@contextmanager
def small_disk(path: Path, megabytes: int) -> Iterator[SmallDisk]:
    """Mounts a disk of that size at a folder, which is made.

    Raises:
        CannotRun: that needs root.
    """
    _alone()
    path.mkdir(mode=0o755, parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "none", os.fspath(path)], check=True)
    try:
        yield SmallDisk(path)
    finally:
        # Lazily: what was killed a moment ago may still hold a file.
        subprocess.run(["umount", "-l", os.fspath(path)], check=True)


def _alone() -> None:
    """Moves this thread, and what it starts, into a mount namespace of its own."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) != 0:
        code = ctypes.get_errno()
        raise CannotRun("it needs root, for a disk of its own" if code == errno.EPERM else os.strerror(code))
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
