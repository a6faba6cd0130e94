"""Loads the queue's Lua commands.

A command is `lua/<name>.lua`. What the server gets is that file behind `lua/touch.lua`, which checks the sentinel and
is the only place that writes index scores. A server knows a script by its SHA1; redis-py sends the source again to one
that does not (a new one, or after SCRIPT FLUSH).
"""

from functools import cache
from importlib.resources import files

COMMANDS = (
    "adopt",
    "cancel_campaign",
    "claim",
    "clear_lane",
    "configure_gate",
    "configure_lane",
    "confirm",
    "due",
    "enqueue",
    "expired",
    "extend",
    "flight",
    "forget",
    "lane_size",
    "park",
    "remove_gate",
    "restore_service",
    "set_campaign",
    "settle",
    "unserve",
)


@cache
def sources() -> dict[str, str]:
    """Each command's source as the server runs it, by the command's name."""
    folder = files(__package__) / "lua"
    touch = (folder / "touch.lua").read_text()
    return {name: assemble(touch, (folder / f"{name}.lua").read_text()) for name in COMMANDS}


def assemble(touch: str, command: str) -> str:
    """A command behind the shared part, with the command's flags on the first line.

    Raises:
        ValueError: the command does not begin with `#!lua`. Without that line the server runs it by the rules of old,
            under which a full memory stops a script half-way through its writes.
    """
    flags, _, body = command.partition("\n")
    if not flags.startswith("#!lua"):
        raise ValueError("a command of the queue begins with #!lua and its flags")
    return f"{flags}\n{touch}\n{body}"
