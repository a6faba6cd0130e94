"""Collects what is wrong with a request, so that one answer names it all."""

from difflib import get_close_matches

from google.protobuf.descriptor import Descriptor
from maillane_chassis.errors import InvalidArgument, Violation

MAX_FAULTS = 50
"""More help nobody, and a body of 2 MiB can hold 200,000."""

MAX_NAME_CHARS = 100
"""Names of fields that do not exist come from the client, of any length."""


class Faults:
    """Violations of one request, by field as the client wrote it: JSON names, from the root of what it sent."""

    def __init__(self) -> None:
        self._violations: list[Violation] = []

    def __len__(self) -> int:
        return len(self._violations)

    @property
    def full(self) -> bool:
        """Whether looking further is pointless."""
        return len(self) >= MAX_FAULTS

    def add(self, field: str, description: str) -> None:
        """Notes a bad field; beyond MAX_FAULTS it is dropped."""
        if not self.full:
            self._violations.append(Violation(shortened(field), description))

    def add_unknown(self, field: str, name: str, message: Descriptor) -> None:
        """Notes a name that `message` does not have, with the one that was probably meant."""
        close = get_close_matches(name[:MAX_NAME_CHARS], [each.json_name for each in message.fields], n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        self.add(field, f"is not a field of {message.name}{hint}")

    def raise_if_any(self) -> None:
        """Ends the request where something was noted.

        Raises:
            InvalidArgument: with all of it.
        """
        if self._violations:
            raise InvalidArgument(self._violations)


def shortened(name: str) -> str:
    """A name of the client's, at a length that can be shown, without what UTF-8 cannot carry."""
    safe = name.encode("utf-8", "replace").decode("utf-8")
    return safe if len(safe) <= MAX_NAME_CHARS else safe[: MAX_NAME_CHARS - 1] + "…"


def joined(path: str, name: str) -> str:
    """The path of a field inside `path`; the root's is empty."""
    return f"{path}.{name}" if path else name
