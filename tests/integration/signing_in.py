"""A gateway before a real IdentityService and a real provider, and browsers that sign in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import httpx
import oidc_provider_mock
from maillane.scheduler.v1 import identity_service_pb2, identity_service_pb2_grpc
from maillane_chassis.channel import open_channel
from maillane_chassis.server import Registration, Server
from maillane_chassis.settings import ServiceSettings
from maillane_gateway import app
from maillane_gateway.server import HttpServer
from maillane_gateway.settings import GatewaySettings
from maillane_local.ports import free_port
from maillane_scheduler.api.authenticator import Authenticator
from maillane_scheduler.api.identity_service import IdentityService
from maillane_scheduler.api_token import Role, digest, new_secret
from maillane_scheduler.session import SessionLimits
from maillane_scheduler.store import identity
from maillane_scheduler.store.audit import Actor
from maillane_scheduler.store.engine import open_engine
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine

KEY = "the-key-of-the-services-of-a-test"
LIMITS = SessionLimits(idle_s=3600, absolute_s=86_400)
CSRF = {"x-maillane-csrf": "1"}


@dataclass
class Provider:
    """A provider that believes whoever says who they are."""

    issuer: str

    def knows(self, subject: str, **claims: Any) -> None:
        """What it says of a subject."""
        told = {"email": subject, "email_verified": True, **claims}
        httpx.put(f"{self.issuer}/users/{quote(subject)}", json=told).raise_for_status()


@contextmanager
def provider() -> Iterator[Provider]:
    """One on loopback. It insists on a nonce."""
    with oidc_provider_mock.run_server_in_thread(require_nonce=True) as server:
        yield Provider(f"http://localhost:{server.server_port}")


@dataclass
class Browser:
    """Keeps cookies, and follows nothing by itself."""

    base: str
    client: httpx.AsyncClient
    cookie: str

    async def leave(self, path: str = "/") -> str:
        """Goes to sign in; gives where the provider is asked."""
        answer = await self.client.get("/auth/sign-in", params={"return": path})
        return answer.headers["location"]

    async def say_who(self, asked: str, subject: str, **form: str) -> str:
        """Is somebody at the provider; gives where that sends the browser back."""
        async with httpx.AsyncClient() as other:
            answer = await other.post(asked, data={"sub": subject, **form})
        return answer.headers["location"]

    async def sign_in(self, subject: str, path: str = "/") -> httpx.Response:
        """All of it; gives the answer to the callback."""
        return await self.client.get(await self.say_who(await self.leave(path), subject))

    def plant(self, secret: str) -> None:
        """Puts a session's secret into its cookies."""
        self.client.cookies.set(self.cookie, secret, domain="127.0.0.1", path="/")

    @property
    def secret(self) -> str:
        """Of the session; empty: there is none."""
        return self.client.cookies.get(self.cookie) or ""

    async def who(self, **changes: Any) -> httpx.Response:
        """Who the gateway says it is."""
        return await self.client.get("/v1/identity", **changes)


def reason(answer: httpx.Response) -> str:
    """Why the sign-in page says that it came to nothing; empty: it did not."""
    where = urlsplit(answer.headers["location"])
    return parse_qs(where.query)["error"][0] if where.path == "/sign-in" else ""


@dataclass
class House:
    """A gateway with a scheduler's identities behind it, and a workspace with an admin's token."""

    base: str
    cookie: str
    engine: AsyncEngine
    identities: IdentityService
    workspace: int
    token: str
    _browsers: list[httpx.AsyncClient] = field(default_factory=list)

    def browser(self) -> Browser:
        """A new one."""
        client = httpx.AsyncClient(base_url=self.base, timeout=20)
        self._browsers.append(client)
        return Browser(self.base, client, self.cookie)

    async def admin(self, verb: str, path: str, **body: Any) -> Any:
        """What a program with an admin's token asks."""
        async with httpx.AsyncClient(base_url=self.base, headers={"authorization": f"Bearer {self.token}"}) as client:
            answer = await client.request(verb, path, json=body or None)
        answer.raise_for_status()
        return answer.json()

    async def close(self) -> None:
        for client in self._browsers:
            await client.aclose()


@asynccontextmanager
async def house(database_url: str, issuer: str, **changes: Any) -> AsyncIterator[House]:
    """Serves for as long as the body runs."""
    port = free_port()
    told = {
        "gateway_port": port,
        "public_url": f"http://127.0.0.1:{port}",
        "oidc_issuer": issuer,
        "oidc_client_id": "maillane",
        "oidc_client_secret": SecretStr("s3cret"),
        **changes,
    }
    settings = GatewaySettings(service_key=SecretStr(KEY), **told)
    engine = open_engine(database_url, 5)
    nothing_to_tell: Any = None
    identities = IdentityService(engine, nothing_to_tell, LIMITS, sign_up=False)
    scheduler = Server(
        ServiceSettings(service_key=SecretStr(KEY)),
        0,
        [
            Registration(
                identity_service_pb2.DESCRIPTOR.services_by_name["IdentityService"],
                identity_service_pb2_grpc.add_IdentityServiceServicer_to_server,
                identities,
            )
        ],
        authenticate=Authenticator(engine, LIMITS),
    )
    await scheduler.start()
    channel = open_channel(f"127.0.0.1:{scheduler.port}", settings, service=False)
    # Nothing here asks a sender.
    server = HttpServer(app.build(channel, channel, settings, asyncio.Event()), "127.0.0.1", port, drain_s=1)
    await server.start()
    workspace, token = await _workspace(engine)
    made = House(f"http://127.0.0.1:{port}", f"maillane-{port}", engine, identities, workspace, token)
    yield made
    await made.close()
    await server.stop()
    await channel.close()
    await scheduler.stop(0)
    await engine.dispose()


async def _workspace(engine: AsyncEngine) -> tuple[int, str]:
    secret = new_secret()
    async with engine.begin() as connection:
        workspace = await identity.create_workspace(connection, "acme")
        await identity.create_token(connection, Actor(workspace, None, "test"), "admin", Role.ADMIN, digest(secret))
    return workspace, secret
