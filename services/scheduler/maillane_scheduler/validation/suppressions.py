"""Rules of suppressions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from maillane.scheduler.v1 import suppression_service_pb2 as pb
from maillane_chassis.violations import Violations

from maillane_scheduler import addresses
from maillane_scheduler.states import SuppressionReason
from maillane_scheduler.validation.recipients import SHOWN, Rejection

# What one statement adds without holding others up; more come in several calls.
MAX_EMAILS = 1000
# Of a chunk of an import: as many recipients come in one.
MAX_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class Filters:
    """Which addresses; empty and None: whichever."""

    query: str = ""
    reason: SuppressionReason | None = None


def filters(violations: Violations, request: pb.ListSuppressionsRequest) -> Filters:
    """The filters of a list."""
    violations.text("query", request.query, high=addresses.MAX_ADDRESS)
    reasons = {int(reason): f"SUPPRESSION_REASON_{reason.name}" for reason in SuppressionReason}
    known = not request.reason or violations.member("reason", request.reason, reasons) in reasons
    return Filters(request.query, SuppressionReason(request.reason) if request.reason and known else None)


@dataclass(slots=True)
class Checked:
    """A chunk: normalised addresses in their order, none twice, in whatever case, and what was left out."""

    emails: list[str] = field(default_factory=list)
    duplicates: int = 0
    rejected: list[Rejection] = field(default_factory=list)


def rows(given: Iterable[pb.SuppressionRow], place: int) -> Checked:
    """Checks a chunk whose first row is the one behind `place`."""
    checked, seen = Checked(), set[str]()
    for number, row in enumerate(given, place + 1):
        try:
            address = addresses.normalise(row.email)
        except addresses.AddressError as error:
            reason = f"is not one address: it {error}" if row.email else "has no address"
            checked.rejected.append(Rejection(row.line if row.line > 0 else number, row.email[:SHOWN], reason))
            continue
        if address.lower() in seen:
            checked.duplicates += 1
        else:
            seen.add(address.lower())
            checked.emails.append(address)
    return checked


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
