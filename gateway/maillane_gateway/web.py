"""Serves the web UI: the files that `make web` built, read once at start, and at its addresses its page."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

import structlog
from maillane_chassis.errors import NotFound
from starlette.requests import Request
from starlette.responses import Response

from maillane_gateway.http.routing import Route
from maillane_gateway.transcode.template import PathTemplate

PAGE: Final = "index.html"

SCREENS: Final = (
    "attention",
    "campaigns",
    "compose",
    "mailboxes",
    "members",
    "scheduled",
    "sent",
    "sign-in",
    "suppressions",
    "tokens",
)
"""First segments of the UI's own addresses: only these get the page, so that a mistyped call of the API is a 404."""

MAX_FILES: Final = 500
MAX_BYTES: Final = 32 * 1024 * 1024
"""Of all files: they are kept in memory. The UI has some 60, of 2 MiB with what is compressed beforehand."""

_TYPES: Final = {
    ".css": "text/css",
    ".html": "text/html",
    ".ico": "image/x-icon",
    ".js": "text/javascript",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}

_ENCODINGS: Final = {"br": ".br", "gzip": ".gz"}
"""In order of preference; the build lays a compressed file beside each that gains by it."""

HEADERS: Final[Mapping[str, str]] = {
    # Scripts and sheets only from here, none inline. Style attributes are allowed for the mail in the preview's frame,
    # which has this policy too; the frame is sandboxed, and runs nothing. Pictures of Google's accounts are the only
    # thing from elsewhere; a mail's own pictures are not loaded, for that would count as its recipient's opening it.
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; "
        "img-src 'self' data: https://*.googleusercontent.com; connect-src 'self'; font-src 'self'; "
        "frame-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}

_FOR_EVER: Final = "public, max-age=31536000, immutable"
"""Of files whose names hold a hash of what they hold."""

_HASHED: Final = re.compile(r"assets/[^/]+-[\w-]{8,}\.\w+")


@dataclass(frozen=True, slots=True)
class _File:
    """A file with its compressed forms, by content-encoding."""

    media_type: str
    cache: str
    forms: Mapping[str, bytes]
    tag: str

    async def __call__(self, request: Request, _variables: dict[str, str]) -> Response:
        accepted = {each.partition(";")[0].strip() for each in request.headers.get("accept-encoding", "").split(",")}
        encoding = next((name for name in _ENCODINGS if name in accepted and name in self.forms), "")
        tag = f'"{self.tag}{encoding and "-"}{encoding}"'
        headers = {**HEADERS, "cache-control": self.cache, "etag": tag, "vary": "accept-encoding"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        if encoding:
            headers["content-encoding"] = encoding
        return Response(self.forms[encoding], headers=headers, media_type=self.media_type)


def routes(folder: Path | None) -> Iterator[Route]:
    """The page at its addresses, and its files; none where there is no folder, or it was not built."""
    if folder is None:
        return
    if not (folder / PAGE).is_file():
        structlog.get_logger().warning("web_not_built", hint="make web")
        return
    files = dict(_read(folder))
    page = files.pop(PAGE)
    yield _open("/", page)
    for screen in SCREENS:
        yield _open(f"/{screen}", page)
        yield _open(f"/{screen}/{{rest=**}}", page)
    assets = {name.removeprefix("assets/"): file for name, file in files.items() if name.startswith("assets/")}
    # One route for all, for a table of routes is gone through in order.
    yield _open("/assets/{name}", _Assets(assets))
    for name, file in files.items():
        if not name.startswith("assets/"):
            yield _open(f"/{name}", file)


def _open(path: str, endpoint: "_File | _Assets") -> Route:
    return Route("GET", PathTemplate.parse(path), endpoint, open=True, quiet=True)


class _Assets:
    """Files by their names: what was not built is not there, whatever lies in the folder later."""

    def __init__(self, files: Mapping[str, _File]) -> None:
        self._files = files

    async def __call__(self, request: Request, variables: dict[str, str]) -> Response:
        file = self._files.get(variables["name"])
        if file is None:
            raise NotFound("this file is of another version of the page: load it again", reason="NO_SUCH_PATH")
        return await file(request, variables)


def _read(folder: Path) -> Iterator[tuple[str, _File]]:
    """Every file by its path in the folder.

    Raises:
        ValueError: the folder holds more than a UI does: it is the wrong one.
    """
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    if len(paths) > MAX_FILES or sum(path.stat().st_size for path in paths) > MAX_BYTES:
        raise ValueError(f"{folder} holds more than the web UI's files")
    for path in paths:
        media_type = _TYPES.get(path.suffix)
        if media_type is None:
            continue
        name = path.relative_to(folder).as_posix()
        forms = {"": path.read_bytes()}
        for encoding, suffix in _ENCODINGS.items():
            beside = path.with_name(path.name + suffix)
            if beside.is_file():
                forms[encoding] = beside.read_bytes()
        cache = _FOR_EVER if _HASHED.fullmatch(name) else "no-cache"
        yield name, _File(media_type, cache, forms, sha256(forms[""]).hexdigest()[:16])
