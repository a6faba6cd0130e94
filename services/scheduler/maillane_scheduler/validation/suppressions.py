"""Rules of suppressions."""

from collections.abc import Sequence

from maillane_chassis.violations import Violations

from maillane_scheduler import addresses

# What one statement adds without holding others up; more come in several calls.
MAX_EMAILS = 1000


def emails(violations: Violations, given: Sequence[str]) -> list[str]:
    """The addresses to add, normalised."""
    violations.count("emails", given, 1, MAX_EMAILS, "address")
    return [email(violations, value, f"emails[{index}]") for index, value in enumerate(given[:MAX_EMAILS])]


def email(violations: Violations, value: str, field: str = "email") -> str:
    """One address, normalised; empty where it is none."""
    try:
        return addresses.normalise(value)
    except addresses.AddressError as error:
        violations.add(field, f"must be one address: it {error}")
        return ""
