import fcntl
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser
from support.programs import CannotRun

from . import chromium
from .house import DIST, House, Person, opened

FETCH_S = 600
"""For the UI's packages and the browser, which the first run fetches."""

Enters = Callable[..., Person]
"""Lets somebody in: enters("Ada"), enters("Ada", viewport=PHONE)."""


@pytest.fixture(scope="session")
def built() -> Path:
    """The folder of the UI as it is built; the browser is set up beside it."""
    build = chromium.ROOT / ".build"
    build.mkdir(exist_ok=True)
    # One worker after the other: who comes second finds all of it done.
    with (build / "web.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for command in (("tools/browser.sh",), ("tools/web.sh", "build")):
            done = subprocess.run(
                command, cwd=chromium.ROOT, capture_output=True, text=True, timeout=FETCH_S, check=False
            )
            if done.returncode:
                pytest.fail(done.stderr.strip(), pytrace=False)
    return DIST


@pytest.fixture(scope="session")
def house(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The system that a worker's tests share; each works in workspaces of its own."""
    with opened(tmp_path_factory.mktemp("web")) as house:
        yield house


@pytest.fixture(scope="module")
def browser(house: House) -> Iterator[Browser]:
    """One for a module, and no longer: while it is there, no event loop can run beside it."""
    try:
        with chromium.launched() as browser:
            yield browser
    except CannotRun as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture
def enters(house: House, browser: Browser) -> Iterator[Enters]:
    """People at browsers of their own, signed in; their pages must not have had any trouble."""
    people: list[Person] = []

    def enter(name: str, **look: Any) -> Person:
        person = Person(house, browser, name, **look)
        people.append(person)
        return person.signs_in()

    yield enter
    for person in people:
        person.leaves()
