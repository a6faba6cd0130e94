"""Prints the part of requirements.lock that one deployable needs: `requirements.py sender`.

The lock says of each package who asked for it (`# via`). What a member, or a member that it depends on, asked for, and
what these packages ask for in turn, is its part: with the same versions and hashes, and nothing more. An image is built
from that, so that a sender holds no client of any store. Only the standard library is used: it runs before anything is
installed.
"""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "requirements.lock"

_NAME = re.compile(r"[A-Za-z0-9._-]+")
_VIA = re.compile(r"^ +#(?: via)?\s+([A-Za-z0-9._-]+)$", re.MULTILINE)


def part_of(lock: str, asking: set[str]) -> str:
    """The entries of a lock that these names asked for, and what those asked for, in the lock's order."""
    entries = {_NAME.match(entry)[0]: entry for entry in _entries(lock)}  # type: ignore[index] # starts with its name
    askers = {name: set(_VIA.findall(entry)) for name, entry in entries.items()}
    needed = set(asking)
    while found := {name for name, by in askers.items() if name not in needed and by & needed}:
        needed |= found
    return "".join(entry for name, entry in entries.items() if name in needed)


def members(name: str) -> set[str]:
    """A member of this repository and the members that it depends on, by their distributions' names."""
    projects = {
        project["name"]: project
        for path in (
            *ROOT.glob("services/*/pyproject.toml"),
            *ROOT.glob("*/pyproject.toml"),
            *ROOT.glob("protos/*/pyproject.toml"),
        )
        for project in (tomllib.loads(path.read_text())["project"],)
    }
    found: set[str] = set()
    waiting = [f"maillane-{name}"]
    while waiting:
        member = waiting.pop()
        if member not in found:
            found.add(member)
            asked = (_NAME.match(each) for each in projects[member]["dependencies"])
            waiting += [match[0] for match in asked if match and match[0] in projects]
    return found


def _entries(lock: str) -> list[str]:
    return [entry for entry in re.split(r"^(?=\S)", lock, flags=re.MULTILINE) if _NAME.match(entry)]


if __name__ == "__main__":
    sys.stdout.write(part_of(LOCK.read_text(), members(sys.argv[1])))
