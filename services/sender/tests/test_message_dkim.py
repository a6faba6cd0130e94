"""Signatures, as another's implementation verifies them."""

from __future__ import annotations

import re
from base64 import b64encode
from datetime import UTC, datetime

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from maillane_sender.message import Recipient, Sender, Signer, Source, compile_message, load_signer, render

NOW = datetime(2026, 3, 1, 13, 5, 9, tzinfo=UTC)
SOURCE = Source("Hi {{a}}", "Dear {{a}},\n\n.dot  and\t spaces \n\n\n", "<p>{{a}} = é</p>\n\n")
UNSUBSCRIBE = "https://mail.acme.example/u/abc"

Key = RSAPrivateKey | Ed25519PrivateKey


@pytest.fixture(scope="module", params=["rsa", "ed25519"])
def key(request: pytest.FixtureRequest) -> Key:
    return Ed25519PrivateKey.generate() if request.param == "ed25519" else generate_private_key(65537, 2048)


def pem(key: Key) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def signed(signer: Signer, variables: dict[str, str], source: Source = SOURCE) -> bytes:
    compiled = compile_message(source, Sender("news@acme.example", "Acmé  News"))
    recipient = Recipient("zoe@example.net", variables)
    wire = render(compiled, recipient, "<42.7@acme.example>", NOW, UNSUBSCRIBE, signer)
    return re.sub(rb"(?m)^\.", b"", wire)


def holds(message: bytes, key: Key) -> bool:
    public = key.public_key()
    if isinstance(key, RSAPrivateKey):
        kind, raw = b"rsa", public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    else:
        kind, raw = b"ed25519", public.public_bytes(Encoding.Raw, PublicFormat.Raw)

    def in_dns(name: bytes, timeout: int = 5) -> bytes:
        assert name == b"s1._domainkey.acme.example."
        return b"v=DKIM1; k=%b; p=%b" % (kind, b64encode(raw))

    return bool(dkim.verify(message, dnsfunc=in_dns))


@settings(max_examples=50, deadline=None)
@given(value=st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=200))
def test_a_signature_holds(key: Key, value: str) -> None:
    """Whatever is in a message, its signature is one that others find to hold."""
    assert holds(signed(load_signer("acme.example", "s1", pem(key)), {"a": value}), key)


@pytest.mark.parametrize("text", ["", " ", "\n", "a", " \n\t\n", "a \t b \n\n\n\n"])
def test_a_body_of_next_to_nothing(key: Key, text: str) -> None:
    """Empty lines and spaces at the ends are signed as the standard has them."""
    message = signed(load_signer("acme.example", "s1", pem(key)), {"a": text or "-"}, Source("Hi", "{{a}}"))

    assert holds(message, key)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Subject: Hi", b"Subject: Ho"),
        (b"=C3=A9", b"=C3=A8"),
        (b"zoe@example.net\r\n", b"zoe@example.org\r\n"),
        (b"/u/abc", b"/u/abd"),
        (b"MIME-Version", b"Subject: another\r\nMIME-Version"),
    ],
)
def test_what_was_changed_does_not_hold(key: Key, old: bytes, new: bytes) -> None:
    """A signature is of the body, of the headers that matter, and of there being one of each."""
    message = signed(load_signer("acme.example", "s1", pem(key)), {"a": "Zoe"})
    assert message.count(old) == 1

    assert not holds(message.replace(old, new), key)


def test_it_survives_what_relays_do(key: Key) -> None:
    """Lines that are folded anew, and headers put before, do no harm."""
    message = signed(load_signer("acme.example", "s1", pem(key)), {"a": "Zoe"})
    refolded = b"Received: from relay\r\n" + message.replace(b"Subject: Hi Zoe", b"subject:  Hi\r\n\tZoe")

    assert holds(refolded, key)


def test_its_lines_are_short(key: Key) -> None:
    """No line of it passes what RFC 5322 recommends."""
    message = signed(load_signer("acme.example", "s1", pem(key)), {"a": "Zoe"})
    head = message.partition(b"\r\nTo: ")[0]

    assert max(map(len, head.split(b"\r\n"))) <= 78


@pytest.mark.parametrize("kind", ["no key", "a passphrase", "another curve"])
def test_what_is_no_key(kind: str) -> None:
    """Anything but an open RSA or Ed25519 key is refused, in words that hold nothing of it."""
    texts = {
        "no key": "-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----\n",
        "a passphrase": Ed25519PrivateKey.generate()
        .private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
        .decode(),
        "another curve": ec.generate_private_key(ec.SECP256R1())
        .private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        .decode(),
    }
    with pytest.raises(ValueError, match="key"):
        load_signer("acme.example", "s1", texts[kind])
