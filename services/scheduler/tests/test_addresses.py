"""Addresses: what is one, and when two are the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maillane_scheduler.addresses import AddressError, address_key, normalise


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        ("Ada@Example.COM", "Ada@example.com"),
        ("a.b+tag@sub.example.co.uk", "a.b+tag@sub.example.co.uk"),
        ("o'hara!#$%&*/=?^_`{|}~-@example.com", "o'hara!#$%&*/=?^_`{|}~-@example.com"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("ada@BÜCHER.example", "ada@xn--bcher-kva.example"),
        ("ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example"),
        ("почта@пример.рф", "почта@xn--e1afmkfd.xn--p1ai"),
        ("ada@example.xn--p1ai", "ada@example.xn--p1ai"),
        ("e\u0301@example.com", "\u00e9@example.com"),
        ("x" * 64 + "@example.com", "x" * 64 + "@example.com"),
    ],
)
def test_an_address_has_one_form(given, normal):
    """Case and script of a domain do not matter; a local part stays."""
    assert normalise(given) == normal


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "@",
        "ada",
        "ada@",
        "@example.com",
        "ada@localhost",
        "ada@example.com ",
        " ada@example.com",
        "ada @example.com",
        "ada@example.com\n",
        "ada@example.com\r\nBcc: eve@example.com",
        "ada\x00@example.com",
        "ada\x7f@example.com",
        "a@b@example.com",
        "ada@example.com,bob@example.com",
        "ada@example.com;bob@example.com",
        "Ada <ada@example.com>",
        "<ada@example.com>",
        '"ada"@example.com',
        "ada(comment)@example.com",
        "ada@(comment)example.com",
        "ada@[127.0.0.1]",
        "ada@127.0.0.1",
        ".ada@example.com",
        "ada.@example.com",
        "a..da@example.com",
        "ada@example..com",
        "ada@.example.com",
        "ada@example.com.",
        "ada@-example.com",
        "ada@example-.com",
        "ada@exam_ple.com",
        "ada@" + "x" * 64 + ".com",
        "x" * 65 + "@example.com",
        "é" * 33 + "@example.com",
        "x@" + "a." * 125 + "example",
        "ada\u202e@example.com",
        "ada\u00a0@example.com",
        "ada\u2028@example.com",
        "ada\u037e@example.com",
        "ada@exa\u2028mple.com",
        "ada@☃.example",
        "a\\da@example.com",
    ],
)
def test_what_is_not_one_address_is_refused(bad):
    """Several in one, blanks, controls, comments, quoted strings, literals, over-long parts."""
    with pytest.raises(AddressError):
        normalise(bad)


@given(st.text(max_size=300) | st.emails())
def test_normal_addresses_are_clean_and_stay_as_they_are(text):
    """Whatever comes out is its own normal form, has one @, and nothing that could end a line or a field."""
    try:
        normal = normalise(text)
    except AddressError:
        return

    assert normalise(normal) == normal
    assert len(normal.encode()) <= 254
    assert normal.count("@") == 1
    assert not set(normal) & set(' \t\r\n\0,;<>()[]\\"')


def test_what_is_cut_off_is_said_to_be():
    """And not to have a wrong domain."""
    with pytest.raises(AddressError, match="has nothing after the @"):
        normalise("ada@")


def test_a_key_names_an_address_whatever_its_case():
    """Limits belong to the mailbox as its provider sees it."""
    assert address_key("Ada@example.com") == address_key("ada@example.com")
    assert len(address_key("ada@example.com")) == 16
    assert address_key("ada@example.com") != address_key("bob@example.com")
