"""Header lines: printable ASCII stays, everything else becomes encoded words; lines are folded (RFC 5322, 2047)."""

from __future__ import annotations

import base64
import re

MAX_LINE_CHARS = 76
"""RFC 2047 §2 limits lines with encoded words to 76; RFC 5322 §2.1.1 recommends 78 for others."""

MAX_VALUE_CHARS = 2000
"""Of a whole header after splicing. Servers and readers choke long before the standards do."""

_WORD_BYTES = 42
"""UTF-8 bytes in one encoded word: base64 makes 56 of them, and 12 more frame it. Leaves room for the header's name."""

_MAX_TOKEN_CHARS = 200
"""An unbroken run of ASCII up to here may overrun the recommended 76; beyond, it is cut into encoded words."""

FORBIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""What no header value may hold: line breaks above all, for what follows one is a header of its own."""

_PLAIN = re.compile(r"[\x20-\x7e]*")
_PHRASE = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")


def unstructured(name: str, value: str) -> bytes:
    """A line such as Subject, with its CRLF. `value` holds nothing FORBIDDEN; spaces at its ends do not count."""
    value = value.strip(" ")
    if _PLAIN.fullmatch(value) and "=?" not in value:
        if len(name) + 2 + len(value) <= MAX_LINE_CHARS:
            return f"{name}: {value}\r\n".encode("ascii")
        tokens = value.split(" ")
        if all(0 < len(token) <= _MAX_TOKEN_CHARS for token in tokens):
            return _fold(f"{name}:", tokens)
    return _fold(f"{name}:", encoded_words(value))


def mailbox(name: str, display_name: str, address: str) -> bytes:
    """A line such as From, with its CRLF. `display_name` may be empty; `address` is an addr-spec, sent as UTF-8."""
    display_name = display_name.strip(" ")
    if not display_name:
        return f"{name}: {address}\r\n".encode()
    if "=?" in display_name or not _PLAIN.fullmatch(display_name) or len(display_name) > MAX_LINE_CHARS // 2:
        tokens = encoded_words(display_name)
    elif _PHRASE.fullmatch(display_name):
        tokens = [display_name]
    else:
        tokens = ['"' + display_name.replace("\\", "\\\\").replace('"', '\\"') + '"']
    return _fold(f"{name}:", [*tokens, f"<{address}>"])


def encoded_words(value: str) -> list[str]:
    """RFC 2047 words; readers join them without the space between. No word cuts a character in two (§5)."""
    words: list[str] = []
    chunk = b""
    for character in value:
        encoded = character.encode()
        if len(chunk) + len(encoded) > _WORD_BYTES:
            words.append(_word(chunk))
            chunk = b""
        chunk += encoded
    return [*words, _word(chunk)] if chunk else words


def _word(chunk: bytes) -> str:
    return f"=?utf-8?b?{base64.b64encode(chunk).decode('ascii')}?="


def _fold(start: str, tokens: list[str]) -> bytes:
    lines, line = [], start
    for token in tokens:
        # The name's own line takes at least one token: a line of a name only is legal, and some readers drop it.
        if line != start and len(line) + 1 + len(token) > MAX_LINE_CHARS:
            lines.append(line)
            line = ""
        line += f" {token}"
    return ("\r\n".join([*lines, line]) + "\r\n").encode()
