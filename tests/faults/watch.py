"""What a system's processes hold and say while they are attacked."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from maillane_local.system import System

MIB: Final = 1024 * 1024
CRASHES: Final = frozenset({"rpc_crashed", "http_request_failed", "loop_failed", "delivery_failed"})
"""Events that only mistakes of ours write."""


def resident_mib(pid: int) -> float:
    """The memory of a process and of its children, in MiB."""
    total = _resident(pid)
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        total += _resident(int(child))
    return total / MIB


def forget_peak(pid: int) -> None:
    """From now on `peak_mib` is about what follows."""
    # proc(5): 5 resets the peak resident set size.
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def peak_mib(pid: int) -> float:
    """The most memory that a process held since its peak was forgotten, in MiB."""
    return int(Path(f"/proc/{pid}/status").read_text().split("VmHWM:")[1].split()[0]) / 1024


def log_entries(system: System, *parts: str) -> Iterator[dict[str, Any]]:
    """Entries of the logs of these parts (all, if none is named); lines that are no JSON have the key `line` only."""
    for path in sorted((system.folder.path / "log").glob("*.log")):
        if parts and path.stem not in parts:
            continue
        for line in path.read_text(errors="replace").splitlines():
            try:
                entry = json.loads(line[line.index("{") :])
            except ValueError:
                entry = {"line": line}
            yield {"part": path.stem, **entry}


def crashes(system: System) -> Counter[str]:
    """What the logs say of mistakes of ours: by part, event, method and kind of error."""
    found: Counter[str] = Counter()
    for entry in log_entries(system):
        fault = entry.get("event") == "rpc" and entry.get("code") in ("INTERNAL", "UNKNOWN", "DATA_LOSS")
        if fault or entry.get("event") in CRASHES or "Traceback" in entry.get("line", ""):
            words = (entry["part"], entry.get("event"), entry.get("method") or entry.get("route"), entry.get("error"))
            found[" ".join(str(word) for word in words if word)] += 1
    return found


def _resident(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) * 1024
