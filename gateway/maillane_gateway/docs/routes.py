"""Serves the OpenAPI document, and the page that shows it. All of it lies in this package: no internet is needed."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files

from google.protobuf.descriptor import ServiceDescriptor
from starlette.requests import Request
from starlette.responses import Response

from maillane_gateway.http.routing import Route
from maillane_gateway.openapi.document import build
from maillane_gateway.transcode.template import PathTemplate

PAGE = "index.html"

_TYPES = {"css": "text/css", "html": "text/html", "js": "text/javascript", "svg": "image/svg+xml"}

_HEADERS: Mapping[str, str] = {
    # Nothing from elsewhere, nothing inline: a token is typed into this page.
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
}


def routes(services: Sequence[ServiceDescriptor]) -> Iterator[Route]:
    """The document, the page, and the page's files."""
    document = json.dumps(build(services), ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    yield _route("/openapi.json", _Content(document, "application/json"))
    for file in files(__package__).joinpath("files").iterdir():
        content = _Content(file.read_bytes(), _TYPES[file.name.rpartition(".")[2]], _HEADERS)
        yield _route("/docs" if file.name == PAGE else f"/docs/{file.name}", content)


def _route(path: str, content: "_Content") -> Route:
    return Route("GET", PathTemplate.parse(path), content, open=True, quiet=True)


class _Content:
    """Bytes that change only with a new version."""

    def __init__(self, content: bytes, media_type: str, headers: Mapping[str, str] | None = None) -> None:
        self._content = content
        self._media_type = media_type
        tag = hashlib.sha256(content).hexdigest()[:16]
        self._headers = {**(headers or {}), "cache-control": "no-cache", "etag": f'"{tag}"'}

    async def __call__(self, request: Request, _variables: dict[str, str]) -> Response:
        if request.headers.get("if-none-match") == self._headers["etag"]:
            return Response(status_code=304, headers=self._headers)
        return Response(self._content, headers=self._headers, media_type=self._media_type)
