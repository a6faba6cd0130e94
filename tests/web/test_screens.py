"""What holds of every screen: for whoever looks at it, at whatever size, by whatever means."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from .axe import violations
from .conftest import Enters
from .furniture import Furniture, furnish
from .house import PHONE, House, Person

MAX_FIRST_LOAD = 170_000
"""Bytes of scripts and sheets, compressed by gzip, that a screen needs before it shows."""

SCREENS = {
    "/campaigns": "Campaigns",
    "/campaigns/{going}": "Q4 renewal check-in",
    "/compose": "New campaign",
    "/compose/{draft}": "Autumn webinar invite",
    "/scheduled": "Scheduled",
    "/sent": "Sent",
    "/attention": "Needs attention",
    "/mailboxes": "Mailboxes",
    "/suppressions": "Suppressions",
    "/tokens": "API tokens",
    "/members": "Members",
}
"""Every screen behind the sign-in, with its title."""

FILES = ("SignIn", "Campaigns", "Campaign CampaignMessages", "Compose", "Scheduled", "Sent", "Attention", "Mailboxes")
"""What screens are built into, of those that bring most."""

OPENED = {
    "a dialog": ("/mailboxes?add=1", "dialog"),
    "the shortcuts": ("/campaigns", "?"),
    "the palette": ("/campaigns", "Control+k"),
    "a menu": ("/campaigns/{going}", "More: cancel, export"),
    "a drawer": ("/sent", "row"),
}
"""What opens over a screen, and how."""


@pytest.fixture(scope="module")
def at_work(house: House, browser: Browser) -> Iterator[tuple[Person, Furniture]]:
    """Somebody whose workspace has something of everything."""
    person = Person(house, browser, "Mira Okafor").signs_in()
    yield person, furnish(person, hourly=(8, 300), delay="2s")
    person.leaves()


@pytest.fixture
def shows(at_work: tuple[Person, Furniture]):
    """Opens a screen and waits until what it lists is there."""
    person, there = at_work

    def open_screen(path: str, **look: str) -> Page:
        person.page.set_viewport_size({"width": 1280, "height": 800})
        person.page.emulate_media(color_scheme="light", reduced_motion="reduce")
        person.page.emulate_media(**look)  # type: ignore[arg-type]
        _open(person.page, path.format(going=there.going, draft=there.draft))
        return person.page

    return open_screen


@pytest.mark.parametrize("path", SCREENS)
def test_axe_finds_nothing(shows, path: str):
    """In light, and of contrast in dark, where all else is the same."""
    page = shows(path)

    expect(page.get_by_role("heading", level=1)).to_have_text(SCREENS[path])
    assert violations(page) == []
    page.emulate_media(color_scheme="dark")
    assert violations(_open(page, page.url), only=("color-contrast",)) == []


@pytest.mark.parametrize("what", OPENED)
def test_axe_finds_nothing_in_what_opens(shows, what: str):
    """Over a screen or beside it; Esc closes it."""
    path, how = OPENED[what]
    page = shows(path)

    opened = _opened(page, how)

    assert violations(page) == []
    page.emulate_media(color_scheme="dark")
    assert violations(page, only=("color-contrast",)) == []
    page.keyboard.press("Escape")
    expect(opened).to_have_count(0)


def test_axe_finds_nothing_before_one_is_in(house: House, browser: Browser):
    """On the page to sign in, at either gateway, with a refusal on it."""
    person = Person(house, browser, "Nobody")
    for where in (f"{house.base}/sign-in?error=expired", f"{house.home}/sign-in"):
        for scheme in ("light", "dark"):
            person.page.emulate_media(color_scheme=scheme)
            person.page.goto(where)
            expect(person.page.get_by_text("Continue")).to_be_visible()
            assert violations(person.page) == []
    person.leaves()


@pytest.mark.parametrize("path", SCREENS)
def test_a_phone_shows_all_of_it_without_moving_sideways(shows, path: str):
    """At 375 px, and at 320, which is 400 % of a wide screen (WCAG 1.4.10)."""
    page = shows(path)

    for width in (PHONE["width"], 320):
        page.set_viewport_size({**PHONE, "width": width})
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, _sticks_out(page)


def test_a_phone_goes_everywhere_by_the_bar_at_the_bottom(enters: Enters):
    """The rest of the places, and the account, are behind More."""
    page = enters("Lise Meitner", viewport=PHONE, has_touch=True).page
    page.goto("/")

    for place in ("Scheduled", "Sent", "Campaigns"):
        page.get_by_role("navigation", name="Main").get_by_role("link", name=place).tap()
        expect(page.get_by_role("heading", level=1)).to_have_text(place)
    page.get_by_role("button", name="More").tap()
    page.get_by_role("dialog").get_by_role("link", name="Mailboxes").tap()
    expect(page.get_by_role("heading", level=1)).to_have_text("Mailboxes")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Compose").tap()
    expect(page.get_by_role("heading", level=1)).to_have_text("New campaign")


@pytest.mark.parametrize("path", ["/campaigns", "/compose/{draft}", "/attention"])
def test_what_has_the_focus_is_seen(shows, path: str):
    """Of whatever Tab comes to, by a ring, a border or a ground that it does not have at rest."""
    page = shows(path)
    page.evaluate("document.activeElement.blur()")

    names = []
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            break  # behind the last
        names.append(page.evaluate("document.activeElement.textContent"))
        assert page.evaluate(_IS_SEEN), page.evaluate("document.activeElement.outerHTML")

    assert "Skip to content" in names
    assert len(set(names)) > 15


def test_keys_find_go_and_tell_which_there_are(shows):
    """⌘K finds a campaign by its name; G and a letter go somewhere; ? lists them all."""
    page = shows("/scheduled")

    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("Control+k")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.type("harbour")
    expect(page.get_by_role("dialog").get_by_role("option", name=re.compile("Harbour operators"))).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Harbour operators, DACH")
    page.keyboard.press("g")
    page.keyboard.press("m")
    expect(page.get_by_role("heading", level=1)).to_have_text("Mailboxes")


def test_nothing_moves_for_who_wants_no_motion(shows):
    """The ring of a campaign that sends turns for others."""
    moving = "document.getAnimations().filter(({ playState }) => playState === 'running').length"

    assert shows("/campaigns/{going}", reduced_motion="no-preference").evaluate(moving) > 0
    assert shows("/campaigns/{going}", reduced_motion="reduce").evaluate(moving) == 0


def test_the_first_screen_comes_soon(house: House, at_work, browser: Browser, record_property):
    """From nothing in the cache; how soon is in the report (`--junitxml`), and the bound is one for any machine."""
    person, _ = at_work
    context = browser.new_context(base_url=house.base, storage_state=person.context.storage_state())
    page = context.new_page()

    begun = time.monotonic()
    page.goto("/campaigns", wait_until="commit")
    page.get_by_role("row", name=re.compile("Q4 renewal")).wait_for()
    took_s = time.monotonic() - begun

    context.close()
    record_property("first_screen_s", round(took_s, 2))
    assert took_s < 10


@pytest.mark.parametrize("screen", FILES)
def test_a_screen_opened_first_is_small(built: Path, screen: str):
    """What its files and the page's own bring with them; what is asked for later, once it shows, is not in it."""
    files = set().union(*(_needed(built, name) for name in ("index", *screen.split())))

    total = sum(_compressed(built / "assets" / name) for name in files)

    assert total <= MAX_FIRST_LOAD, {name: _compressed(built / "assets" / name) for name in sorted(files)}


