"""Rows come out as the csv module gives them, however the file is cut into pieces."""

import csv
import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from maillane_gateway.imports import rows as module
from maillane_gateway.imports.rows import CsvError, Row, RowReader


def read(*pieces: bytes) -> list[Row]:
    reader = RowReader()
    found = [row for piece in pieces for row in reader.feed(piece)]
    return found + list(reader.finish())


def attempt(pieces: list[bytes]) -> list[Row] | str:
    """The rows, or the end of the refusal."""
    try:
        return read(*pieces)
    except CsvError as error:
        return str(error)[-len("is not closed") :]


def expected(text: str) -> tuple[list[Row], bool]:
    """What the csv module gives for the whole text, and whether it ends within a quote."""

    class Ended(Exception):
        pass

    def lines():
        yield from io.StringIO(text, newline="")
        raise Ended

    reader, start = csv.reader(lines()), 1
    found: list[Row] = []
    while True:
        try:
            fields = next(reader)
        except Ended:
            return found, reader.line_num >= start
        if fields:
            found.append(Row(start, fields))
        start = reader.line_num + 1


PARTS = st.sampled_from(['"', '""', ",", "\n", "\r", "\r\n", "a", "é", "🐦", " ", "x,y", '"a\nb"', "\u2028", "\x0b"])


@given(parts=st.lists(PARTS, max_size=40), cuts=st.lists(st.integers(0, 120), max_size=8), bom=st.booleans())
@settings(max_examples=200, deadline=None)
def test_pieces_give_the_rows_of_the_whole(parts, cuts, bom):
    """Cut anywhere, also within a character, a line end or a quote."""
    text = "email,name\n" + "".join(parts)
    data = (b"\xef\xbb\xbf" if bom else b"") + text.encode()
    places = sorted({min(cut, len(data)) for cut in cuts})
    pieces = [data[start:end] for start, end in zip([0, *places], [*places, len(data)], strict=True)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLOCK_BYTES", 1)
        found = attempt(pieces)

    rows, ends_in_quote = expected(text)
    assert found == ("is not closed" if ends_in_quote else rows)


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_a_row_is_known_by_the_line_on_which_it_starts(line_end):
    """Line breaks in quotes and blank lines count."""
    text = line_end.join(["email,note", 'a@x,"one', 'two"', "", "b@x,", "c@x,"])

    assert [row.line for row in read(text.encode())] == [1, 2, 5, 6]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_found_in_the_header(delimiter):
    """Other delimiters within quotes do not count."""
    other = ";" if delimiter == "," else ","
    text = f'email{delimiter}"a{other}{other}{other}b"\n1{delimiter}2\n'

    assert read(text.encode())[1].fields == ["1", "2"]


def test_a_single_column_needs_no_delimiter():
    """A list of addresses is a CSV file."""
    assert [row.fields for row in read(b"email\na@example.com\n")] == [["email"], ["a@example.com"]]


@pytest.mark.parametrize(
    ("data", "line", "words"),
    [
        (b"email\na@x\nb\xe9@x\n", 3, "byte 0xe9 is not UTF-8"),
        (b"email\na@x\nb@x\xc3", 3, "byte 0xc3 is not UTF-8"),
        (b'email\n"a\nb\xe9', 3, "byte 0xe9 is not UTF-8"),
        (b"email\na@x\n\0\0\n", 3, "it holds NUL bytes"),
        (b"\x7fELF\x01\0\0\0\0\0", 1, "it holds NUL bytes"),
        ("email\na@x\n".encode("utf-16"), 1, "the file is UTF-16"),
        ("email\na@x\n".encode("utf-16-le"), 1, "the file is UTF-16"),
        ("email\na@x\n".encode("utf-16-be"), 1, "the file is UTF-16"),
        (b"PK\x03\x04\x14\0\x06\0", 1, "an Excel workbook"),
        (b'email,name\na@x,b\nb@x,"open\nc@x,d\n', 3, "a quote that is opened here is not closed"),
        (b"email\na@x\n" + b"y" * 70_000 + b"\n", 3, "a field is longer than 64 Ki characters"),
        (b"email\na@x\n" + b"y" * 200_000 + b"\n", 3, "a field is longer than 64 Ki characters"),
        (b"email\na@x\n" + b"y" * 400_000, 3, "a field is longer than 64 Ki characters"),
        (b'email\na@x\n"' + b"y\n" * 200_000, 3, "a field is longer than 64 Ki characters"),
    ],
    ids=range(14),
)
def test_what_cannot_be_read_is_refused_with_its_line(data, line, words):
    """After the rows before it."""
    reader = RowReader()
    found: list[Row] = []

    def read_on() -> None:
        for start in range(0, len(data), 50_000):
            found.extend(reader.feed(data[start : start + 50_000]))
        found.extend(reader.finish())

    with pytest.raises(CsvError, match=words) as refusal:
        read_on()

    assert refusal.value.line == line
    assert [row.line for row in found] == list(range(1, line if b'"a' not in data else 2))


def test_an_empty_file_has_no_rows():
    """Nor does one of blank lines."""
    assert read(b"") == read(b"\xef\xbb\xbf\r\n\n") == []


def test_a_row_in_many_pieces_is_parsed_a_few_times_only(monkeypatch):
    """Single bytes are gathered, so that a slow sender costs no more than a fast one."""
    calls = []
    original = csv.reader

    def counted(*args: Any, **kwargs: Any) -> Any:
        calls.append(1)
        return original(*args, **kwargs)

    monkeypatch.setattr(csv, "reader", counted)
    data = b'email,note\na@x,"' + b"y\n" * 30_000 + b'"\n'

    read(*(data[index : index + 1] for index in range(len(data))))

    assert len(calls) <= 3
