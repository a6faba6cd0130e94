"""A workspace with something of everything: for pictures, and for tests that look at every screen."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from playwright.sync_api import expect

from .house import DROPPED, REFUSED, Person

_FIRST: Final = (
    *("Ada", "Bruno", "Chiara", "Dmitri", "Elif", "Farid", "Greta", "Hugo", "Ines", "Jonah", "Kemal", "Lena"),
    *(
        "Marta",
        "Nils",
        "Olga",
        "Pavel",
        "Qi",
        "Rosa",
        "Sven",
        "Tariq",
        "Ulla",
        "Viktor",
        "Wanda",
        "Ximena",
        "Yusuf",
        "Zoe",
    ),
)
_LAST: Final = (
    *("Abara", "Bergmann", "Costa", "Dufour", "Eriksen", "Fontana", "Gruber", "Haddad", "Ito", "Jensen", "Kowalska"),
    *(
        "Lindqvist",
        "Moreau",
        "Novak",
        "Okafor",
        "Petrov",
        "Quispe",
        "Rossi",
        "Sato",
        "Tanaka",
        "Urban",
        "Vogel",
        "Weiss",
    ),
)
_COMPANIES: Final = ("Northwind Freight", "Brightmoor", "Halden Cold Chain", "Portline", "Minato Logistics")


def people(count: int, first: int = 0) -> list[dict[str, str]]:
    """So many recipients, the same each time; others from another `first` on."""
    found = []
    for n in range(first, first + count):
        name, last = _FIRST[n % len(_FIRST)], _LAST[n * 7 % len(_LAST)]
        company = _COMPANIES[n % len(_COMPANIES)]
        host = company.split()[0].lower()
        email = f"{name}.{last}{n // len(_FIRST) or ''}@{host}.example".lower()
        found.append({"email": email, "first_name": name, "last_name": last, "company": company})
    return found


def csv(rows: list[dict[str, str]]) -> str:
    """As the text of a CSV file."""
    return "\n".join([",".join(rows[0]), *(",".join(row.values()) for row in rows)]) + "\n"


_TEXT: Final = """\
Hello {{first_name|there}},

the plan that {{company}} has with us renews on 1 January. Before it does, we would like to look at two numbers with
you: what your docks use of it, and what waits in front of them.

Twenty minutes are enough. Which day suits you?

Mira
"""

_HTML: Final = """\
<p>Hello {{first_name|there}},</p>
<p>the plan that <b>{{company}}</b> has with us renews on 1 January. Before it does, we would like to look at two
numbers with you: what your docks use of it, and what waits in front of them.</p>
<p>Twenty minutes are enough. <a href="https://tidewell.example/plan">Which day suits you?</a></p>
<p>Mira</p>
"""

EMAILS: Final = 240
"""Of the campaign that is sending."""


@dataclass(frozen=True, slots=True)
class Furniture:
    """Ids of what there is.

    Attributes:
        going: a campaign that is sending, held by a limit in one of its two mailboxes.
        draft: one that is not started.
    """

    going: str
    draft: str


def furnish(person: Person, *, hourly: tuple[int, int], delay: str) -> Furniture:
    """Fills their workspace, and returns once it stands so.

    Args:
        hourly: limits of the two mailboxes of the campaign that is sending: one that is soon reached, one that is not.
        delay: between emails of the campaign that is sending, as the API takes it.
    """
    person.call("PATCH", "/v1/workspace", {"name": "Tidewell"})
    server = person.house.counting
    sales = person.has_mailbox("sales@tidewell.example", displayName="Tidewell sales", hourlyLimit=hourly[0])
    mira = person.has_mailbox("mira@tidewell.example", displayName="Mira Okafor", hourlyLimit=hourly[1], dailyLimit=400)
    partners = person.has_mailbox("partners@tidewell.example", displayName="Tidewell partners", hourlyLimit=300)
    hello = person.has_mailbox(DROPPED, displayName="Tidewell", smtp=server(DROPPED), hourlyLimit=50)
    billing = person.has_mailbox(REFUSED, smtp=server(REFUSED), hourlyLimit=50)

    trial = {"subject": "Your Tidewell trial ended. Here is what we kept for you", "text": _TEXT}
    gone = [{**row, "email": f"bounce.{row['email']}"} for row in people(3, 40)]
    _start(person, "Trial expired, second note", [partners], people(40) + gone, template=trial)
    _start(person, "Welcome aboard", [hello], people(2, 300), template={"subject": "Welcome aboard", "text": _TEXT})
    note = {"subject": "Minus 25 and on time: how Minato cut dock waits by a third", "text": _TEXT}
    _start(person, "Cold storage outreach", [billing], people(24, 400), template=note)
    renewal = {"subject": "A quick look at your warehouse plan, {{first_name|there}}", "text": _TEXT, "html": _HTML}
    going = _start(person, "Q4 renewal check-in", [sales, mira], people(EMAILS, 1000), template=renewal, delay=delay)
    harbour = _start(person, "Harbour operators, DACH", [partners], people(30, 500), template=note, delay="60s")
    person.call("POST", f"/v1/campaigns/{harbour}:pause", {})
    september = _start(person, "September price list", [partners], people(20, 600), template=note, delay="60s")
    person.call("POST", f"/v1/campaigns/{september}:cancel", {})
    later = (datetime.now(UTC) + timedelta(days=3)).replace(hour=8, minute=0, second=0, microsecond=0)
    news = {"subject": "What shipped in November, and the integration you asked for", "text": _TEXT}
    _start(person, "Partner newsletter", [partners], people(430, 700), template=news, startTime=later.isoformat())
    invite = {"subject": "{{first_name}}, 30 minutes on dock scheduling", "text": _TEXT, "html": _HTML}
    draft = _write(person, "Autumn webinar invite", [sales, mira], people(120, 900), template=invite)

    person.call("POST", "/v1/suppressions", {"emails": ["kemal@brightmoor.example", "zoe@portline.example"]})
    person.call("POST", "/v1/tokens", {"name": "crm-sync", "role": "ROLE_EDITOR"})
    person.call("POST", "/v1/invitations", {"email": "jonah@tidewell.example", "role": "ROLE_EDITOR"})
    _settled(person)
    return Furniture(going, draft)


def _write(person: Person, name: str, mailboxes: list[str], rows: list[dict[str, str]], **fields: Any) -> str:
    campaign = str(person.call("POST", "/v1/campaigns", {"name": name, "mailboxIds": mailboxes, **fields})["id"])
    person.call("POST", f"/v1/campaigns/{campaign}/recipients:import", csv(rows))
    return campaign


def _start(person: Person, *given: Any, **fields: Any) -> str:
    campaign = _write(person, *given, **fields)
    person.call("POST", f"/v1/campaigns/{campaign}:start", {})
    return campaign


def _settled(person: Person) -> None:
    """Waits until what will need a person does: two unconfirmed emails, a mailbox with a wrong password."""
    person.page.goto("/attention")
    expect(
        person.page.get_by_role("navigation", name="Main").get_by_role("link", name="Needs attention")
    ).to_contain_text("3")
