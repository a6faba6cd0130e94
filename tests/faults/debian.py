"""What Debian packages and no registry of Python has: unpacked beside the build, not installed, no daemon started."""

import shutil
import subprocess
from pathlib import Path
from typing import Final

from .scenario import CannotRun

FETCH_S: Final = 120

_BUILD: Final = Path(__file__).resolve().parents[2] / ".build"


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


def _do(folder: Path, *command: str) -> None:
    subprocess.run(command, cwd=folder, capture_output=True, timeout=FETCH_S, check=True)
