"""Which variables a campaign's recipients have: counted as they are imported, looked up where some lack one."""

from collections.abc import Mapping

from maillane_chassis.errors import FailedPrecondition, Violation
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from maillane_scheduler.campaign import Campaign
from maillane_scheduler.store import tables
from maillane_scheduler.validation.campaigns import needed_variables

# What an answer names of what is missing: enough to find the mistake, few enough to be found quickly (at worst a second
# a variable in a million recipients).
VARIABLES_NAMED = 5
LINES_NAMED = 5

_VARIABLES = tables.campaign_variables
_MESSAGES = tables.messages


async def add(connection: AsyncConnection, campaign_id: int, present: Mapping[str, int]) -> None:
    """Adds to how many recipients have each variable."""
    if not present:
        return
    # Sorted, so that rows are always locked in the same order.
    rows = [{"campaign_id": campaign_id, "name": name, "present": number} for name, number in sorted(present.items())]
    row = insert(_VARIABLES)
    raised = {"present": _VARIABLES.c.present + row.excluded.present}
    await connection.execute(row.on_conflict_do_update(index_elements=["campaign_id", "name"], set_=raised), rows)


async def check_present(connection: AsyncConnection, campaign: Campaign) -> None:
    """Sees that every recipient has every variable that the template needs.

    Raises:
        FailedPrecondition: VARIABLES_MISSING, with the variables and the first lines that lack each.
    """
    needed = needed_variables(campaign.plan.template)
    found = await connection.execute(
        select(_VARIABLES.c.name, _VARIABLES.c.present).where(
            _VARIABLES.c.campaign_id == campaign.id, _VARIABLES.c.name.in_(needed)
        )
    )
    present = {row.name: row.present for row in found}
    missing = [name for name in needed if present.get(name, 0) < campaign.counts.total]
    if not missing:
        return
    violations = [
        Violation(f"variables.{name}", await _lack(connection, campaign.id, name)) for name in missing[:VARIABLES_NAMED]
    ]
    raise FailedPrecondition(
        f"recipients lack variables that the template needs: {', '.join(missing)}"
        " (import them, or give the template a fallback: {{name|fallback}})",
        reason="VARIABLES_MISSING",
        violations=violations,
    )


async def _lack(connection: AsyncConnection, campaign_id: int, name: str) -> str:
    # An exact search in the text: keys stand in it as they are, followed by a colon, and a quote within a value is
    # always escaped.
    found = await connection.execute(
        select(_MESSAGES.c.line)
        .where(_MESSAGES.c.campaign_id == campaign_id, func.strpos(_MESSAGES.c.variables, f'"{name}":') == 0)
        .order_by(_MESSAGES.c.id)
        .limit(LINES_NAMED + 1)
    )
    lines = [str(row.line) for row in found]
    more = " and others" if len(lines) > LINES_NAMED else ""
    return f"missing in line{'s' * (len(lines) > 1)} {', '.join(lines[:LINES_NAMED])}{more}"
