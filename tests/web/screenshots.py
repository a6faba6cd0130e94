"""`make screenshots`: pictures of the web UI into docs/images, of a real system with something of everything in it."""

import os
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

# Read when grpc is imported: its fork handlers now and then break a child before its exec.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

# What tests share is imported as `support.…`, by pytest's own setting there.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import psycopg
from playwright.sync_api import Browser, Page, ViewportSize, expect

from .chromium import ROOT, launched
from .furniture import Furniture, csv, furnish, people
from .house import PHONE, House, Person, opened

IMAGES: Final = ROOT / "docs/images"
MAX_BYTES: Final = 150_000
"""Of one picture: all of them come with every clone."""

SIZE: Final[ViewportSize] = {"width": 1280, "height": 640}
"""Of a page: the first rows of a list tell what it is, and each row more is 5 kB."""

PAST: Final = 40
"""How many emails of each mailbox have left; of one of them that is all that its hour allows."""

GAP_S: Final = 45
SENT_S: Final = 120
"""For the first emails to leave."""

# What left within a minute is told as if it had had the campaign's delay from the start: lists, charts and lanes of a
# system that is new have no past to show.
_STARTED: Final = """
UPDATE campaigns SET create_time = {then}, start_time = {then}
WHERE id IN (SELECT campaign_id FROM attempts)
""".format(then=f"now() - interval '{(PAST + 4) * GAP_S} seconds'")
_SPREAD: Final = f"""
UPDATE attempts a SET settle_time = now() - places.place * interval '{GAP_S} seconds',
  claim_time = now() - places.place * interval '{GAP_S} seconds' - (a.settle_time - a.claim_time)
FROM (
  SELECT message_id, row_number() OVER (PARTITION BY mailbox_id ORDER BY settle_time DESC) AS place FROM attempts
) places
WHERE a.message_id = places.message_id
"""

# Nothing that the page asked for has come for so long: what it shows is all there. Its live streams never end.
_QUIET: Final = """() => new Promise((quiet) => {
  let timer = setTimeout(quiet, 800);
  const again = () => { clearTimeout(timer); timer = setTimeout(quiet, 800); };
  new PerformanceObserver(again).observe({ entryTypes: ['resource'] });
})"""

_BODY: Final = """\
Hi {{first_name|there}},
trucks at {{company}} probably wait longer at the gate than on the road. On 10 December we show, in half an hour, how \
Minato cut dock waits by a third.
Shall I keep a seat for you?
Mira"""


def main() -> None:
    """Takes all of them, and says how large each is."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="maillane-pictures-") as folder,
        opened(Path(folder)) as house,
        launched() as browser,
    ):
        person = Person(house, browser, "Mira Okafor").signs_in()
        there = furnish(person, hourly=(PAST, 60), delay="0.2s")
        _give_a_past(house, person, there.going)
        _take_all(person, there)
        _take_all_on_a_phone(house, browser, there)
    for picture in sorted(IMAGES.glob("*.png")):
        size = picture.stat().st_size
        print(f"{picture.relative_to(ROOT)} {size // 1000} kB")
        if size > MAX_BYTES:
            sys.exit(f"screenshots: {picture.name} is larger than {MAX_BYTES // 1000} kB")


def _give_a_past(house: House, person: Person, campaign: str) -> None:
    deadline = time.monotonic() + SENT_S
    # Two more, of the mailbox that still may: by then the other one has asked, and is parked.
    while person.call("GET", f"/v1/campaigns/{campaign}")["counts"]["sent"] < 2 * PAST + 2:
        if time.monotonic() > deadline:
            sys.exit("screenshots: the campaign does not send")
        time.sleep(0.2)
    person.call("POST", f"/v1/campaigns/{campaign}:pause", {})
    with psycopg.connect(house.system.postgres_url) as connection:
        connection.execute(_STARTED)
        connection.execute(_SPREAD)
    person.call("PATCH", f"/v1/campaigns/{campaign}", {"delay": f"{GAP_S}s"})
    person.call("POST", f"/v1/campaigns/{campaign}:resume", {})


def _take_all(person: Person, there: Furniture) -> None:
    page = person.page
    page.set_viewport_size(SIZE)
    going = f"/campaigns/{there.going}"
    page.goto(f"{person.house.base}/sign-in")
    _take(page, "sign-in")
    for name, path in {"campaigns": "/campaigns", "campaign": going}.items():
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)
            _take(_ready(page, path), name if theme == "light" else f"{name}-dark")
    page.emulate_media(color_scheme="light")
    for name in ("scheduled", "attention", "mailboxes"):
        _take(_ready(page, f"/{name}"), name)
    _ready(page, "/sent").get_by_role("row", name=re.compile("A quick look")).nth(1).click()
    _take(page, "sent")
    _write(_ready(page, "/compose"))
    _take(page, "compose")


def _take_all_on_a_phone(house: House, browser: Browser, there: Furniture) -> None:
    person = Person(house, browser, "Mira Okafor", viewport=PHONE, device_scale_factor=2).signs_in()
    _take(_ready(person.page, f"/campaigns/{there.going}"), "phone")


def _write(page: Page) -> None:
    """A campaign on its way, with a list of its own."""
    rows = people(1240, 2000)
    for row in rows[7::54]:
        row["company"] = ""
    bad = [
        {**rows[0], "email": email}
        for email in ("jan.kowalski@", "anna@brightmoor.example; office@brightmoor.example", "n/a")
    ]
    page.get_by_label("Campaign name").fill("Autumn webinar invite")
    for mailbox in ("sales@", "mira@"):
        page.get_by_role("button", name="Mailbox", exact=True).click()
        page.get_by_role("menuitem", name=mailbox).click()
    page.get_by_role("textbox", name="Subject").fill("{{first_name|there}}, 30 minutes on dock scheduling")
    page.get_by_role("textbox", name="Message").fill(_BODY)
    page.locator("input[type=file]").first.set_input_files(
        {
            "name": "webinar-leads.csv",
            "mimeType": "text/csv",
            "buffer": csv(rows[:35] + bad + rows[35:] + rows[:14]).encode(),
        }
    )
    expect(page.get_by_text("1,240 recipients found")).to_be_visible()
    page.get_by_label("If company is empty, write").fill("your company")
    page.get_by_role("button", name="Tomorrow").click()
    expect(page.get_by_text("Saved", exact=True).or_(page.get_by_text(re.compile("^Saved ")))).to_be_visible()
    # Variables stand as such once they come from the server.
    page.reload()
    expect(page.get_by_text("Last leaves")).to_be_visible()
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")


def _ready(page: Page, path: str) -> Page:
    page.goto(path)
    page.get_by_role("heading", level=1).wait_for(state="attached")
    return page


def _take(page: Page, name: str) -> None:
    page.evaluate(_QUIET)
    page.screenshot(path=IMAGES / f"{name}.png", animations="disabled")


if __name__ == "__main__":
    main()
