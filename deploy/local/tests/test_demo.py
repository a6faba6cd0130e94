"""`make demo` where something is in its way, and on a system of its own."""

import asyncio
import io
import re
import time
from pathlib import Path

import pytest
from maillane_local import demo as demo_module
from maillane_local.data_folder import DataFolder
from maillane_local.demo import Demo
from maillane_local.errors import LocalError
from maillane_local.settings import LocalSettings
from maillane_local.system import System
from rich.console import Console

from .test_system import public_api, sample_recipients

pytestmark = pytest.mark.timeout(300)

SOON_S = 15
"""Two looks and a few calls, on a machine whose cores are all busy."""


@pytest.fixture(autouse=True)
def mailbox_of_its_own(monkeypatch) -> None:
    """Another than that of the demo which is counted elsewhere, on the system that tests share."""
    monkeypatch.setattr(demo_module, "ADDRESS", "held@example.com")


async def test_a_paused_mailbox_is_said_at_once(system: System):
    """Nothing is created for a mailbox that does not send."""
    async with public_api(system) as client:
        demo = Demo(client, system.urls, Console(file=io.StringIO()))
        mailbox = await demo._mailbox()
        await client.post(f"/v1/mailboxes/{mailbox['id']}:pause")
        before = (await client.get("/v1/campaigns")).json()["campaigns"]
        with pytest.raises(LocalError, match=rf"the mailbox is paused; resume it: POST /v1/mailboxes/{mailbox['id']}:"):
            await demo.run()
        after = (await client.get("/v1/campaigns")).json()["campaigns"]
        await client.post(f"/v1/mailboxes/{mailbox['id']}:resume")

    assert len(after) == len(before)


@pytest.mark.parametrize(("noun", "where"), [("campaign", "campaigns"), ("mailbox", "mailboxes")])
async def test_what_is_paused_on_the_way_ends_the_demo_within_seconds(system: System, monkeypatch, noun, where):
    """By name, and with what to do."""
    monkeypatch.setattr(demo_module, "DELAY", "2s")
    monkeypatch.setattr(demo_module, "HOLD_LOOK_S", 0.5)
    console = Console(file=io.StringIO())
    async with public_api(system) as client:
        running = asyncio.create_task(Demo(client, system.urls, console).run())
        campaign = await _running_campaign(client)
        paused = campaign["id"] if noun == "campaign" else campaign["mailboxIds"][0]
        (await client.post(f"/v1/{where}/{paused}:pause")).raise_for_status()
        begun = time.monotonic()
        with pytest.raises(LocalError) as ended:
            await running
        took_s = time.monotonic() - begun
        await client.post(f"/v1/campaigns/{campaign['id']}:cancel")
        await client.post(f"/v1/{where}/{paused}:resume")

    assert str(ended.value).startswith(f"the {noun} is paused; resume it: POST /v1/{where}/{paused}:resume")
    assert took_s < SOON_S


async def test_the_demo_has_a_system_of_its_own_where_none_runs(tmp_path: Path, monkeypatch, capsys):
    """It starts one, sends all mails, says where to look, and leaves nobody behind."""
    monkeypatch.setattr(demo_module, "DELAY", "0.01s")
    web = tmp_path / "web"
    web.mkdir()
    (web / "index.html").write_text("<!doctype html>")
    monkeypatch.setenv("MAILLANE_WEB_DIR", str(web))

    await demo_module.run(LocalSettings.on_free_ports(tmp_path / "data"))

    said = capsys.readouterr().out
    assert f"{len(sample_recipients())} sent." in said
    assert re.search(r"The campaign +http://127\.0\.0\.1:\d+/campaigns/1$", said, re.MULTILINE)
    DataFolder(tmp_path / "data").open()  # which is refused while a system has it


async def _running_campaign(client):
    while True:
        listed = (await client.get("/v1/campaigns?state=CAMPAIGN_STATE_ACTIVE")).json()["campaigns"]
        for campaign in listed:
            if campaign["name"].startswith("Demo of"):
                return campaign
        await asyncio.sleep(0.05)
