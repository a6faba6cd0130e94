"""Messages: a template is compiled once, and spliced per recipient into bytes that are ready for the wire."""

from maillane_sender.message.address import envelope
from maillane_sender.message.bad_value import BadValue
from maillane_sender.message.compile import Compiled, Recipient, Sender, Source, compile_message, render
from maillane_sender.message.dkim import Signer, load_signer
from maillane_sender.message.template import Slot, TemplateError, parse

__all__ = [
    "BadValue",
    "Compiled",
    "Recipient",
    "Sender",
    "Signer",
    "Slot",
    "Source",
    "TemplateError",
    "compile_message",
    "envelope",
    "load_signer",
    "parse",
    "render",
]
