"""Bytes into replies."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from maillane_sender.smtp.reply import MAX_TEXT_CHARS, Garbled, Reply, ReplyParser

CASES = {
    b"250 ok\r\n": Reply(250, "", "ok"),
    b"250\r\n": Reply(250, "", ""),
    b"250 \r\n": Reply(250, "", ""),
    b"250 ok\n": Reply(250, "", "ok"),
    b"250 2.1.5 ok\r\n": Reply(250, "2.1.5", "ok"),
    b"250 2.1.5\r\n": Reply(250, "2.1.5", ""),
    b"550 2.1.5 odd\r\n": Reply(550, "", "2.1.5 odd"),
    b"550 5.1.10 gone\r\n": Reply(550, "5.1.10", "gone"),
    b"550 5.1.1.2 gone\r\n": Reply(550, "", "5.1.1.2 gone"),
    b"550-5.7.1 one\r\n550-5.7.1 two\r\n550 5.7.1 three\r\n": Reply(550, "5.7.1", "one two three"),
    b"250-\r\n250 \r\n": Reply(250, "", ""),
    b"550 a\tb\x1b[31mc\x00d\r\n": Reply(550, "", "a b [31mc d"),
    b"550 \xff caf\xc3\xa9\r\n": Reply(550, "", "\ufffd café"),
    b"550 " + b"x" * 2000 + b"\r\n": Reply(550, "", "x" * MAX_TEXT_CHARS),
}


@pytest.mark.parametrize("data", CASES)
def test_replies(data: bytes) -> None:
    """A reply is its code, its enhanced code, and its text on one printable line."""
    assert list(ReplyParser().feed(data)) == [CASES[data]]


@given(st.lists(st.sampled_from(list(CASES)), max_size=4), st.integers(1, 60))
def test_in_pieces(replies: list[bytes], size: int) -> None:
    """How the bytes are cut into packets changes nothing."""
    stream = b"".join(replies)
    parser = ReplyParser()
    seen: list[Reply] = []
    for at in range(0, len(stream), size):
        seen += parser.feed(stream[at : at + size])

    assert seen == [CASES[reply] for reply in replies]
    assert parser.between_replies


@given(st.binary(max_size=200))
def test_noise(noise: bytes) -> None:
    """Whatever arrives, it becomes replies with possible codes, or is garbled."""
    try:
        replies = list(ReplyParser().feed(noise))
    except Garbled:
        return

    assert all(200 <= reply.code <= 559 for reply in replies)
