"""What is wrong with a message as a server took it."""

import email
import email.policy
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from email.message import EmailMessage
from typing import Final

from .real_servers import Taken

HEADERS: Final = Counter(("to", "subject", "date", "message-id", "from", "mime-version", "content-type"))
UNSUBSCRIBE: Final = Counter(("list-unsubscribe", "list-unsubscribe-post"))
"""Both, where the deployment has a public address, or neither."""
PARTS: Final = ["multipart/alternative", "text/plain", "text/html"]
PART_HEADERS: Final = Counter(("content-type", "content-transfer-encoding"))

_MARK = re.compile(r"(?:^|\n)\.\nmark (\d+) of (\d+)\n?\Z")
_ADDRESS = re.compile(r"[^\s<>()\[\],;:\\\"@\x00-\x20\x7f]+@[A-Za-z0-9.-]+")


def faults(taken: Taken, senders: Mapping[int, str]) -> list[str]:
    """In words, the same for the same fault; none where all is right. `senders`: the mailboxes' addresses, by batch."""
    return list(_faults(taken, senders))


def _faults(taken: Taken, senders: Mapping[int, str]) -> Iterator[str]:
    content = taken.content.replace(b"\r\n", b"\n")
    if b"\r" in content:
        yield "a bare CR"
    head, _, _ = content.partition(b"\n\n")
    names = _names(head)
    if names not in (HEADERS, HEADERS + UNSUBSCRIBE):
        yield f"headers: {sorted((names - HEADERS).items())} more, {sorted((HEADERS - names).items())} fewer"
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    if [part.get_content_type() for part in message.walk()] != PARTS:
        yield "parts"
        return
    if any(part.defects for part in message.walk()):
        yield f"defects: {[defect for part in message.walk() for defect in part.defects]}"
    text, html = (part.get_content() for part in message.iter_parts())
    found = _MARK.search(text)
    if found is None:
        yield "the text does not end as it should"
        return
    if "<script" in html or "</p>" not in html:
        yield "HTML that is not escaped"
    yield from _addressing(taken, message, senders[int(found[2])])


def _addressing(taken: Taken, message: EmailMessage, sender: str) -> Iterator[str]:
    if taken.sender != sender:
        yield f"sender {taken.sender!r} is not {sender!r}"
    if len(taken.recipients) != 1 or not _ADDRESS.fullmatch(taken.recipients[0]):
        yield f"recipients: {taken.recipients}"
    if _authors(message) != [sender]:
        yield f"From: {_raw(message, 'From')}"
    if _raw(message, "To").split(",") != [*taken.recipients]:
        yield f"To: {_raw(message, 'To')}"


def _authors(message: EmailMessage) -> list[str]:
    try:
        return [address.addr_spec for address in message["From"].addresses]
    except ValueError:
        return [_raw(message, "From").rpartition("<")[2].removesuffix(">")]


def _raw(message: EmailMessage, name: str) -> str:
    """A header as text, unfolded and not decoded.

    Python's parser has its own opinion of local parts that are not ASCII, and decodes encoded words in addresses, where
    RFC 2047 §5 has none: of one that holds a line break, encoded, it makes an error.
    """
    raw = next(value for key, value in message.raw_items() if key == name)
    return str(raw).replace("\n", "").encode("ascii", "surrogateescape").decode("utf-8", "replace").strip()


def _names(head: bytes) -> Counter[str]:
    lines = [line for line in head.split(b"\n") if not line.startswith((b" ", b"\t"))]
    return Counter(line.partition(b":")[0].decode("latin-1").lower() for line in lines)
