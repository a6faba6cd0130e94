"""The web side: pages for people, JSON for tests."""

from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from maillane_local.catcher import pages
from maillane_local.catcher.store import KEPT_MAILS, Mail, Store

LISTED: Final = 100
"""Mails in a list, unless the caller says otherwise."""

PAGE_HEADERS: Final = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; base-uri 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}

BODY_HEADERS: Final = {
    # A mail may hold anything: it runs no script, loads nothing, and is of no origin.
    "content-security-policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


def app(store: Store) -> Starlette:
    """The pages and the API over a store of mails."""

    async def index(_request: Request) -> Response:
        return HTMLResponse(pages.index(store.newest(LISTED), store.total), headers=PAGE_HEADERS)

    async def one(request: Request) -> Response:
        return HTMLResponse(pages.mail(_mail(store, request)), headers=PAGE_HEADERS)

    async def body(request: Request) -> Response:
        text, media_type = pages.body(_mail(store, request))
        return Response(text, media_type=media_type, headers=BODY_HEADERS)

    async def listed(request: Request) -> Response:
        mails = [_summary(mail) for mail in store.newest(_limit(request))]
        return JSONResponse({"messages": mails, "total": store.total})

    async def raw(request: Request) -> Response:
        return Response(_mail(store, request).content, media_type="text/plain; charset=utf-8", headers=BODY_HEADERS)

    async def clear(_request: Request) -> Response:
        store.clear()
        return Response(status_code=204)

    return Starlette(
        routes=[
            Route("/", index),
            Route("/messages/{id:int}", one),
            Route("/messages/{id:int}/body", body),
            Route("/api/messages", listed, methods=["GET"]),
            Route("/api/messages", clear, methods=["DELETE"]),
            Route("/api/messages/{id:int}", raw),
        ],
        # A page elsewhere that lets its name point to this machine must not read mails here.
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])],
    )


def _mail(store: Store, request: Request) -> Mail:
    mail = store.get(request.path_params["id"])
    if mail is None:
        raise HTTPException(404, "no such mail, or no longer")
    return mail


def _limit(request: Request) -> int:
    text = request.query_params.get("limit", str(LISTED))
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= KEPT_MAILS:
        raise HTTPException(400, f"limit: a number from 1 to {KEPT_MAILS}")
    return int(text)


def _summary(mail: Mail) -> dict[str, object]:
    return {
        "id": mail.id,
        "receivedTime": mail.received.isoformat(),
        "sender": mail.sender,
        "recipients": list(mail.recipients),
        "subject": mail.header("subject"),
        "messageId": mail.header("message-id"),
        "size": len(mail.content),
    }
