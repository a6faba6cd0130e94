"""What a recipient reads. One style, no script, nothing from elsewhere."""

import base64
import hashlib
from html import escape

from maillane.scheduler.v1.suppression_service_pb2 import UnsubscribeResponse
from starlette.responses import Response

_STYLE = """
:root{color-scheme:light dark}
body{margin:0;min-height:100vh;display:grid;place-items:center;background:#f6f6f4;color:#1c1c1a;
font:16px/1.5 -apple-system,"Segoe UI",Roboto,"Helvetica Neue",sans-serif}
main{box-sizing:border-box;width:100%;max-width:480px;padding:32px 24px}
h1{margin:0 0 8px;font-size:20px;line-height:28px;font-weight:600}
p{margin:0 0 20px}
button{min-height:44px;padding:0 20px;border:0;border-radius:6px;background:#1c1c1a;color:#fff;font:inherit;
font-weight:500;cursor:pointer}
button:focus-visible{outline:2px solid #2f5bea;outline-offset:2px}
@media (prefers-color-scheme:dark){body{background:#131312;color:#ededea}button{background:#ededea;color:#1c1c1a}}
"""

_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; "
        f"style-src 'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-robots-tag": "noindex, nofollow",
}

# As RFC 8058 has it, so that the page's form and a provider's one click are the same request.
_FORM = (
    '<form method="post"><input type="hidden" name="List-Unsubscribe" value="One-Click">'
    '<button type="submit">Unsubscribe</button></form>'
)


def question(about: UnsubscribeResponse) -> Response:
    """Asks before anything is done."""
    if about.test:
        return _test()
    if about.unsubscribed:
        return done(about)
    text = f"<b>{escape(about.sender)}</b> will not write to {escape(about.masked_recipient)} any more."
    return _page("Unsubscribe from these emails?", f"<p>{text}</p>{_FORM}")


def done(about: UnsubscribeResponse) -> Response:
    """Says that it is done, also where it was done before."""
    if about.test:
        return _test()
    text = f"{escape(about.masked_recipient)} gets no more emails from <b>{escape(about.sender)}</b>."
    return _page("You are unsubscribed", f"<p>{text} An email that was on its way already may still arrive.</p>")


def invalid() -> Response:
    """A link that was not made here, was cut off, or whose message is gone."""
    text = "It may have been cut off. Open it from the email again, or answer the email and ask to be left out."
    return _page("This link is not valid", f"<p>{text}</p>", 404)


def away() -> Response:
    """Nothing was done."""
    text = "Nothing was changed. Try again in a minute."
    return _page("This does not work now", f"<p>{text}</p>", 503, {"retry-after": "60"})


def _test() -> Response:
    return _page("This email was a test", "<p>In a real one, this page ends emails to whom it was sent.</p>")


def _page(title: str, content: str, code: int = 200, headers: dict[str, str] | None = None) -> Response:
    page = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style></head><body><main><h1>{title}</h1>{content}</main></body></html>"
    )
    return Response(page, code, {**_HEADERS, **(headers or {})}, "text/html")
