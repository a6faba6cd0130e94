"""What `make demo` does: a campaign of 100 mails to the catcher, by the public HTTP API alone."""

import asyncio
import json
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from importlib.resources import files
from typing import Any, Final

import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from maillane_local.data_folder import DataFolder
from maillane_local.errors import LocalError
from maillane_local.settings import LocalSettings
from maillane_local.system import URLS, System

ADDRESS: Final = "demo@example.com"
"""The demo's mailbox: made by the first demo, and used again by later ones."""

HOURLY_LIMIT: Final = 100_000
"""Far above one demo: many may follow each other within an hour."""

DELAY: Final = "0.1s"
"""Between two mails: a hundred take ten seconds, slow enough to watch."""

CALL_S: Final = 30.0
"""How long one call may take."""

QUIET_S: Final = 60.0
"""How long a watch may say nothing before it is begun again."""

AGAIN_S: Final = 1.0
"""Before a watch that has ended is begun again: the gateway may be restarting."""

LONGEST_DEMO_S: Final = 600.0
"""By then something is wrong; the campaign goes on, and can be looked at."""

HOLD_LOOK_S: Final = 2.0
"""Between two looks at what holds the next mail: a watch tells only of changes, and what is held does not change."""

HELD_BY_A_PERSON: Final = {
    "HOLD_REASON_CAMPAIGN_PAUSED": "the campaign is paused; resume it: POST /v1/campaigns/{campaignId}:resume",
    "HOLD_REASON_MAILBOX_PAUSED": "the mailbox is paused; resume it: POST /v1/mailboxes/{mailboxId}:resume",
    "HOLD_REASON_WORKSPACE_STOPPED": "the workspace is stopped; resume it: POST /v1/workspace:resume",
    "HOLD_REASON_PASSWORD_REFUSED": "the mail server refuses the password of mailbox {mailboxId}",
}
"""By what holds a mail: why to wait no longer."""

FINAL: Final = ("CAMPAIGN_STATE_COMPLETED", "CAMPAIGN_STATE_CANCELLED")

TEMPLATE: Final = {
    "subject": "{{first_name|Hello}}, your lane is free",
    "text": "Dear {{first_name|friend}},\n\nthis mail left in its turn. All the best to {{company}}.\n",
    "html": "<p>Dear {{first_name|friend}},</p><p>this mail left in its turn. All the best to <b>{{company}}</b>.</p>",
}


async def run(settings: LocalSettings) -> None:
    """Runs the demo on the system that runs on the data folder, or on one that it starts for its own duration.

    Raises:
        LocalError: the system does not start, or an answer is not what it should be.
    """
    console = Console()
    async with AsyncExitStack() as stack:
        urls, token = await _system(settings, stack, console)
        client = await stack.enter_async_context(
            httpx.AsyncClient(
                base_url=urls["gateway"],
                headers={"authorization": f"Bearer {token}"},
                timeout=CALL_S,
                trust_env=False,
            )
        )
        try:
            await Demo(client, urls, console).run()
        except httpx.HTTPError as error:
            raise LocalError(f"the gateway does not answer: {error!r}") from error
        except TimeoutError:
            raise LocalError(f"the campaign is not done after {LONGEST_DEMO_S:.0f} s; it goes on") from None


