"""Signatures through the real system."""

import base64

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from .tenant import Tenant

pytestmark = pytest.mark.timeout(60)


async def test_a_signed_mail_verifies(shared: Tenant) -> None:
    """With the public key that its mailbox's domain would have in DNS; another mailbox's mail is not signed."""
    key = generate_private_key(65537, 2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = base64.b64encode(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    signs = {"domain": "signed.example", "selector": "s1", "privateKey": pem}
    mailboxes = [await shared.mailbox("a@signed.example", dkim=signs), await shared.mailbox("a@unsigned.example")]
    await shared.ended(await shared.campaign(mailboxes, 4), within_s=30)
    signed, unsigned = [await shared.contents(f"a@{name}.example") for name in ("signed", "unsigned")]

    def in_dns(name: bytes, timeout: int = 5) -> bytes:
        assert name == b"s1._domainkey.signed.example."
        return b"v=DKIM1; k=rsa; p=" + public

    assert [dkim.verify(mail, dnsfunc=in_dns) for mail in signed] == [True, True]
    assert not any(b"DKIM-Signature" in mail for mail in unsigned)
