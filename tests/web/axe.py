"""axe in a page: what it finds that people with other eyes, ears or hands would stumble over."""

from functools import cache
from typing import Any

from playwright.sync_api import Page

from .chromium import FOLDER


def violations(page: Page, *, only: tuple[str, ...] = ()) -> list[str]:
    """What axe finds in the page as it stands, a line each.

    Args:
        only: these of its rules; all of them, if none is named.
    """
    # Through the debugger: the page's policy, which lets no script in, stays as it is.
    page.evaluate(_axe())
    found: list[dict[str, Any]] = page.evaluate(
        "only => axe.run({ resultTypes: ['violations'], ...(only.length ? { runOnly: only } : {}) })"
        ".then(({ violations }) => violations)",
        list(only),
    )
    return [
        f"{one['id']}: {node['html'][:200]} {node['failureSummary'].splitlines()[-1].strip()}"
        for one in found
        for node in one["nodes"]
    ]


@cache
def _axe() -> str:
    return (FOLDER / "node_modules/axe-core/axe.min.js").read_text()
