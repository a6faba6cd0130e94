"""Loads the queue's Lua commands.

A command is `lua/<name>.lua`. What the server gets is that file behind `lua/touch.lua`, which checks the sentinel and
is the only place that writes index scores, and behind the parts that it shares with others. A server knows a script by
its SHA1; redis-py sends the source again to one that does not (a new one, or after SCRIPT FLUSH).
"""

from functools import cache
from importlib.resources import files

# Each command, with the parts beside touch.lua that it is made of, in their order.
COMMANDS: dict[str, tuple[str, ...]] = {
    "adopt": (),
    "cancel_campaign": (),
    "claim": ("taking",),
    "clear_lane": (),
    "configure_gate": (),
    "configure_lane": (),
    "confirm": (),
    "due": ("offers",),
    "enqueue": (),
    "expired": (),
    "extend": (),
    "flight": (),
    "forget": (),
    "free_campaign": (),
    "lane_size": (),
    "park": (),
    "place": (),
    "remove_gate": (),
    "restore_service": (),
    "set_campaign": (),
    "settle": ("leaving",),
    "standing": (),
    "tally": (),
    "turn": ("leaving", "offers", "taking"),
    "unserve": (),
    "waiting": (),
}


@cache
def sources() -> dict[str, str]:
    """Each command's source as the server runs it, by the command's name."""
    folder = files(__package__) / "lua"

    def read(*names: str) -> str:
        return "\n".join((folder / f"{name}.lua").read_text() for name in names)

    return {name: assemble(read("touch", *parts), read(name)) for name, parts in COMMANDS.items()}


def assemble(shared: str, command: str) -> str:
    """A command behind the shared parts, with the command's flags on the first line.

    Raises:
        ValueError: the command does not begin with `#!lua`. Without that line the server runs it by the rules of old,
            under which a full memory stops a script half-way through its writes.
    """
    flags, _, body = command.partition("\n")
    if not flags.startswith("#!lua"):
        raise ValueError("a command of the queue begins with #!lua and its flags")
    return f"{flags}\n{shared}\n{body}"
