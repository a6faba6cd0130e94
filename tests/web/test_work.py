"""What people do, from signing in to the story of an email."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from .chromium import PATIENCE_MS
from .conftest import Enters
from .furniture import csv, people
from .house import DROPPED, REFUSED, House, Person

RECIPIENTS = 1000
BAD = ["not an address", "two@@signs.example"]


def test_who_signs_in_by_the_provider_comes_to_the_page_they_had_asked_for(house: House, browser: Browser):
    """And is out again once they sign out."""
    person = Person(house, browser, "Grace Hopper")
    page = person.page
    person.is_known()
    page.goto("/scheduled?q=ada")

    page.get_by_role("link", name="Continue with Acme").click()
    page.get_by_placeholder("sub").fill(person.address)
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="Scheduled", level=1)).to_be_visible()
    assert page.url.endswith("/scheduled?q=ada")
    page.get_by_role("button", name="Grace Hopper").click()
    page.get_by_role("menuitem", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    person.leaves()


def test_a_sign_in_that_the_provider_did_not_confirm_says_what_to_do(house: House, browser: Browser):
    """And lets nobody in."""
    person = Person(house, browser, "Mallory Unknown")
    person.is_known(email_verified=False)
    person.page.goto("/campaigns")

    person.page.get_by_role("link", name="Continue with Acme").click()
    person.page.get_by_placeholder("sub").fill(person.address)
    person.page.keyboard.press("Enter")

    expect(person.page.get_by_text("did not confirm your address")).to_be_visible()
    person.leaves()


def test_who_sits_at_this_machine_continues_without_a_provider(house: House, browser: Browser):
    """As the local user."""
    person = Person(house, browser, "Nobody")
    person.page.goto(f"{house.home}/mailboxes")

    person.page.get_by_role("button", name="Continue on this machine").click()

    expect(person.page.get_by_role("heading", name="Mailboxes", level=1)).to_be_visible()
    expect(person.page.get_by_role("button", name="Local user")).to_be_visible()
    person.leaves()


def test_a_campaign_is_written_from_a_csv_foreseen_and_scheduled(enters: Enters, tmp_path: Path):
    """Of a thousand rows, those that are no addresses are shown by line; nothing typed is lost by a reload."""
    person = enters("Ada Lovelace")
    person.has_mailbox("ada@example.com", hourlyLimit=400)
    page = person.page
    rows = people(RECIPIENTS)
    bad = [{**rows[0], "email": email} for email in BAD]
    file = tmp_path / "leads.csv"
    file.write_text(csv([*rows[:500], *bad, *rows[500:], rows[7]]))

    page.goto("/campaigns")
    page.get_by_role("link", name="New campaign").click()
    page.get_by_label("Campaign name").fill("Q4 renewal")
    page.get_by_role("textbox", name="Subject").fill("A quick look, {{first_name}}")
    page.get_by_role("textbox", name="Message").fill("Dear reader of the test,")
    page.locator("input[type=file]").first.set_input_files(file)

    expect(page.get_by_text(re.compile(r"^1,000 recipients found"))).to_be_visible()
    expect(page.get_by_text(re.compile(r"^1 duplicate"))).to_be_visible()
    left_out = page.get_by_role("row", name=re.compile("^50[23] "))
    expect(left_out).to_have_count(2)
    expect(left_out.first).to_contain_text(BAD[0])
    expect(page.get_by_text("400 an hour")).to_be_visible()
    expect(page.get_by_text("Last leaves")).to_be_visible()

    expect(page.get_by_text(re.compile("^Saved"))).to_be_visible()
    page.reload()
    expect(page.get_by_label("Campaign name")).to_have_value("Q4 renewal")
    expect(page.get_by_role("textbox", name="Message")).to_contain_text("Dear reader of the test,")
    page.get_by_role("button", name="In an hour").click()
    page.get_by_role("button", name="Schedule 1,000 emails").click()

    expect(page.get_by_role("heading", name="Q4 renewal", level=1)).to_be_visible()
    expect(page.get_by_text("of 1,000 sent").first).to_be_visible()
    page.get_by_role("link", name="Scheduled").first.click()
    expect(page.get_by_role("row", name=re.compile("Ada"))).not_to_have_count(0)


def test_a_list_of_a_hundred_thousand_is_read_while_one_goes_on_writing(enters: Enters, tmp_path: Path):
    """Its bar moves meanwhile."""
    person = enters("Barbara Liskov")
    person.has_mailbox("barbara@example.com")
    page = person.page
    file = tmp_path / "all.csv"
    file.write_text("email,n\n" + "".join(f"r{n}@example.com,{n}\n" for n in range(100_000)))
    page.goto("/compose")
    page.evaluate(_NOTES_THE_BAR)

    page.locator("input[type=file]").first.set_input_files(file)
    bar = page.get_by_role("progressbar", name=re.compile("all.csv"))
    expect(bar).to_be_visible()
    page.get_by_role("textbox", name="Subject").press_sequentially("Written meanwhile")

    expect(page.get_by_role("textbox", name="Subject")).to_have_text("Written meanwhile")
    expect(bar).to_be_visible()
    expect(page.get_by_text(re.compile(r"^100,000 recipients found"))).to_be_visible(timeout=3 * PATIENCE_MS)
    assert len(page.evaluate("[...noted]")) > 5


def test_two_people_watch_a_campaign_and_what_one_does_the_other_sees(house: House, browser: Browser, enters: Enters):
    """Progress comes by itself; a pause of one is on the other's page, and so is the resume."""
    here = enters("Rosa Parks")
    mailbox = here.has_mailbox("rosa@example.com", hourlyLimit=10_000)
    campaign = here.has_campaign("Live", [mailbox], [f"r{n}@example.com" for n in range(400)], delay="0.3s")
    there = enters("Rosa Parks")
    for person in (here, there):
        person.page.goto(f"/campaigns/{campaign}")
    first = _sent(there.page)

    expect(there.page.get_by_text(f"{first} of 400 sent")).not_to_be_visible()
    here.page.get_by_role("button", name="Pause").click()

    expect(here.page.get_by_role("button", name="Resume")).to_be_visible()
    expect(there.page.get_by_role("button", name="Resume")).to_be_visible()
    expect(there.page.get_by_text("Paused by Rosa Parks")).to_be_visible()
    paused = _sent(there.page)
    there.page.get_by_role("button", name="Resume").click()
    expect(here.page.get_by_role("button", name="Pause")).to_be_visible()
    expect(here.page.get_by_text(f"{paused} of 400 sent")).not_to_be_visible()
    assert _sent(here.page) > first


