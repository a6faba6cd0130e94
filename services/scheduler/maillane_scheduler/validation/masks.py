"""Which fields an update changes."""

from collections.abc import Iterable, Mapping

from maillane_chassis.violations import Violations

FIELD = "update_mask"


def changed(violations: Violations, paths: Iterable[str], known: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """The fields that the paths of a mask name; a path of a message names all that is in it.

    A path that is not known, and a mask without paths, are violations.
    """
    fields: set[str] = set()
    empty = True
    for path in paths:
        empty = False
        if path not in known:
            violations.add(FIELD, f"must name only {', '.join(known)}")
            break
        fields |= known[path]
    if empty:
        violations.add(FIELD, f"must name at least one of {', '.join(known)}")
    return frozenset(fields)


def leaves(*names: str) -> dict[str, frozenset[str]]:
    """Paths that name one field each, by that name."""
    return {name: frozenset((name.rpartition(".")[2],)) for name in names}
