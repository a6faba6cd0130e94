"""Checks that requirements.lock has what members and development tools ask for, in versions that they accept."""

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^ ;]+)", re.MULTILINE)


def complaints() -> Iterator[str]:
    """What is asked for and not locked."""
    pinned = {
        canonicalize_name(name): version for name, version in PINNED.findall((ROOT / "requirements.lock").read_text())
    }
    for path in (ROOT / "pyproject.toml", *sorted(ROOT.glob("*/**/pyproject.toml"))):
        if any(part.startswith(".") for part in path.relative_to(ROOT).parts):
            continue
        for requirement in _requirements(path):
            name = canonicalize_name(requirement.name)
            if name.startswith("maillane"):
                continue
            if name not in pinned:
                yield f"{path.relative_to(ROOT)}: {requirement} is not in requirements.lock; run make lock"
            elif not requirement.specifier.contains(pinned[name], prereleases=True):
                yield f"{path.relative_to(ROOT)}: {requirement}, but {pinned[name]} is locked; run make lock"


def _requirements(path: Path) -> Iterator[Requirement]:
    content = tomllib.loads(path.read_text())
    for text in content.get("project", {}).get("dependencies", []):
        yield Requirement(text)
    for text in content.get("dependency-groups", {}).get("dev", []):
        yield Requirement(text)


if __name__ == "__main__":
    if found := list(complaints()):
        sys.exit("\n".join(found))
