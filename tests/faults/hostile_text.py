"""Text that breaks out of where it is put, if anything lets it: for names, subjects, addresses, variables, ids."""

import random
from typing import Final

INJECTIONS: Final = (
    "x\r\nBcc: victim@evil.example",
    "x\nBcc: victim@evil.example",
    "x\rBcc: victim@evil.example",
    "x\r\n\r\nbody of mine",
    "x\r\n.\r\nMAIL FROM:<evil@evil.example>\r\nRCPT TO:<victim@evil.example>\r\nDATA\r\n",
    "\r\n.\r\n",
    "\n.\n",
    "\r.\r",
    ".",
    "..",
    ".\r\n.",
    "x\0y",
    "x\x0bBcc: victim@evil.example",
    "x\x0cy",
    "x\x1b[31mred",
    "x\x7fy",
    "x\x85Bcc: victim@evil.example",
    "x\u2028Bcc: victim@evil.example",
    "x\u2029y",
    "\u202egpj.exe",
    "\u2066isolated\u2069",
    "\ufeffbom",
    "=?utf-8?q?=0D=0ABcc:_victim@evil.example?=",
    "=?utf-8?b?DQpCY2M6IHZpY3RpbUBldmlsLmV4YW1wbGU=?=",
    "=?x?=",
    "=0D=0A.=0D=0A",
    '=cmd|"/c calc"!A1',
    "+1+1",
    "-2+3",
    "@SUM(1)",
    "\t=1",
    '"><script>alert(1)</script>',
    "&amp;<b>",
    '" , victim@evil.example, "',
    "a@b.example, victim@evil.example",
    "<victim@evil.example>",
    "victim@evil.example>\r\nRCPT TO:<second@evil.example",
    "%0d%0aBcc:%20victim@evil.example",
    "{{name}}",
    "{{",
    "}}{{ name | x }}",
    "{{#each}}",
    "'; DROP TABLE messages; --",
    "\\u0000",
    "\\x00\\r\\n",
    "--=_boundary--",
    "Content-Type: text/html",
    "ﬀ\u0301\u0301\u0301",
    "🏴\U000e0067\U000e007f",
    "a" * 998,
    "é" * 500,
    " " * 300,
    "",
)
"""Each a trick of its own; `text` joins and bends them."""

_JOINTS: Final = ("", " ", "\r\n", "\n", "\r", "\t", "\0", ".", ",", ";", '"', "<", ">", "@", "=?", "?=", "\u2028", "é")


def text(chance: random.Random) -> str:
    """A hostile text, of valid Unicode."""
    kind = chance.random()
    if kind < 0.4:
        return chance.choice(INJECTIONS)
    if kind < 0.75:
        return chance.choice(_JOINTS).join(chance.choice(INJECTIONS) for _ in range(chance.randint(2, 4)))
    return "".join(character(chance) for _ in range(chance.randint(1, 80)))


def character(chance: random.Random) -> str:
    """Any character but half of a surrogate pair; controls and ASCII more often than others."""
    kind = chance.random()
    if kind < 0.3:
        return chr(chance.randrange(0x20))
    if kind < 0.7:
        return chr(chance.randrange(0x20, 0xA0))
    found = chance.randrange(0xA0, 0x110000)
    return "\ufffd" if 0xD800 <= found < 0xE000 else chr(found)
