"""The scripts as Redis gets them: a header with their flags, what they share, and their own file from lua/."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_PARTS: Final = {
    "reserve": ("epoch", "window", "reservation", "reserve"),
    "refund": ("epoch", "reservation", "refund"),
    "usage": ("epoch", "window", "usage"),
    "restore": ("epoch", "restore"),
}

_FLAGS: Final = {
    # With allow-oom: the queue may lie in the same Redis, and only what is sent makes room there. Without, a full one
    # would be full for ever. What they take is bounded: a reservation a claim, of messages that are there already.
    "reserve": " flags=allow-oom",
    "restore": " flags=allow-oom",
    "refund": " flags=allow-oom",
    "usage": " flags=no-writes",
}


def read_sources() -> dict[str, str]:
    """The files of lua/, by their names without the suffix."""
    folder = resources.files(__package__) / "lua"
    names = {part for parts in _PARTS.values() for part in parts}
    return {name: (folder / f"{name}.lua").read_text(encoding="utf-8") for name in names}


def assemble(sources: Mapping[str, str]) -> dict[str, str]:
    """The whole scripts, by name."""
    return {
        name: "\n".join((f"#!lua{_FLAGS[name]}", *(sources[part] for part in parts))) for name, parts in _PARTS.items()
    }
