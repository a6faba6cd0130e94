"""Programs that tests run beside the system, and that no registry of Python has: out of Debian's packages.

They are unpacked beside the build; nothing is installed, and no daemon started.
"""

import asyncio
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from maillane_local.ports import LOOPBACK

FETCH_S: Final = 120
START_S: Final = 15.0

_BUILD: Final = Path(__file__).resolve().parents[2] / ".build"


class CannotRun(Exception):
    """This machine lacks what is needed; its text says what."""


def unpacked(package: str, what: str) -> Path:
    """The folder of a package's files, which is fetched where it is not there yet.

    Args:
        what: of it is needed, for the error.

    Raises:
        CannotRun: it cannot be had.
    """
    folder = _BUILD / package
    files = folder / "files"
    if files.exists():
        return files
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        raise CannotRun(f"{what} (Debian: {package}) is not installed")
    # Begun anew: what was cut off in the middle is of no use.
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        _do(folder, "apt-get", "download", package)
        (archive,) = folder.glob("*.deb")
        _do(folder, "dpkg-deb", "-x", archive.name, "unpacked")
    except (subprocess.SubprocessError, ValueError) as error:
        raise CannotRun(f"{what} is not installed, and apt-get does not bring it: {error}") from error
    (folder / "unpacked").rename(files)
    return files


def postfix_program(name: str) -> tuple[str, Mapping[str, str]]:
    """Where a program of Postfix is, with the environment that it needs: the machine's, or out of Debian's package.

    Raises:
        CannotRun: it is not installed, and the package cannot be had.
    """
    if installed := shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin"):
        return installed, dict(os.environ)
    files = unpacked("postfix", name)
    return str(files / "usr/sbin" / name), {**os.environ, "LD_LIBRARY_PATH": str(files / "usr/lib/postfix")}


async def listening(port: int) -> None:
    """Waits until something on this machine listens.

    Raises:
        TimeoutError: nothing does.
    """
    async with asyncio.timeout(START_S):
        while True:
            try:
                _, writer = await asyncio.open_connection(LOOPBACK, port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.transport.abort()
                return


def _do(folder: Path, *command: str) -> None:
    subprocess.run(command, cwd=folder, capture_output=True, timeout=FETCH_S, check=True)