def test_what_was_sent_is_found_and_tells_its_story(enters: Enters):
    """A drawer holds what happened, from when it was due to what the server said, and the email."""
    person = enters("Hedy Lamarr")
    mailbox = person.has_mailbox("hedy@example.com")
    person.has_campaign("Spread spectrum", [mailbox], ["george@example.com", "bounce@example.com"])
    page = person.page
    page.goto("/sent")

    page.get_by_role("row", name=re.compile(r"bounce@.*Failed.*no such address")).wait_for()
    page.get_by_label(re.compile("Find|Recipient|Search")).first.fill("george")
    expect(page.get_by_role("row", name=re.compile("bounce@"))).to_have_count(0)
    page.get_by_role("row", name=re.compile("george@")).click()

    drawer = page.get_by_role("complementary", name="Email to george@example.com")
    expect(drawer.get_by_text(re.compile("^Sent today"))).to_be_visible()
    expect(drawer.get_by_text("250 2.0.0 Caught")).to_be_visible()
    expect(drawer.get_by_text("Dear reader.")).to_be_visible()


def test_unconfirmed_emails_are_decided_by_a_person(house: House, enters: Enters):
    """One is sent again, once its first try cannot succeed any more; the other is counted as sent, and never leaves."""
    person = enters("Joan Clarke")
    mailbox = person.has_mailbox(DROPPED, smtp=house.counting(DROPPED))
    campaign = person.has_campaign("Enigma", [mailbox], ["again@bletchley.example", "enough@bletchley.example"])
    page = person.page
    page.goto("/attention")

    page.get_by_role("row", name=re.compile("again@")).get_by_role("button", name="Send again").click()
    page.get_by_role("dialog").get_by_role("button", name="Send again").click()
    page.get_by_role("row", name=re.compile("enough@")).get_by_role("button", name="Count as sent").click()
    page.get_by_role("dialog").get_by_role("button", name="Count as sent").click()

    expect(page.get_by_text("Nothing needs you")).to_be_visible()
    page.goto(f"/campaigns/{campaign}")
    expect(page.get_by_role("row", name=re.compile("enough@"))).to_contain_text("Sent")
    expect(page.get_by_role("row", name=re.compile("again@"))).to_contain_text("Pending")
    contents = sorted(content.recipient for content in house.server.contents if "bletchley" in content.recipient)
    assert contents == ["again@bletchley.example", "enough@bletchley.example"]


