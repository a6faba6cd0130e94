"""The whole system as people meet it: in a browser, before a provider that knows them and mail servers of all kinds."""

import asyncio
import dataclasses
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import urlsplit

import oidc_provider_mock
from faults.certificate import tls
from faults.misbehaviour import DROP, Act, Rule, Stage
from faults.sink import Sink
from maillane_local.logs import log_files
from maillane_local.parts import parts
from maillane_local.ports import LOOPBACK, free_ports
from maillane_local.service import Service
from maillane_local.settings import LocalSettings
from maillane_local.system import System
from playwright.sync_api import APIResponse, Browser, BrowserContext, ConsoleMessage, Page, Request

from .chromium import PATIENCE_MS, ROOT

DIST: Final = ROOT / ".build/web/dist"
CSRF: Final = {"x-maillane-csrf": "1"}
ZONE: Final = "Europe/Berlin"
PHONE: Final = {"width": 375, "height": 720}
DESK: Final = {"width": 1280, "height": 800}

DROPPED: Final = "hello@tidewell.example"
"""From this mailbox the counting server takes a mail and hangs up before it answers, the first time."""

REFUSED: Final = "billing@tidewell.example"
"""Who signs in to the counting server by this name has a wrong password."""

_BAD_PASSWORD: Final = Act("535 5.7.8 Username and Password not accepted")


@dataclass(frozen=True, slots=True)
class House:
    """Where everything is.

    Attributes:
        home: the gateway where who sits at the machine signs in without a provider.
        base: one beside it, before the same scheduler, that asks the provider.
        issuer: the provider, which believes whoever says who they are.
        server: counts mail; its certificate holds.
        stranger: a mail server whose certificate nobody vouches for.
        silent: a port on which nobody listens.
    """

    home: str
    base: str
    issuer: str
    system: System
    server: Sink
    stranger: Sink
    silent: int

    @property
    def catcher(self) -> dict[str, Any]:
        """The catcher, as a mailbox's server."""
        host, port = self.system.urls["smtp"].split(":")
        return {"host": host, "port": int(port), "security": "SECURITY_NONE"}

    def counting(self, username: str) -> dict[str, Any]:
        """The counting server, as a mailbox's."""
        where = {"host": "localhost", "port": self.server.port, "security": "SECURITY_STARTTLS"}
        return {**where, "username": username, "password": "s3cret"}


