"""Every recipe of docs/operating.md, by the real grpcurl against the real system."""

import asyncio
from collections.abc import Iterator

import pytest
from maillane_local.system import System
from support import shown
from support.documents import blocks

RECIPES = blocks("docs/operating.md", "sh")

CLAIMS = {
    "See whether everything is healthy": '"status": "SERVING"',
    "See what there is": "maillane.scheduler.v1.CampaignService",
    "See who you are": '"name": "default"',
    "Connect a mailbox": '"hourlyLimit": 500',
    "Write a campaign": "CAMPAIGN_STATE_DRAFT",
    "Import recipients from JSON lines": '"rejectedCount": 1',
    "Look at a message before it is sent, and send a test": "Dear Alan,",
    "See when it will be done, before it is started": '"recipients": 4',
    "Start, pause": "CAMPAIGN_STATE_PAUSED",
    "List messages, and see why one waits": "HOLD_REASON_CAMPAIGN_PAUSED",
    "Find messages over all campaigns": "joan@example.com",
    "See what needs a person, and how much is used": '"resetTime"',
    "Move what waits from one mailbox to another": '"moved": ',
    "Resume, and watch to the end": "MESSAGE_STATE_SENT",
    "Cancel": "CAMPAIGN_STATE_CANCELLED",
    "Change a mailbox": "MAILBOX_STATE_PAUSED",
    "Stop writing to somebody": "SUPPRESSION_REASON_MANUAL",
    "Decide about unconfirmed messages": "decided about: none",
    "Try failed messages again": "{",
    "Stop everything of a workspace at once": '"acknowledged": true',
    "See who did what": '"verb": "workspace.stop"',
    "Make and revoke tokens": '"revokeTime"',
    "Invite somebody": '"email": "lena@example.com"',
    "See how much of a limit is used": '"used": "4"',
    "Try a mail server from where the sender stands": '"verified": true',
    "Look into the connections of a service": '"server"',
    "Read metrics": "maillane_hand_out_lag_seconds",
    "See what a sender holds, and take it out of service": '"senderId"',
}
"""What each must show."""


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What each recipe printed, by its heading. On a system of its own, for the last recipe drains its sender."""
    system = System(tmp_path_factory.mktemp("recipes"))
    # A system is bound to no event loop, so it may start in one and stop in another.
    asyncio.run(system.__aenter__())
    try:
        outputs = shown.run(system, RECIPES, tmp_path_factory.mktemp("shell"))
        yield dict(zip((recipe.title for recipe in RECIPES), outputs, strict=False))
    finally:
        asyncio.run(system.stop())


@pytest.mark.parametrize("recipe", [recipe.title for recipe in RECIPES])
def test_a_recipe_does_what_it_says(printed: dict[str, str], recipe: str) -> None:
    """It runs, after those before it, and shows what it is there for."""
    output = printed.get(recipe, "not run, for one before it failed")

    assert ("exit code" not in output, CLAIMS.get(recipe, "") in output) == (True, True), f"\n{output}"


def test_every_recipe_has_its_claim() -> None:
    """None is only run: all but the shell's own set-up are held to what they show."""
    assert {recipe.title for recipe in RECIPES} - set(CLAIMS) == {"Set up the shell"}
