"""What the protos say of their parts, by full name."""

import json
from functools import cache
from importlib.resources import files


@cache
def _all() -> dict[str, str]:
    loaded: dict[str, str] = json.loads(files(__package__).joinpath("comments.json").read_text("utf-8"))
    return loaded


def comment(full_name: str) -> str:
    """The comment of a service, method, message, field, enum or value; empty where there is none."""
    return _all().get(full_name, "")