class Person:
    """Somebody at a browser of their own."""

    def __init__(self, house: House, browser: Browser, name: str, **look: Any) -> None:
        """Opens the browser, and no page of ours yet.

        Args:
            look: of the browser: its size, colours, motion.
        """
        self.house = house
        self.address = f"{name.lower().replace(' ', '.')}@example.com"
        self.name = name
        self.troubles: list[str] = []
        given = {"viewport": DESK, "timezone_id": ZONE, "locale": "en-GB", "reduced_motion": "reduce", **look}
        self.context: BrowserContext = browser.new_context(base_url=house.base, **given)
        self.context.set_default_timeout(PATIENCE_MS)
        self.page: Page = self.context.new_page()
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))
        self.page.on("console", self._note_if_trouble)
        self.page.on("request", self._note_if_elsewhere)

    def is_known(self, **claims: Any) -> None:
        """What the provider says of them."""
        told = {"email": self.address, "email_verified": True, "name": self.name, **claims}
        assert self.context.request.put(f"{self.house.issuer}/users/{self.address}", data=told).ok

    def signs_in(self) -> Self:
        """By the provider, without the page; they have a workspace of their own from then on."""
        self.is_known()
        asked = self.context.request.get("/auth/sign-in", max_redirects=0).headers["location"]
        answer = self.context.request.post(asked, form={"sub": self.address})
        assert answer.ok, answer.text()
        return self

    def leaves(self) -> None:
        """Closes the browser, which must not have had any trouble."""
        self.context.close()
        assert self.troubles == []

    def call(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        """A call of the API in their session, which must succeed; `body` is JSON, or the text of a CSV."""
        headers = {**CSRF, "content-type": "text/csv" if isinstance(body, str) else "application/json"}
        answer: APIResponse = self.context.request.fetch(path, method=method, data=body, headers=headers, **options)
        assert answer.ok, answer.text()
        return answer.json()

    def has_mailbox(self, address: str, **fields: Any) -> str:
        """A mailbox whose server is the catcher, unless another is named; returns its id."""
        return str(self.call("POST", "/v1/mailboxes", {"address": address, "smtp": self.house.catcher, **fields})["id"])

    def has_campaign(self, name: str, mailboxes: list[str], recipients: list[str], **fields: Any) -> str:
        """A started campaign; returns its id."""
        body = {"name": name, "mailboxIds": mailboxes, "template": {"subject": name, "text": "Dear reader."}, **fields}
        campaign = str(self.call("POST", "/v1/campaigns", body)["id"])
        self.call("POST", f"/v1/campaigns/{campaign}/recipients:import", "\n".join(["email", *recipients]))
        self.call("POST", f"/v1/campaigns/{campaign}:start", {})
        return campaign

    def _note_if_trouble(self, said: ConsoleMessage) -> None:
        # What the content-security-policy refuses is said here, too. An answer of 4xx is the page's own matter.
        if said.type == "error" and "Failed to load" not in said.text:
            self.troubles.append(said.text)

    def _note_if_elsewhere(self, asked: Request) -> None:
        # What the provider's own page asks for is its matter.
        is_ours = urlsplit(asked.frame.url).hostname == LOOPBACK
        if is_ours and urlsplit(asked.url).hostname not in (LOOPBACK, "localhost", None):
            self.troubles.append(f"asked for {asked.url}")


@contextmanager
def opened(folder: Path) -> Iterator[House]:
    """The house, until the body has ended."""
    certificate, trust = tls(folder)
    (folder / "stranger").mkdir()
    unknown, _ = tls(folder / "stranger")
    with (
        Sink(seed=1, tls=certificate) as server,
        Sink(seed=1, tls=unknown) as stranger,
        oidc_provider_mock.run_server_in_thread(require_nonce=True) as provider,
    ):
        server.misbehaviour.add(
            Rule(Stage.DOT, DROP, sender=DROPPED, times=1), Rule(Stage.AUTH, _BAD_PASSWORD, sender=REFUSED)
        )
        catcher, silent = free_ports(2)
        told = {
            "MAILLANE_WEB_DIR": str(DIST),
            "MAILLANE_SMTP_PORTS": f"{catcher},{silent},{server.port},{stranger.port}",
            **trust,
        }
        settings = LocalSettings.on_free_ports(folder).model_copy(update={"catcher_smtp_port": catcher})
        system = System(folder / "data", told, settings=settings)
        asyncio.run(system.__aenter__())
        try:
            issuer = f"http://localhost:{provider.server_port}"
            gateway, base = _asks(system, told, issuer)
            asyncio.run(gateway.start())
            try:
                yield House(system.urls["gateway"], base, issuer, system, server, stranger, silent)
            finally:
                asyncio.run(gateway.stop())
        finally:
            asyncio.run(system.stop())


def _asks(system: System, told: Mapping[str, str], issuer: str) -> tuple[Service, str]:
    """A second gateway, which asks a provider; and its address."""
    assert system._ports is not None
    assert system._stores is not None
    gateway, metrics = free_ports(2)
    ports = dataclasses.replace(system._ports, gateway=gateway, gateway_metrics=metrics)
    base = f"http://{LOOPBACK}:{ports.gateway}"
    asking = {
        "MAILLANE_OIDC_ISSUER": issuer,
        "MAILLANE_OIDC_CLIENT_ID": "maillane",
        "MAILLANE_OIDC_CLIENT_SECRET": "s3cret",
        "MAILLANE_OIDC_NAME": "Acme",
        "MAILLANE_PUBLIC_URL": base,
    }
    part = parts(system._stores, system.secrets, ports, {**told, **asking})["gateway"]
    return Service(part, log_files(system.folder.path / "log")), base
