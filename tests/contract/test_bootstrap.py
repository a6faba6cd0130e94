"""`tools/bootstrap.sh` on machines that lack something: one line that says what. On this one it has run already."""

import shutil
import subprocess
from pathlib import Path

import pytest
from support.documents import ROOT

OLD = """#!/bin/sh
[ "$1" = --version ] && echo Python 3.9.2 && exit 0
exit 1
"""
WITHOUT_PIP = """#!/bin/sh
[ "$1" = --version ] && echo Python 3.13.0 && exit 0
[ "$1" = -m ] && echo "no module named pip" >&2 && exit 1
exit 0
"""
WITHOUT_NETWORK = """#!/bin/sh
[ "$1" = --version ] && echo Python 3.13.0 && exit 0
[ "$3" = install ] && echo "$@" >>pip.arguments && echo "ERROR: no route" >&2 && exit 1
exit 0
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """As much of a fresh checkout as the script looks at."""
    shutil.copytree(ROOT / "tools", tmp_path / "tools")
    shutil.copy(ROOT / "requirements.lock", tmp_path)
    for project in ROOT.glob("**/pyproject.toml"):
        target = tmp_path / project.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(project, target)
    return tmp_path


def bootstrap(checkout: Path, python: str) -> tuple[int, list[str]]:
    """Its exit code and what it says, with this Python: the text of a program, or a path."""
    if python.startswith("#!"):
        stub = checkout / "python"
        stub.write_text(python)
        stub.chmod(0o755)
        python = str(stub)
    done = subprocess.run(
        [checkout / "tools/bootstrap.sh"],
        env={"PATH": "/usr/bin:/bin", "PYTHON": python},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert not done.stdout
    return done.returncode, done.stderr.splitlines()


def test_a_python_that_is_too_old_is_one_line(checkout: Path) -> None:
    """What is needed, what was found, and how to name another."""
    said = "bootstrap: Maillane needs Python 3.11 or newer; found: Python 3.9.2. Install one, or name it: make PYTHON="

    code, [line] = bootstrap(checkout, OLD)

    assert (code, line.startswith(said)) == (1, True)


def test_no_python_at_all_is_one_line(checkout: Path) -> None:
    """In our words, not in the shell's."""
    code, [line] = bootstrap(checkout, "/nowhere/python3")

    assert (code, "found: no /nowhere/python3." in line) == (1, True)


def test_a_python_without_pip_is_one_line(checkout: Path) -> None:
    """With the package that has it."""
    code, [_, line] = bootstrap(checkout, WITHOUT_PIP)

    said = "bootstrap: this Python has no pip; install it (on Debian: apt-get install python3-pip)"
    assert (code, line) == (1, said)


def test_pip_says_errors_and_no_warnings(checkout: Path) -> None:
    """Quiet twice is that; and behind pip's own error stands ours."""
    code, [_, error, line] = bootstrap(checkout, WITHOUT_NETWORK)

    arguments = (checkout / "pip.arguments").read_text().split()
    assert (code, error) == (1, "ERROR: no route")
    assert line == "bootstrap: uv could not be installed; is there a network?"
    assert arguments.count("--quiet") == 2