class Demo:
    """One campaign, from its mailbox to its summary."""

    def __init__(self, client: httpx.AsyncClient, urls: dict[str, str], console: Console) -> None:
        """Speaks to the gateway by `client`, and to the person by `console`."""
        self._client = client
        self._urls = urls
        self._console = console

    async def run(self) -> dict[str, Any]:
        """Sends the campaign and follows it to its end. Returns the campaign as it is then."""
        mailbox = await self._mailbox()
        self._console.print(f"Mailbox {mailbox['id']}: {mailbox['address']}, by {self._urls['smtp']}")
        campaign = await self._call(
            "POST",
            "/v1/campaigns",
            json={
                "name": f"Demo of {time.strftime('%H:%M:%S')}",
                "mailboxIds": [mailbox["id"]],
                "template": TEMPLATE,
                "delay": DELAY,
            },
        )
        imported = await self._call(
            "POST",
            f"/v1/campaigns/{campaign['id']}/recipients:import",
            content=files("maillane_local").joinpath("sample.csv").read_bytes(),
            headers={"content-type": "text/csv"},
        )
        self._console.print(f"Campaign {campaign['id']}: {imported['accepted']} recipients, one each {DELAY}")
        begun = time.monotonic()
        await self._call("POST", f"/v1/campaigns/{campaign['id']}:start", json={})
        ended = await self._follow(campaign["id"], imported["accepted"])
        self._summarise(ended, await self._page(f"/campaigns/{campaign['id']}"), time.monotonic() - begun)
        return ended

    async def _mailbox(self) -> dict[str, Any]:
        host, _, port = self._urls["smtp"].rpartition(":")
        smtp = {"host": host, "port": int(port), "security": "SECURITY_NONE"}
        found = await self._find_mailbox()
        if found is None:
            body = {"address": ADDRESS, "displayName": "Maillane demo", "smtp": smtp, "hourlyLimit": HOURLY_LIMIT}
            return await self._call("POST", "/v1/mailboxes", json=body)
        if found["state"] == "MAILBOX_STATE_PAUSED":
            why = HELD_BY_A_PERSON["HOLD_REASON_MAILBOX_PAUSED"].format(mailboxId=found["id"])
            raise LocalError(f"{ADDRESS} cannot send: {why}")
        # The catcher may have another port this time.
        change = {"smtp": {"host": host, "port": int(port)}}
        return await self._call(
            "PATCH", f"/v1/mailboxes/{found['id']}", json=change, params={"updateMask": "smtp.host,smtp.port"}
        )

    async def _find_mailbox(self) -> dict[str, Any] | None:
        page_token = ""
        while True:
            page = await self._call("GET", "/v1/mailboxes", params={"pageToken": page_token} if page_token else {})
            for mailbox in page.get("mailboxes", []):
                if mailbox["address"] == ADDRESS:
                    return dict(mailbox)
            page_token = page.get("nextPageToken", "")
            if not page_token:
                return None

    async def _follow(self, campaign_id: str, total: int) -> dict[str, Any]:
        """Waits until the campaign has ended.

        Raises:
            LocalError: a person holds it up.
            TimeoutError: it takes too long.
        """
        ended = asyncio.ensure_future(self._progress(campaign_id, total))
        held = asyncio.ensure_future(self._held(campaign_id))
        try:
            async with asyncio.timeout(LONGEST_DEMO_S):
                await asyncio.wait((ended, held), return_when=asyncio.FIRST_COMPLETED)
            if not ended.done():
                raise LocalError(f"{held.result()}; campaign {campaign_id} goes on then, or cancel it")
            return ended.result()
        finally:
            ended.cancel()
            held.cancel()
            await asyncio.gather(ended, held, return_exceptions=True)

    async def _held(self, campaign_id: str) -> str:
        """Waits until a person holds the campaign up; says who does."""
        first = {"campaignId": campaign_id, "state": "MESSAGE_STATE_PENDING", "pageSize": "1"}
        while True:
            await asyncio.sleep(HOLD_LOOK_S)
            try:
                for waiting in (await self._call("GET", "/v1/messages", params=first))["messages"]:
                    message = await self._call("GET", f"/v1/messages/{waiting['id']}")
                    if why := HELD_BY_A_PERSON.get(message.get("hold", {}).get("reason", "")):
                        return why.format_map(message)
            except (httpx.TransportError, LocalError):
                # The gateway may be restarting, and the message may be gone.
                continue

    async def _progress(self, campaign_id: str, total: int) -> dict[str, Any]:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=self._console) as progress:
            task = progress.add_task("Sending", total=total)
            # Closed at once: a generator that is left to the collector would close its connection in a loop that ends.
            async with aclosing(self._watch(campaign_id)) as changes:
                async for campaign in changes:
                    counts = campaign.get("counts", {})
                    progress.update(task, completed=counts.get("total", total) - _open(counts))
                    if campaign["state"] in FINAL:
                        return campaign
        raise LocalError("the campaign's watch ended before the campaign")

    async def _watch(self, campaign_id: str) -> AsyncGenerator[dict[str, Any], None]:
        """The campaign each time it changes, by server-sent events; a connection that is lost is made anew."""
        while True:
            try:
                async with aclosing(self._events(f"/v1/campaigns/{campaign_id}:watch")) as messages:
                    async for message in messages:
                        yield message.get("campaign", message)
            except httpx.TransportError as error:
                self._console.print(f"The watch was interrupted ({error!r}); watching again")
            await asyncio.sleep(AGAIN_S)

    async def _events(self, path: str) -> AsyncGenerator[dict[str, Any], None]:
        timeout = httpx.Timeout(CALL_S, read=QUIET_S)
        headers = {"accept": "text/event-stream"}
        async with self._client.stream("GET", path, headers=headers, timeout=timeout) as answer:
            if not answer.is_success:
                await answer.aread()
                raise LocalError(_refusal(answer))
            async for line in answer.aiter_lines():
                if line.startswith("data:"):
                    message = json.loads(line.removeprefix("data:"))
                    if "error" in message:
                        raise LocalError(f"the watch ended: {message['error']}")
                    yield message

    async def _call(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:
        answer = await self._client.request(method, path, **arguments)
        if not answer.is_success:
            raise LocalError(_refusal(answer))
        return dict(answer.json())

    async def _page(self, path: str) -> str | None:
        """The address of a page of the web UI; None where this system was not built with one."""
        answer = await self._client.get(path, headers={"accept": "text/html"})
        return f"{self._urls['gateway']}{path}" if answer.is_success else None

    def _summarise(self, campaign: dict[str, Any], page: str | None, took_s: float) -> None:
        counts = campaign.get("counts", {})
        said = ", ".join(f"{count} {name}" for name, count in counts.items() if count and name != "total")
        self._console.print(f"\nDone in {took_s:.1f} s: {said}.")
        self._console.print(f"  The mails      {self._urls['catcher']}")
        if page:
            self._console.print(f"  The campaign   {page}")
        self._console.print(f"  The API        {self._urls['gateway']}/docs")


@asynccontextmanager
async def _own_system(settings: LocalSettings, console: Console) -> AsyncIterator[System]:
    with console.status("Starting Maillane for this demo (make up keeps it running) …"):
        system = await System(settings.data, settings=settings).__aenter__()
    try:
        yield system
        if sys.stdin.isatty():
            console.print("\nMaillane of this demo still runs: look at the mails, then press Enter to stop it.")
            await _enter_pressed()
    finally:
        with console.status("Stopping …"):
            await system.stop()


async def _system(settings: LocalSettings, stack: AsyncExitStack, console: Console) -> tuple[dict[str, str], str]:
    folder = DataFolder(settings.data)
    if not folder.is_open_elsewhere():
        system = await stack.enter_async_context(_own_system(settings, console))
        return system.urls, system.token
    urls = {name: str(url) for name, url in folder.remembered(URLS).items()}
    if not urls:
        raise LocalError("Maillane is still starting; try again in a moment")
    return urls, folder.token_file.read_text().strip()


async def _enter_pressed() -> None:
    """Waits for a line, and lets Ctrl-C through, which reading it would not."""
    pressed = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(sys.stdin, pressed.set)
    try:
        await pressed.wait()
    finally:
        loop.remove_reader(sys.stdin)


def _open(counts: dict[str, Any]) -> int:
    return int(counts.get("pending", 0)) + int(counts.get("sending", 0))


def _refusal(answer: httpx.Response) -> str:
    return f"{answer.request.method} {answer.request.url} answered {answer.status_code}: {answer.text[:500]}"