VERIFIED = {
    "all is well": ("server", "STARTTLS", "ada@example.com", "Ready to send"),
    "a port where nothing listens": ("silent", "STARTTLS", "ada@example.com", "Could not connect"),
    "a certificate that nobody vouches for": ("stranger", "STARTTLS", "ada@example.com", "Could not encrypt"),
    "a wrong password": ("server", "STARTTLS", REFUSED, "Could not sign in"),
}


@pytest.mark.parametrize("case", VERIFIED)
def test_verify_says_which_step_a_mailbox_failed(house: House, enters: Enters, case: str):
    """Before anything is saved; where it is well, the mailbox can be added."""
    where, encryption, address, outcome = VERIFIED[case]
    person = enters("Katherine Johnson")
    page = person.page
    port = house.silent if where == "silent" else getattr(house, where).port
    page.goto("/mailboxes?add=1")
    dialog = page.get_by_role("dialog")

    dialog.get_by_text("Other SMTP").click()
    dialog.get_by_label("Address").fill(address)
    dialog.get_by_label("Password", exact=True).fill("s3cret")
    dialog.get_by_label("Server").fill("localhost")
    dialog.get_by_label("Port").fill(str(port))
    dialog.get_by_label("Encryption").select_option(encryption)
    dialog.get_by_role("button", name="Verify", exact=True).click()

    expect(dialog.get_by_text(outcome)).to_be_visible()
    if where == "server" and address != REFUSED:
        dialog.get_by_role("button", name="Add mailbox").click()
        expect(page.get_by_role("row", name=re.compile(address))).to_be_visible()


def test_who_was_invited_is_in_that_workspace_and_goes_over_to_their_own(enters: Enters):
    """And sees what is there, not what is in the other."""
    host, guest = enters("Emmy Noether"), enters("Mary Cartwright")
    host.has_mailbox("emmy@example.com")
    guest.has_mailbox("mary@example.com")
    host.call("POST", "/v1/invitations", {"email": guest.address, "role": "ROLE_EDITOR"})
    page = guest.signs_in().page
    page.goto("/mailboxes")
    expect(page.get_by_role("row", name=re.compile("emmy@"))).to_be_visible()

    page.get_by_role("button", name="Mary Cartwright").click()
    page.get_by_role("menuitem", name="Mary Cartwright").click()
    expect(page.get_by_role("heading", name="Campaigns", level=1)).to_be_visible()
    page.get_by_role("link", name="Mailboxes").first.click()

    expect(page.get_by_role("row", name=re.compile("mary@"))).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("emmy@"))).to_have_count(0)


def test_a_screen_that_got_no_answer_asks_again_by_itself(enters: Enters):
    """Also one that is drawn anew each second, and without news from the server."""
    page = enters("Annie Easley").page
    page.route("**/v1/overview:watch", lambda route: route.abort())
    page.route("**/v1/campaigns?*", lambda route: route.abort())
    page.goto("/campaigns")
    expect(page.get_by_text("Maillane does not answer")).to_be_visible()

    page.unroute("**/v1/campaigns?*")

    expect(page.get_by_text("No campaigns yet")).to_be_visible()


_NOTES_THE_BAR = """() => {
  window.noted = new Set();
  const note = () => noted.add(document.querySelector('[role=progressbar]')?.getAttribute('aria-valuenow'));
  new MutationObserver(note).observe(document, { subtree: true, childList: true, attributeFilter: ['aria-valuenow'] });
}"""


def _sent(page: Page) -> int:
    """The one figure of a campaign's page."""
    figure = page.get_by_text(re.compile(r"^[\d,]+ of [\d,]+ sent$")).first.inner_text()
    return int(figure.split()[0].replace(",", ""))
