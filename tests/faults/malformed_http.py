"""HTTP requests that are wrong somewhere, made from our OpenAPI document: in framing, headers, path, query or body."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from . import hostile_text
from .malformed_body import Bodies

SPARED: Final = frozenset({"RevokeToken", "StopWorkspace"})
"""What would, rightly, end the token or the workspace that this is made with."""

# fmt: off
METHODS: Final = ("GET", "POST", "PATCH", "DELETE", "PUT", "HEAD", "OPTIONS", "TRACE", "CONNECT", "get")
IDS: Final = (
    "0", "-1", "1", "2", "9" * 19, "9" * 400, "1e3", "0x1", "٣", "", " ", "..", "%00", "%ff", "a%2fb", "1;x", "~",
)
VALUES: Final = ("true", "-5", "1.5", "99999999999", "CAMPAIGN_STATE_ACTIVE", "e30", "WyIxIl0")
TAILS: Final = ("/", "//", ":start", ":nothing", "/../..", "?", "%", "%zz")
TYPES: Final = (
    "", "text/csv", "application/json; charset=utf-16", "multipart/form-data", "multipart/form-data; boundary=x",
    "application/x-www-form-urlencoded", "\xff/\xfe", "application/json" + ";a=b" * 500,
)
HEADERS: Final = (
    "X-Request-Id", "Accept", "Accept-Encoding", "Content-Encoding", "Cookie", "Range", "If-None-Match", "Origin",
)
# fmt: on


@dataclass(frozen=True, slots=True)
class Noise:
    """One request as bytes. `framed`: it ends where it says, so that there must be an answer on a whole connection."""

    raw: bytes
    framed: bool


class HttpNoise:
    """Makes requests. `ids` are of things that exist; the token is a good one."""

    def __init__(self, document: Mapping[str, Any], token: str, ids: Sequence[str], chance: random.Random) -> None:
        self._token = token
        self._ids = (*ids, *IDS)
        self._chance = chance
        self._bodies = Bodies(document, self._ids, chance)
        self._operations = [
            (verb.upper(), path, operation)
            for path, verbs in document["paths"].items()
            for verb, operation in verbs.items()
            if operation.get("operationId") not in SPARED
        ]

    def request(self) -> Noise:
        """Any one."""
        if self._rarely():
            return Noise(self._unframed(), framed=False)
        verb, path, operation = self._chance.choice(self._operations)
        if self._rarely():
            verb = self._chance.choice(METHODS)
        headers = self._headers()
        body = self._body(operation, headers) if "requestBody" in operation or self._rarely() else b""
        if body or verb in ("POST", "PATCH", "PUT"):
            headers["Content-Length"] = str(len(body))
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = f"{verb} {self._target(path, operation)} HTTP/1.1\r\nHost: gateway\r\n{lines}\r\n"
        return Noise(head.encode("latin-1", "replace") + body, framed=True)

    def _rarely(self) -> bool:
        return self._chance.random() < 0.1

    def _target(self, path: str, operation: Mapping[str, Any]) -> str:
        parameters = operation.get("parameters", [])
        for parameter in parameters:
            if parameter["in"] == "path":
                value = self._chance.choice(self._ids) if self._chance.random() < 0.8 else self._quoted()
                path = path.replace("{" + parameter["name"] + "}", value or "-")
        if self._rarely():
            path += self._chance.choice((*TAILS, "/" + self._quoted()))
        path = "".join(letter for letter in path if "!" <= letter <= "~") or "/"
        names = [parameter["name"] for parameter in parameters if parameter["in"] == "query"]
        pairs = [f"{name}={self._value()}" for name in names if self._chance.random() < 0.4]
        if self._rarely():
            pairs += [f"{self._quoted()}={self._quoted()}" for _ in range(self._chance.choice((1, 3, 150)))]
        self._chance.shuffle(pairs)
        return path + ("?" + "&".join(pairs) if pairs else "")

    def _value(self) -> str:
        if self._chance.random() < 0.5:
            found = self._chance.choice((*self._ids, *VALUES))
            return "".join(letter for letter in found if "!" <= letter <= "~")
        return self._quoted()

    def _quoted(self) -> str:
        return quote(hostile_text.text(self._chance)[:600], safe="")

    def _headers(self) -> dict[str, str]:
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        if self._rarely():
            wrong = ("", "Bearer", "Bearer  ", f"Basic {self._token}", "Bearer \xff", "Service " + "k" * 32)
            headers["Authorization"] = self._chance.choice((*wrong, f"Bearer {'x' * 5000}"))
        if self._rarely():
            headers["Content-Type"] = self._chance.choice(TYPES)
        if self._rarely():
            letters = (9, *range(32, 127), *range(160, 256))
            headers[self._chance.choice(HEADERS)] = "".join(chr(self._chance.choice(letters)) for _ in range(60))
        return headers

    def _body(self, operation: Mapping[str, Any], headers: dict[str, str]) -> bytes:
        content = operation.get("requestBody", {}).get("content", {})
        if "text/csv" in content:
            headers["Content-Type"], raw = self._bodies.csv()
            return raw
        return self._bodies.json(content.get("application/json", {}).get("schema", {}))

    def _unframed(self) -> bytes:
        """No request, or one that does not end where it says."""
        good = f"Host: g\r\nAuthorization: Bearer {self._token}\r\nContent-Type: application/json\r\n".encode()
        head = b"POST /v1/campaigns HTTP/1.1\r\n" + good
        chance = self._chance
        return chance.choice(
            (
                chance.randbytes(chance.randrange(1, 400)),
                b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + chance.randbytes(200),
                b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + chance.randbytes(40),
                b"EHLO me\r\nMAIL FROM:<a@b>\r\n",
                b"GET /v1/campaigns\r\n\r\n",
                b"GET /v1/campaigns HTTP/9.9\r\n\r\n",
                b"GET  /v1/campaigns  HTTP/1.1\r\nHost: g\r\n\r\n",
                b"F\x7fOO / HTTP/1.1\r\nHost: g\r\n\r\n",
                b"GET http://evil.example/v1/campaigns HTTP/1.1\r\nHost: g\r\n\r\n",
                b"GET /v1/\xff\xfe HTTP/1.1\r\nHost: g\r\n\r\n",
                b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\nHost: g\r\n\r\n",
                b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(4_000)) + b"\r\n",
                b"GET / HTTP/1.1\r\nHost: g\r\nX: " + b"y" * 50_000 + b"\r\n\r\n",
                b"GET / HTTP/1.1\r\nHost: g\r\nX\0Y: z\r\n\r\n",
                b"GET / HTTP/1.1\r\nHost: g\r\n folded: z\r\n\r\n",
                b"GET / HTTP/1.1\nHost: g\n\n",
                head + b"Content-Length: 100\r\n\r\n{}",
                head + b"Content-Length: -1\r\n\r\n{}",
                head + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
                head + b"Content-Length: 99999999999999999999\r\n\r\n{}",
                head + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                head + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n{}\r\n0\r\n\r\n",
                head + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n{}",
                head + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}",
                head + b"Transfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
                head + b"Expect: 200-maybe\r\nContent-Length: 2\r\n\r\n{}",
                head + b"Upgrade: websocket\r\nConnection: Upgrade\r\nContent-Length: 2\r\n\r\n{}",
                head.replace(b"Host: g\r\n", b"") + b"\r\n",
                head + b"Host: other\r\n\r\n",
            )
        )
