"""Runs the shell commands that documents show against a real system, one after another in one shell."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.documents import ROOT, Block

if TYPE_CHECKING:
    from maillane_local.system import System

TIMEOUT_S = 110
PROGRAMS = ("curl",)
"""Programs of the documents' recipes that no dependency of ours brings along."""
_MARK = "@@@ block"


def run(system: "System", shown: Sequence[Block], folder: Path) -> list[str]:
    """Runs blocks in one bash, in a folder of their own; returns what each printed.

    Documents show the default addresses and data folder; they are replaced by those of the system. Blocks behind one
    that failed did not run, and are missing; what the failed one printed ends with its exit code.
    """
    require_programs(shown)
    _lay_out(system, folder)
    script = "set -euo pipefail\ntrap 'echo exit code $?' ERR\n" + "".join(
        f"echo '{_MARK}'\n{_here(system, block.text)}" for block in shown
    )
    return _output(["bash", "-E", "-c", script], folder).split(_MARK + "\n")[1:]


def require_programs(shown: Sequence[Block]) -> None:
    """Ends the test where a program is missing that people have and a bare machine may not: it proves nothing there."""
    for program in PROGRAMS:
        if any(re.search(rf"\b{program} ", block.text) for block in shown) and shutil.which(program) is None:
            pytest.fail(f"this needs {program}; install it (on Debian: apt-get install {program})", pytrace=False)


def run_python(system: "System", program: Block, folder: Path) -> str:
    """Runs a program in the same way; returns what it printed, also where it failed."""
    _lay_out(system, folder)
    return _output([sys.executable, "-c", _here(system, program.text)], folder)


def _output(command: list[str], folder: Path) -> str:
    return subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    ).stdout


def _lay_out(system: "System", folder: Path) -> None:
    """The folder looks like a checkout's root, as far as documents look at it."""
    (folder / ".maillane").symlink_to(system.folder.path)
    (folder / ".venv").symlink_to(Path(sys.prefix))
    (folder / "deploy").symlink_to(ROOT / "deploy")


def _here(system: "System", text: str) -> str:
    shown = {"8080": "gateway", "50051": "scheduler", "50052": "ratelimit", "50053": "sender", "1025": "smtp"}
    real = {port: system.urls[name].rpartition(":")[2] for port, name in shown.items()}
    shown_metrics = {"9151": "scheduler", "9152": "ratelimit", "9153": "sender", "9180": "gateway"}
    real |= {port: _port(system.metrics_urls[name]) for port, name in shown_metrics.items()}
    return re.sub(rf"\b({'|'.join(real)})\b", lambda found: real[found[0]], text)


def _port(url: str) -> str:
    return url.removesuffix("/metrics").rpartition(":")[2]
