"""The catcher's pages, as HTML."""

from collections.abc import Iterable
from email.message import EmailMessage
from html import escape
from string import Template
from typing import Final

from maillane_local.catcher.smtp import BOUNCE, BOUNCED, DEFER, DEFERRED
from maillane_local.catcher.store import Mail

_PAGE: Final = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
$head
<title>$title</title>
<style>
  :root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
  body { max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
  table { border-collapse: collapse; width: 100%; }
  th, td { text-align: left; padding: .35rem .75rem .35rem 0; border-bottom: 1px solid #8884; vertical-align: top; }
  td { overflow-wrap: anywhere; }
  th { font-weight: 600; white-space: nowrap; }
  iframe { width: 100%; height: 60vh; border: 1px solid #8884; background: #fff; color-scheme: light; }
  .note { color: #888; }
  time, .number { font-variant-numeric: tabular-nums; white-space: nowrap; }
</style>
</head>
<body>
$body
</body>
</html>
""")

_HEADERS: Final = ("From", "To", "Subject", "Date", "Message-ID", "List-Unsubscribe")


def index(mails: Iterable[Mail], total: int) -> str:
    """The list of the newest mails."""
    rows = "\n".join(map(_row, mails))
    table = f"<table><tr><th>Time<th>To<th>From<th>Subject</tr>\n{rows}</table>" if rows else "<p>None yet.</p>"
    body = f"""<h1>{total} {"mail" if total == 1 else "mails"}</h1>
<p class="note">What Maillane delivers on this machine ends here; nothing goes out. A recipient that begins with
<code>{BOUNCE}</code> is refused ({escape(BOUNCED)}), one that begins with <code>{DEFER}</code> is put off
({escape(DEFERRED)}). For programs: <a href="/api/messages">/api/messages</a>.</p>
{table}"""
    return _PAGE.substitute(title=f"{total} mails", body=body, head='<meta http-equiv="refresh" content="3">')


def mail(one: Mail) -> str:
    """One mail: its envelope, its headers, and a frame for its body."""
    shown = [(name, one.header(name)) for name in _HEADERS]
    fields = [("Envelope from", one.sender), ("Envelope to", ", ".join(one.recipients)), *shown]
    rows = "\n".join(f"<tr><th>{escape(name)}<td>{escape(value)}</tr>" for name, value in fields if value)
    subject = one.header("subject") or "(no subject)"
    body = f"""<p><a href="/">All mails</a> · <a href="/api/messages/{one.id}">as it came</a></p>
<h1>{escape(subject)}</h1>
<table>{rows}</table>
<p></p>
<iframe sandbox title="The mail's body" src="/messages/{one.id}/body"></iframe>"""
    return _PAGE.substitute(title=escape(subject), body=body, head="")


def body(one: Mail) -> tuple[str, str]:
    """The body that a mail program would show first, and its media type; never anything but text."""
    part = one.parsed().get_body(("html", "plain"))
    if not isinstance(part, EmailMessage):
        return "", "text/plain; charset=utf-8"
    media_type = "text/html" if part.get_content_type() == "text/html" else "text/plain"
    try:
        text = str(part.get_content())
    except (LookupError, ValueError):  # an unknown charset, or bytes that are not of it
        payload = part.get_payload(decode=True)
        text = payload.decode("utf-8", errors="replace") if isinstance(payload, bytes) else ""
    return text, f"{media_type}; charset=utf-8"


def _row(one: Mail) -> str:
    subject = one.header("subject") or "(no subject)"
    return (
        f"<tr><td><time>{one.received:%H:%M:%S}</time>"
        f"<td>{escape(', '.join(one.recipients))}"
        f"<td>{escape(one.sender)}"
        f'<td><a href="/messages/{one.id}">{escape(subject)}</a></tr>'
    )
