"""The page that shows the API needs nothing from elsewhere, and lets nothing inline run."""

import re
from importlib.resources import files

import httpx
import pytest

pytestmark = pytest.mark.asyncio(loop_scope="module")

FILES = {file.name: file.read_text("utf-8") for file in files("maillane_gateway.docs").joinpath("files").iterdir()}


async def test_the_page_is_open_and_strict(gateway):
    """No token, and a policy under which only its own files run."""
    async with httpx.AsyncClient(base_url=gateway.client.base_url) as stranger:
        response = await stranger.get("/docs")

    policy = response.headers["content-security-policy"]
    assert (response.status_code, response.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "default-src 'none'; script-src 'self'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("name", [name for name in FILES if name != "index.html"])
async def test_its_files_are_served(client, scheduler, name):
    """With the types that browsers insist on."""
    response = await client.get(f"/docs/{name}")

    kind = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}[name.rpartition(".")[2]]
    assert response.headers["content-type"].partition(";")[0] == kind
    assert response.text == FILES[name]


@pytest.mark.parametrize("name", list(FILES))
async def test_nothing_comes_from_elsewhere(name):
    """No address of another host, nothing inline, and text is never made markup."""
    foreign = [url for url in re.findall(r"https?://[^\s\"')]+", FILES[name]) if url != "http://www.w3.org/2000/svg"]

    assert foreign == []
    assert not re.search(r"innerHTML|style=|\son\w+=\"|eval\(|<script>", FILES[name])


async def test_what_it_refers_to_is_there(client, scheduler):
    """Every file that the page and its scripts name."""
    named = {path for text in FILES.values() for path in re.findall(r"/docs/[\w.]+", text)}

    assert {(await client.get(path)).status_code for path in named} == {200}


async def test_traversal_finds_nothing(client, scheduler):
    """There is a route for each file, and for nothing else."""
    response = await client.get("/docs/%2e%2e%2fsettings.py")

    assert response.status_code == 404
