"""The browser of these tests: the one that npm brings for Linux on x86-64, elsewhere one that is installed."""

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, expect, sync_playwright
from support.programs import CannotRun

ROOT: Final = Path(__file__).resolve().parents[2]
FOLDER: Final = ROOT / ".build/browser"
"""Where tools/browser.sh sets it up."""

PATIENCE_MS: Final = 20_000
"""For whatever should be seen: far above what it takes, for a busy machine."""

ARGUMENTS: Final = (
    "--no-sandbox",  # tests run as root, too, and open nothing but our own pages
    "--disable-gpu",
    "--font-render-hinting=none",
)

INSTALLED: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
ON_A_MAC: Final = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")

_FONTS: Final = """\
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{folder}/fonts</dir><cachedir>{folder}/fonts-cache</cachedir></fontconfig>
"""


@contextmanager
def launched() -> Iterator[Browser]:
    """A browser, until the body has ended.

    Raises:
        CannotRun: there is none.
    """
    expect.set_options(timeout=PATIENCE_MS)
    program, environment = found()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=list(ARGUMENTS), env={**os.environ, **environment}
        )
        try:
            yield browser
        finally:
            browser.close()


def found() -> tuple[Path, dict[str, str | float | bool]]:
    """Where the browser is, and the environment that it needs.

    Raises:
        CannotRun: there is none.
    """
    if sys.platform == "linux" and platform.machine() == "x86_64":
        # Its own libraries, so that a bare machine will do, and its own font, so that pictures are the same everywhere.
        (FOLDER / "fonts.conf").write_text(_FONTS.format(folder=FOLDER))
        return FOLDER / "chromium", {"LD_LIBRARY_PATH": str(FOLDER / "lib"), "FONTCONFIG_PATH": str(FOLDER)}
    for name in INSTALLED:
        if program := shutil.which(name):
            return Path(program), {}
    if ON_A_MAC.exists():
        return ON_A_MAC, {}
    raise CannotRun("there is no browser: install Chromium or Chrome (Debian: apt-get install chromium)")
