"""Quoted-printable in pieces that can be joined in any number and order (RFC 2045 §6.7).

Every piece begins at the start of a line and ends with a line's end: a soft break where the text goes on. So a value
needs to know nothing about what stands before it, and no line can become too long.
"""

from __future__ import annotations

import binascii
import re

SOFT_BREAK = b"=\r\n"

PLAIN = re.compile(r"[A-Za-z0-9,._@+-](?:[A-Za-z0-9 ,._@+-]{0,58}[A-Za-z0-9,._@+-])?")
"""What is its own encoding, as most values are, in HTML too. No space at the ends: the C routine would encode it."""


def encode(text: str) -> bytes:
    """Lines of at most 76 bytes between CRLFs, without a break at the end. Line breaks in `text` are line feeds.

    Raises:
        UnicodeEncodeError: lone surrogates.
    """
    # The C routine takes only the first line feed's style for all its breaks; so one style, and then CRLF.
    lines: bytes = binascii.b2a_qp(text.encode(), istext=True)
    return lines.replace(b"\n", b"\r\n")


def encode_text(text: str) -> bytes:
    """A piece that goes on: text between two slots, or a value."""
    return encode(text) + SOFT_BREAK


def encode_end(text: str) -> bytes:
    """The piece that ends a body: its last line ends with a CRLF, which `text` need not have."""
    return encode(text.removesuffix("\n")) + b"\r\n"


def normal_breaks(text: str) -> str:
    """The text with every CRLF and lone CR as a line feed."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
