"""Plants faults, one at a time, and runs the one test that must fail over each: the tests can fail (`make mutants`).

In a copy of the tree, so that whoever works in it meanwhile is not disturbed. First the tests must pass as the code is;
then every fault must make its test fail within a minute. The services' own test_mutants.py, whose faults are in scripts
and are found by the model tests, run last, with one line each in the table.

    python tests/mutants/run.py              all
    python tests/mutants/run.py lease refund  those with one of these words in their names
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parents[2]
FAULTS = Path(__file__).with_name("faults.toml")
IN_SCRIPTS = ("services/scheduler/tests/queue/test_mutants.py", "services/ratelimit/tests/test_mutants.py")
COPIED = (
    "conftest.py",
    "pyproject.toml",
    "deploy",
    "gateway/maillane_gateway",
    "gateway/tests",
    "protos/python",
    "services",
    "tests",
)
PACKAGES = (
    "deploy/local",
    "gateway",
    "protos/python",
    "services/chassis",
    "services/scheduler",
    "services/ratelimit",
    "services/redis_cluster",
    "services/sender",
)

WITHIN_S = 60
"""For a test to find its fault, servers and all."""

ALL_WITHIN_S = 900
"""For all tests at once, on the code as it is, and for those of the scripts."""

FAILED = 1
"""Pytest's exit code where tests ran, and some failed; others mean that none ran."""

HUNG = 124
"""As timeout(1) says it."""


@dataclass(frozen=True)
class Fault:
    """What is planted: `old`, which occurs once in the file, becomes `new`; and the test that must fail then."""

    fault: str
    file: str
    old: str
    new: str
    test: str


def main(words: Sequence[str]) -> None:
    """Prints the table, and exits 1 where a fault survived."""
    faults = [Fault(**row) for row in tomllib.loads(FAULTS.read_text())["fault"]]
    faults = [fault for fault in faults if not words or any(word in fault.fault for word in words)]
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        # Postgres, which does not run as root, must reach what lies here.
        Path(folder).chmod(0o755)
        tree = _copy(Path(folder))
        _check_unharmed(tree, faults)
        _row("caught", "s", "fault", "file", "test")
        survived = [fault.fault for fault in faults if not _is_caught(tree, fault)]
        survived += [] if words else _survivors_in_scripts(tree)
    if survived:
        sys.exit(f"mutants: survived: {'; '.join(survived)}")


def _copy(folder: Path) -> Path:
    tree = folder / "tree"
    tree.mkdir()
    ignored = shutil.ignore_patterns("__pycache__", ".*", "node_modules")
    for name in COPIED:
        source, target = ROOT / name, tree / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=ignored)
        else:
            shutil.copy(source, target)
    return tree


def _check_unharmed(tree: Path, faults: Sequence[Fault]) -> None:
    """Each fault applies, and its test passes without it: else that it fails would say nothing."""
    for fault in faults:
        if (tree / fault.file).read_text().count(fault.old) != 1:
            sys.exit(f"mutants: does not apply to the code any more: {fault.fault}")
    tests = sorted({fault.test for fault in faults})
    code, output = _pytest(tree, tests, ALL_WITHIN_S)
    if code:
        sys.exit(f"mutants: these must pass on the code as it is\n{output[-4000:]}")
    print(f"{len(faults)} faults; their {len(tests)} tests pass on the code as it is", flush=True)


def _is_caught(tree: Path, fault: Fault) -> bool:
    path = tree / fault.file
    right = path.read_text()
    begun = time.monotonic()
    path.write_text(right.replace(fault.old, fault.new))
    try:
        code, output = _pytest(tree, [fault.test], WITHIN_S)
    finally:
        path.write_text(right)
    caught = code == FAILED
    if code not in (0, FAILED):
        print(output[-2000:], flush=True)
    _row("yes" if caught else "NO", f"{time.monotonic() - begun:.0f}", fault.fault, fault.file, fault.test)
    return caught


def _survivors_in_scripts(tree: Path) -> list[str]:
    report = tree / "scripts.xml"
    _pytest(tree, [*IN_SCRIPTS, f"--junit-xml={report}"], ALL_WITHIN_S, at_once=False)
    cases = list(ElementTree.parse(report).iter("testcase"))
    for case in cases:
        name = case.get("name", "").partition("[")[2].rstrip("]")
        service = "queue" if "queue" in case.get("classname", "") else "counters"
        caught = case.find("failure") is None and case.find("error") is None
        _row("yes" if caught else "NO", f"{float(case.get('time', 0)):.0f}", name, f"{service}/lua", "the model test")
    return [
        case.get("name", "") for case in cases if case.find("failure") is not None or case.find("error") is not None
    ]


def _pytest(tree: Path, arguments: Sequence[str], within_s: float, *, at_once: bool = True) -> tuple[int, str]:
    """Runs tests of the copy, with its packages; returns the exit code and the output. What hangs has failed."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--timeout={within_s - 10:.0f}"]
    environment = os.environ | {"PYTHONPATH": ":".join(str(tree / package) for package in PACKAGES)}
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    try:
        done = subprocess.run(
            [*command, *(["-x"] if at_once else []), *arguments],
            cwd=tree,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=within_s + WITHIN_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        # Pytest's own limit should have ended it: on a machine that is this busy, it found nothing out.
        return HUNG, "it took too long"
    return done.returncode, done.stdout


def _row(caught: str, seconds: str, fault: str, file: str, test: str) -> None:
    name = test.rpartition("/")[2]
    print(f"{caught:<6}  {seconds:>3}  {fault:<58}  {file.rpartition('maillane_')[2]:<40}  {name}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
