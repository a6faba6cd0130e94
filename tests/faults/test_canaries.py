"""What looks for secrets finds them, in every form."""

import base64

import pytest

from .canaries import Canaries

SECRET = "canary-7f3a9c"
CANARIES = Canaries({"password": SECRET})


@pytest.mark.parametrize(
    "hidden",
    [
        SECRET,
        SECRET.encode(),
        f'{{"password":"{SECRET}"}}',
        SECRET.encode().hex(),
        *(
            base64.b64encode(b"x" * before + SECRET.encode() + b"y" * after)
            for before in range(3)
            for after in range(3)
        ),
        base64.b64encode(f"\0zoe\0{SECRET}".encode()),
    ],
)
def test_a_secret_is_found(hidden: bytes | str) -> None:
    """In the clear, in hexadecimal, in base64 at any place."""
    assert CANARIES.found_in(hidden) == ["password"]


@pytest.mark.parametrize("other", [b"", SECRET[:-1], base64.b64encode(b"canary-another")])
def test_what_is_none_is_not(other: bytes | str) -> None:
    """Its beginning, or another."""
    assert CANARIES.found_in(other) == []
