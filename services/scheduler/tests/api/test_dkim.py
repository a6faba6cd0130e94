"""How a mailbox's messages are signed, over gRPC."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from google.protobuf.field_mask_pb2 import FieldMask
from maillane.scheduler.v1 import mailbox_service_pb2 as pb
from maillane_scheduler.addresses import address_key
from maillane_scheduler.sealing import SealError, dkim_place

from .making import mailbox_of, make_mailbox
from .scheduler_api import SEALER, refused


def pem(key, encryption=None):
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption()).decode()


KEY, OTHER_KEY = (pem(Ed25519PrivateKey.generate()) for _ in range(2))


def dkim_of(**changes):
    return pb.Dkim(**{"domain": "example.com", "selector": "s1", "private_key": KEY, **changes})


async def update(tenant, mailbox, changes, *paths):
    mask = FieldMask(paths=paths)
    request = pb.UpdateMailboxRequest(mailbox_id=mailbox.id, mailbox=changes, update_mask=mask)
    return await tenant.editor.UpdateMailbox(request)


async def kept(api, tenant):
    """The private key at rest, opened where it belongs; None: none."""
    ((sealed, key),) = await api.sql("SELECT dkim_key, address_key FROM mailboxes WHERE workspace_id = :w", w=tenant.id)
    return None if sealed is None else SEALER.open(sealed, tenant.id, dkim_place(key))


async def test_a_private_key_goes_in_and_never_out(api, tenant):
    """It is sealed, and bound to its mailbox and to being a key."""
    made = await make_mailbox(tenant.editor, dkim=dkim_of(domain="EXAMPLE.com"))

    assert made.dkim == pb.Dkim(domain="example.com", selector="s1", has_private_key=True)
    assert await kept(api, tenant) == KEY
    ((sealed,),) = await api.sql("SELECT dkim_key FROM mailboxes WHERE workspace_id = :w", w=tenant.id)
    with pytest.raises(SealError):
        SEALER.open(sealed, tenant.id, address_key(made.address))


async def test_a_mailbox_without_it_is_not_signed_for(tenant):
    """As it was before."""
    assert not (await make_mailbox(tenant.editor)).HasField("dkim")


@pytest.mark.parametrize("bits", [1024, 2048])
async def test_rsa_keys_of_usual_sizes_are_taken(tenant, bits):
    """From the least that receivers take."""
    made = await make_mailbox(tenant.editor, dkim=dkim_of(private_key=pem(generate_private_key(65537, bits))))

    assert made.dkim.has_private_key


async def test_a_key_that_receivers_need_not_take_is_refused(tenant):
    """It would also take its time with every message."""
    mailbox = mailbox_of(dkim=dkim_of(private_key=pem(generate_private_key(65537, 4104))))
    refusal = await refused(tenant.editor.CreateMailbox(pb.CreateMailboxRequest(mailbox=mailbox)))

    assert refusal.fields == {"mailbox.dkim.private_key": "must be RSA of 1,024 to 4,096 bits, or Ed25519"}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"domain": "other.example"}, "domain"),
        ({"domain": "com"}, "domain"),
        ({"domain": "xample.com"}, "domain"),
        ({"domain": "mail.example.com"}, "domain"),
        ({"domain": "exa mple.com"}, "domain"),
        ({"domain": "", "selector": ""}, "domain"),
        ({"selector": ""}, "selector"),
        ({"selector": "-s"}, "selector"),
        ({"selector": "s1.;x"}, "selector"),
        ({"selector": "s" * 64}, "selector"),
        ({"private_key": None}, "private_key"),
        ({"private_key": ""}, "private_key"),
        ({"private_key": "no key"}, "private_key"),
        ({"private_key": KEY + "#" * 10_240}, "private_key"),
        ({"private_key": pem(ec.generate_private_key(ec.SECP256R1()))}, "private_key"),
        ({"private_key": pem(Ed25519PrivateKey.generate(), BestAvailableEncryption(b"x"))}, "private_key"),
    ],
)  # fmt: skip
async def test_what_cannot_sign_is_refused(tenant, changes, field):
    """By its field, in words that hold nothing of a key."""
    mailbox = mailbox_of(address="ada@example.com", dkim=dkim_of(**changes))
    refusal = await refused(tenant.editor.CreateMailbox(pb.CreateMailboxRequest(mailbox=mailbox)))

    assert set(refusal.fields) == {f"mailbox.dkim.{field}"}
    assert "BEGIN" not in str(refusal)


async def test_a_domain_above_the_address_may_sign(tenant):
    """As receivers have it, where they relax."""
    made = await make_mailbox(tenant.editor, address="ada@mail.example.com", dkim=dkim_of())

    assert made.dkim.domain == "example.com"


async def test_a_key_that_is_not_given_is_kept(api, tenant):
    """Also where the address changes, which it is sealed for; another takes its place."""
    made = await make_mailbox(tenant.editor, dkim=dkim_of())
    await update(tenant, made, pb.Mailbox(dkim=pb.Dkim(domain="example.com", selector="s2")), "dkim")
    changed = await update(tenant, made, pb.Mailbox(address="new@example.com"), "address")
    first = await kept(api, tenant)
    await update(tenant, made, pb.Mailbox(dkim=pb.Dkim(private_key=OTHER_KEY)), "dkim.private_key")

    assert (changed.mailbox.dkim.selector, first, await kept(api, tenant)) == ("s2", KEY, OTHER_KEY)


async def test_an_address_of_another_domain_needs_another_signature(tenant):
    """Or none: else every message would be signed by a stranger."""
    made = await make_mailbox(tenant.editor, dkim=dkim_of())
    moved = pb.Mailbox(address="ada@other.example")
    refusal = await refused(update(tenant, made, moved, "address"))
    unsigned = await update(tenant, made, moved, "address", "dkim")

    assert set(refusal.fields) == {"mailbox.dkim.domain"}
    assert not unsigned.mailbox.HasField("dkim")


@pytest.mark.parametrize("how", ["unsigned", "deleted"])
async def test_nothing_is_left_of_a_key_that_is_given_up(api, tenant, how):
    """Neither once nothing is signed any more, nor once the mailbox is gone."""
    made = await make_mailbox(tenant.editor, dkim=dkim_of())
    if how == "deleted":
        await tenant.editor.DeleteMailbox(pb.DeleteMailboxRequest(mailbox_id=made.id))
    else:
        await update(tenant, made, pb.Mailbox(), "dkim")

    assert await kept(api, tenant) is None


async def test_the_audit_names_fields_and_no_key(api, tenant):
    """Of a change."""
    made = await make_mailbox(tenant.editor, dkim=dkim_of())
    await update(tenant, made, pb.Mailbox(dkim=pb.Dkim(private_key=OTHER_KEY)), "dkim.private_key")

    ((detail,),) = await api.sql(
        "SELECT detail FROM audit WHERE workspace_id = :w AND verb = 'mailbox.update'", w=tenant.id
    )
    assert detail == {"fields": ["dkim_private_key"]}
