"""One readable log of all processes."""

import json
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, TextIO

from maillane_local.service import LineSink

NAME_WIDTH: Final = 9
"""The longest name of a part."""

REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"
"""Stands for characters that could drive a terminal."""

MULTI_LINE: Final = ("exception", "stack")
"""Fields that hold several lines: they are shown below, not in, the line."""

HIDDEN: Final = ("timestamp", "level", "event", "service", *MULTI_LINE)
"""Fields that have a place of their own."""

COLOURS: Final = {"debug": "2", "warning": "33", "error": "31", "critical": "1;31"}
"""SGR codes by level; other levels stay plain."""


class Terminal:
    """Writes lines of many processes as one log: time, name, level, event, and what else was said."""

    def __init__(self, out: TextIO = sys.stdout) -> None:
        """Writes to `out`, in colours if it is a terminal."""
        self._out = out
        self._colours = out.isatty()
        # Lines come from one thread a process.
        self._lock = threading.Lock()

    def __call__(self, name: str, line: str) -> None:
        """Writes one line."""
        level, text = readable(line)
        colour = COLOURS.get(level) if self._colours else None
        shown = "\n".join(f"{name:<{NAME_WIDTH}} {part}" for part in text.splitlines() or [""])
        # A terminal that has gone must not stop anybody from being read: a full pipe would stop the process behind it.
        with self._lock, suppress(OSError):
            print(f"\x1b[{colour}m{shown}\x1b[0m" if colour else shown, file=self._out, flush=True)


def log_files(folder: Path) -> LineSink:
    """Makes what appends each process's lines to a file of its own in a folder, as they come.

    The folder is made with the first line: what it lies in is the data folder's affair, which may not be usable.
    """

    def append(name: str, line: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / f"{name}.log").open("a") as file:
            file.write(f"{line}\n")

    return append


def readable(line: str) -> tuple[str, str]:
    """A line of a log as its level and a text for people; what is not one of our JSON objects stays as it is."""
    try:
        entry = json.loads(line)
    except json.JSONDecodeError:
        return "info", printable(line)
    if not isinstance(entry, dict) or "event" not in entry:
        return "info", printable(line)
    level = str(entry.get("level", "info"))
    time_of_day = str(entry.get("timestamp", ""))[11:23]
    values = "".join(f"  {key}={_value(value)}" for key, value in entry.items() if key not in HIDDEN)
    first = f"{time_of_day:<12} {level:<7} {printable(str(entry['event']))}{values}"
    return level, "\n".join([first, *_below(entry)])


def printable(text: str) -> str:
    """The text without what could drive a terminal."""
    return "".join(c if c.isprintable() or c == "\t" else REPLACEMENT for c in text)


def _below(entry: Mapping[str, object]) -> list[str]:
    texts = (str(entry[key]) for key in MULTI_LINE if entry.get(key))
    return [f"    {printable(line)}" for text in texts for line in text.splitlines()]


def _value(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return printable(json.dumps(text, ensure_ascii=False) if " " in text or not text else text)
