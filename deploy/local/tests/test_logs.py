"""The one readable log."""

import io
import json

from maillane_local.logs import Terminal, readable


def test_an_entry_becomes_a_line():
    """Time, level and event first, the rest as key=value."""
    entry = {"timestamp": "2030-01-01T12:34:56.789012Z", "level": "info", "event": "rpc", "service": "x", "code": "OK"}

    assert readable(json.dumps(entry)) == ("info", "12:34:56.789 info    rpc  code=OK")


def test_values_with_spaces_are_quoted():
    """A value ends where it ends."""
    assert readable('{"event": "lost", "why": "by \\"peer\\""}')[1].endswith('  why="by \\"peer\\""')


def test_a_traceback_stands_below():
    """Lines of an exception keep their own lines."""
    entry = {"event": "failed", "level": "error", "exception": "Traceback:\n  File"}

    assert readable(json.dumps(entry))[1].splitlines()[1:] == ["    Traceback:", "      File"]


def test_other_lines_stay():
    """What is not an entry is shown as it is."""
    assert readable("Traceback (most recent call last):") == ("info", "Traceback (most recent call last):")


def test_nothing_drives_the_terminal():
    """Control characters that a log holds are not sent on."""
    out = io.StringIO()
    Terminal(out)("sender", '{"event": "\\u001b[2J"}')
    Terminal(out)("sender", "\x1b]0;title\x07")

    assert "\x1b" not in out.getvalue()


def test_each_line_has_its_name():
    """Whose line it is stands before it, also before the second of a traceback."""
    out = io.StringIO()
    Terminal(out)("sender", '{"event": "failed", "exception": "one"}')

    assert all(line.startswith("sender    ") for line in out.getvalue().splitlines())
