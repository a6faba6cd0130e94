"""Signing in on the machine that the whole system runs on."""

import httpx
from maillane_local.system import System

CSRF = {"x-maillane-csrf": "1"}


async def test_who_sits_at_the_machine_works_in_the_first_workspace_until_they_sign_out(system: System) -> None:
    """As its admin; what they do is in the audit under their name."""
    async with httpx.AsyncClient(base_url=system.urls["gateway"], headers=CSRF, trust_env=False) as browser:
        offered = (await browser.get("/auth/providers")).json()
        signed_in = await browser.post("/auth/local")
        who = (await browser.get("/v1/identity")).json()
        await browser.post("/v1/suppressions", json={"emails": ["signed-in@example.com"]})
        audit = (await browser.get("/v1/audit", params={"pageSize": 200})).json()["entries"]
        await browser.post("/auth/sign-out")
        after = await browser.get("/v1/identity")

    assert offered == {"provider": None, "local": True}
    assert (signed_in.status_code, after.status_code) == (200, 401)
    assert (who["workspace"]["name"], who["role"], who["user"]["name"]) == ("default", "ROLE_ADMIN", "Local user")
    assert ("suppressions.add", who["user"]["id"]) in {(entry["verb"], entry["userId"]) for entry in audit}