# Buttons have shadows at rest: what tells is the difference.
_IS_SEEN = """() => {
  const at = document.activeElement;
  const of = (style) => [style.boxShadow, style.outlineStyle, style.borderColor, style.backgroundColor].join();
  const look = () => [at, at.parentElement].map((element) => of(getComputedStyle(element))).join();
  const focused = look();
  at.blur();
  const rested = look();
  at.focus({ focusVisible: true });
  return focused !== rested;
}"""


def _open(page: Page, path: str) -> Page:
    page.goto(path)
    expect(page.get_by_role("heading", level=1)).not_to_have_count(0)
    # What is read from the server is there once no grey shapes of rows stand in for it.
    expect(page.locator(".late")).to_have_count(0)
    return page


def _opened(page: Page, how: str) -> Locator:
    if how == "row":
        page.get_by_role("row").nth(1).click()
        found = page.get_by_role("complementary")
    elif how.startswith("More"):
        page.get_by_role("button", name=how).click()
        found = page.get_by_role("menu")
    else:
        if how != "dialog":
            page.keyboard.press(how)
        found = page.get_by_role("dialog")
    expect(found).to_be_visible()
    return found


def _sticks_out(page: Page) -> list[str]:
    """What is wider than the page, for the message of a failure."""
    found: list[str] = page.evaluate(
        "() => [...document.querySelectorAll('body *')]"
        ".filter((each) => each.getBoundingClientRect().right > innerWidth + 1)"
        ".map((each) => each.outerHTML.slice(0, 120))"
    )
    return found[:8]


def _needed(built: Path, name: str) -> set[str]:
    """A script, what it imports before it runs, and their sheets."""
    [first] = [path.name for path in (built / "assets").glob(f"{name}-*.js") if _stem(path.name) == name]
    found, ahead = set(), [first]
    while ahead:
        script = ahead.pop()
        if script not in found:
            found.add(script)
            ahead += re.findall(r'(?:from|import)"\./([^"]+\.js)"', (built / "assets" / script).read_text())
    stems = {_stem(script) for script in found}
    return found | {path.name for path in (built / "assets").glob("*.css") if _stem(path.name) in stems}


def _stem(name: str) -> str:
    """A file's name without its hash."""
    return re.sub(r"-[\w-]{8}\.\w+$", "", name)


def _compressed(path: Path) -> int:
    gzip = path.with_name(f"{path.name}.gz")
    return (gzip if gzip.exists() else path).stat().st_size
