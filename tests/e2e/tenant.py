"""A tenant of a running system, as people's own programs use it: over HTTP, with a token."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, Self

import httpx
from maillane_local.system import System

# A busy machine of two cores restarts a service in a few seconds; nothing here waits without looking.
LOOK_S = 0.2
ENDED = ("CAMPAIGN_STATE_COMPLETED", "CAMPAIGN_STATE_CANCELLED")


class Tenant:
    """Calls the gateway, and looks into the catcher."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.http = httpx.AsyncClient(
            base_url=system.urls["gateway"],
            headers={"authorization": f"Bearer {system.token}"},
            timeout=30,
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.http.aclose()

    async def call(self, method: str, path: str, **request: Any) -> Any:
        """One call that must succeed; repeated while a service restarts."""
        while True:
            try:
                answer = await self.http.request(method, path, **request)
            except httpx.TransportError:
                await asyncio.sleep(LOOK_S)
                continue
            if answer.status_code != 503:
                assert answer.is_success, answer.text
                return answer.json()
            await asyncio.sleep(LOOK_S)

    async def mailbox(self, address: str, **fields: Any) -> str:
        """A mailbox whose server is the catcher; returns its id."""
        host, port = self.system.urls["smtp"].split(":")
        smtp = {"host": host, "port": int(port), "security": "SECURITY_NONE"}
        body = {"address": address, "smtp": smtp, "hourlyLimit": 100_000, **fields}
        return str((await self.call("POST", "/v1/mailboxes", json=body))["id"])

    async def campaign(self, mailboxes: list[str], count: int, **fields: Any) -> str:
        """A started campaign to `count` recipients, r1 to r<count>; returns its id."""
        template = {"subject": "No {{n}}", "text": "Dear {{name|friend}}, this is {{n}}."}
        body = {"name": "e2e", "mailboxIds": mailboxes, "template": template, **fields}
        campaign = str((await self.call("POST", "/v1/campaigns", json=body))["id"])
        rows = "".join(f"r{n}@example.com,{n}\n" for n in range(1, count + 1))
        answer = await self.import_csv(campaign, "email,n\n" + rows)
        assert answer["accepted"] == count, answer
        await self.call("POST", f"/v1/campaigns/{campaign}:start")
        return campaign

    async def import_csv(self, campaign: str, text: str) -> Any:
        """Sends a CSV file."""
        path = f"/v1/campaigns/{campaign}/recipients:import"
        return await self.call("POST", path, content=text.encode(), headers={"content-type": "text/csv"})

    async def counts(self, campaign: str) -> Mapping[str, int]:
        """A campaign's counts, those of zero left out."""
        found = (await self.call("GET", f"/v1/campaigns/{campaign}"))["counts"]
        return {name: count for name, count in found.items() if count}

    async def ended(self, campaign: str, within_s: float) -> Mapping[str, int]:
        """Waits until a campaign has ended; returns its counts."""
        async with asyncio.timeout(within_s):
            while True:
                found = await self.call("GET", f"/v1/campaigns/{campaign}")
                if found["state"] in ENDED:
                    return {name: count for name, count in found["counts"].items() if count}
                await asyncio.sleep(LOOK_S)

    async def sent(self, campaign: str, at_least: int, within_s: float = 30) -> None:
        """Waits until so many of a campaign are sent."""
        async with asyncio.timeout(within_s):
            while (await self.counts(campaign)).get("sent", 0) < at_least:
                await asyncio.sleep(LOOK_S)

    async def caught(self, *senders: str) -> list[dict[str, Any]]:
        """The mails in the catcher, the first first; of these senders, if any are named."""
        async with httpx.AsyncClient(base_url=self.system.urls["catcher"], trust_env=False) as catcher:
            answer = (await catcher.get("/api/messages", params={"limit": 2000})).json()
        assert answer["total"] == len(answer["messages"])
        return [mail for mail in reversed(answer["messages"]) if not senders or mail["sender"] in senders]

    async def contents(self, *senders: str) -> list[bytes]:
        """Of these senders' mails in the catcher: what came, byte for byte."""
        mails = await self.caught(*senders)
        async with httpx.AsyncClient(base_url=self.system.urls["catcher"], trust_env=False) as catcher:
            return [(await catcher.get(f"/api/messages/{mail['id']}")).content for mail in mails]


def recipients(mails: Iterable[Mapping[str, Any]]) -> Counter[str]:
    """How many mails each recipient got."""
    return Counter(mail["recipients"][0] for mail in mails)


def twice(mails: Iterable[Mapping[str, Any]]) -> list[str]:
    """Messages of which the catcher took more than one complete content."""
    return [name for name, count in Counter(mail["messageId"] for mail in mails).items() if count > 1]
