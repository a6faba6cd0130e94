"""Passwords at rest."""

import pytest
from maillane_scheduler.sealing import Sealer, SealError

KEY = bytes(range(32))
SEALER = Sealer(KEY)


def test_what_is_sealed_opens():
    """With the same key, for the same mailbox."""
    assert SEALER.open(SEALER.seal("pä55", 1, "aa"), 1, "aa") == "pä55"


def test_the_same_secret_is_never_sealed_to_the_same_bytes():
    """So that equal passwords cannot be seen."""
    assert SEALER.seal("x", 1, "aa") != SEALER.seal("x", 1, "aa")


@pytest.mark.parametrize(("workspace", "key"), [(2, "aa"), (1, "bb")])
def test_a_row_copied_elsewhere_does_not_open(workspace, key):
    """Workspace and address are authenticated."""
    with pytest.raises(SealError):
        SEALER.open(SEALER.seal("x", 1, "aa"), workspace, key)


@pytest.mark.parametrize("index", [0, 1, 13, -1])
def test_a_changed_byte_breaks_the_seal(index):
    """Version, nonce, ciphertext and tag alike."""
    sealed = bytearray(SEALER.seal("secret", 1, "aa"))
    sealed[index] ^= 1

    with pytest.raises(SealError):
        SEALER.open(bytes(sealed), 1, "aa")


@pytest.mark.parametrize("cut", [b"", b"\x01", b"\x01" + bytes(12), b"\x01" + bytes(20)])
def test_what_is_too_short_does_not_open(cut):
    """And says so as what it is."""
    with pytest.raises(SealError):
        SEALER.open(cut, 1, "aa")


def test_another_key_does_not_open_it():
    """The deployment's key is needed."""
    with pytest.raises(SealError):
        Sealer(bytes(32)).open(SEALER.seal("x", 1, "aa"), 1, "aa")


def test_keys_never_show():
    """Not in a repr, which a log or traceback may hold."""
    assert repr(SEALER) == "Sealer()"
