"""Makes protos/python/maillane/*/v1 from protos/maillane, by buf with plugins of this machine only.

Without an argument the generated modules are replaced. `--check` says what is out of date and changes nothing;
`--format` formats the protos; `--stage` only lays out what `buf lint` and others need.
"""

import argparse
import filecmp
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUF = ROOT / ".venv/bin/buf"
GENERATED = ROOT / "protos/python"
BUILD = ROOT / ".build"
GOOGLE = BUILD / "googleapis"
FRESH = BUILD / "generated"

GOOGLE_PROTOS = (
    "google/api/annotations.proto",
    "google/api/field_behavior.proto",
    "google/api/http.proto",
    "google/api/httpbody.proto",
)
"""What our protos may import from Google's; google/protobuf comes with buf."""

PATTERN = "maillane/*/v*/*_pb2*.py*"
"""The generated modules and their stubs, below protos/python."""


def stage_google(target: Path = GOOGLE) -> None:
    """Copies Google's protos out of the googleapis-common-protos wheel, as buf wants each module in one folder."""
    spec = find_spec("google.api")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("protos: googleapis-common-protos is not installed; run make setup")
    package = Path(next(iter(spec.submodule_search_locations)))
    for name in GOOGLE_PROTOS:
        copy = target / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(package.parent.parent / name, copy)


def generate(out: Path) -> None:
    """Generates everything into `out`, which is emptied of generated modules first."""
    for stale in out.glob(PATTERN):
        stale.unlink()
    out.mkdir(parents=True, exist_ok=True)
    _buf("generate", "--output", str(out))
    for stub in out.glob("maillane/*/v*/*_pb2_grpc.pyi"):
        # mypy-protobuf writes one for every file; without a service there is no module for it to describe.
        if not stub.with_suffix(".py").exists():
            stub.unlink()


def outdated() -> list[str]:
    """Names the generated modules that differ from what the protos make now, missing and left-over ones included."""
    generate(FRESH)
    names = {path.relative_to(tree).as_posix() for tree in (FRESH, GENERATED) for path in tree.glob(PATTERN)}
    _, differing, missing = filecmp.cmpfiles(FRESH, GENERATED, names, shallow=False)
    return sorted(differing + missing)


def _buf(*arguments: str) -> None:
    completed = subprocess.run([BUF, *arguments], cwd=ROOT, check=False)
    if completed.returncode:
        raise SystemExit(completed.returncode)


def main() -> None:
    """Does what the one flag says."""
    parser = argparse.ArgumentParser(description=__doc__)
    group = parser.add_mutually_exclusive_group()
    for flag in ("--check", "--format", "--stage"):
        group.add_argument(flag, action="store_true")
    wanted = parser.parse_args()
    stage_google()
    if wanted.format:
        _buf("format", "--write", "protos")
    elif wanted.check:
        if names := outdated():
            sys.exit("protos: out of date, run make proto:\n  " + "\n  ".join(names))
    elif not wanted.stage:
        generate(GENERATED)


if __name__ == "__main__":
    main()
