"""Splits a CSV file that arrives in pieces into rows, in bounded memory. Pure: bytes in, rows out.

Python's csv module decides what a row is. It pulls lines and cannot wait for one, so a row whose end has not arrived is
begun anew once more has; as blocks are at least 64 KiB and rows at most 256 Ki characters, that is rare and cheap.
"""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

BLOCK_BYTES = 64 * 1024
"""Smaller pieces are gathered to this size first, so that who sends single bytes costs no more than others."""

MAX_FIELD_CHARS = 64 * 1024
MAX_ROW_CHARS = 256 * 1024
"""A hundred variables of the longest kind make 16 KiB; what is longer is a quote that was never closed."""

_DELIMITERS = ",;\t"
_QUOTED = re.compile(r'"[^"]*"?')
_UTF_16 = re.compile(rb"\xff\xfe|\xfe\xff|(?:[^\0]\0){4}|(?:\0[^\0]){4}", re.DOTALL)
_ZIP = b"PK\x03\x04"


class CsvError(ValueError):
    """The file cannot be read on; the message says why and what to do. Rows before `line` are as they were."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True, slots=True)
class Row:
    """One row, and the line of the file (from 1) on which it starts."""

    line: int
    fields: list[str]


class RowReader:
    """Takes a file in pieces, gives its rows; blank lines are none. The delimiter is found in the first row's line."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("strict")
        self._block = bytearray()
        self._tail = ""
        """The beginning of a line whose end has not come."""
        self._unfinished: list[str] = []
        """Whole lines of a row whose end has not come."""
        self._line = 1
        """Of the first of these, or of the tail."""
        self._delimiter = ""
        self._started = False

    def feed(self, piece: bytes) -> Iterator[Row]:
        """The rows that this piece completes. Must be run to its end.

        Raises:
            CsvError: it is no CSV in UTF-8; the rows before that point were given.
        """
        self._block += piece
        if len(self._block) >= BLOCK_BYTES:
            yield from self._take(final=False)

    def finish(self) -> Iterator[Row]:
        """The last rows, once all was fed.

        Raises:
            CsvError: as above, or the file ends within a quote.
        """
        yield from self._take(final=True)

    def _take(self, *, final: bool) -> Iterator[Row]:
        block = bytes(self._block)
        self._block.clear()
        if not self._started and block:
            self._started = True
            _refuse_other_formats(block)
        text, fault = self._decode(block, final=final)
        lines = self._lines(text, final=final and not fault)
        if not self._delimiter:
            lines = self._find_delimiter(lines)
        yield from self._rows(lines)
        if fault:
            raise CsvError(self._line_of_end(), fault)
        if final and self._unfinished:
            raise CsvError(self._line, "a quote that is opened here is not closed")
        if len(self._tail) + sum(map(len, self._unfinished)) > MAX_ROW_CHARS:
            raise self._too_long(self._line)

    def _decode(self, block: bytes, *, final: bool) -> tuple[str, str]:
        """The text of a block up to the first byte that no text has, and what is wrong there (empty: nothing)."""
        try:
            text, fault = self._decoder.decode(block, final), ""
        except UnicodeDecodeError as error:
            text = error.object[: error.start].decode("utf-8")
            fault = f"byte 0x{error.object[error.start]:02x} is not UTF-8; save the file as CSV in UTF-8"
        nul = text.find("\0")
        return (text, fault) if nul < 0 else (text[:nul], "this is no text file: it holds NUL bytes")

    def _lines(self, text: str, *, final: bool) -> list[str]:
        """Whole lines, ends included (LF, CR or CRLF, as the csv module wants them); the rest becomes the tail."""
        lines = list(io.StringIO(self._tail + text, newline=""))
        # A CR at the end may be half of a CRLF.
        whole = final or not lines or lines[-1].endswith("\n")
        self._tail = "" if whole else lines.pop()
        return lines

    def _find_delimiter(self, lines: list[str]) -> list[str]:
        while lines and not lines[0].strip():
            del lines[0]
            self._line += 1
        if lines:
            plain = _QUOTED.sub("", lines[0])
            self._delimiter = max(_DELIMITERS, key=plain.count)
        return lines

    def _rows(self, lines: list[str]) -> Iterator[Row]:
        lines = self._unfinished + lines
        reader = csv.reader(_supply(lines), delimiter=self._delimiter or ",")
        start, taken = self._line, 0
        while True:
            try:
                fields = next(reader)
            except _StarvedError:
                break
            except csv.Error:  # the module's own limit of a field, twice ours
                raise self._too_long(start + taken) from None
            if fields and max(map(len, fields)) > MAX_FIELD_CHARS:
                raise self._too_long(start + taken)
            if fields:
                yield Row(start + taken, fields)
            taken = reader.line_num
        self._unfinished, self._line = lines[taken:], start + taken

    def _line_of_end(self) -> int:
        held = "".join(self._unfinished) + self._tail
        return self._line + len(list(io.StringIO(held + ".", newline=""))) - 1

    def _too_long(self, line: int) -> CsvError:
        return CsvError(line, f"a field is longer than {MAX_FIELD_CHARS // 1024} Ki characters; is a quote not closed?")


class _StarvedError(Exception):
    """The lines have run out: after a row, or within one."""


def _supply(lines: list[str]) -> Iterator[str]:
    yield from lines
    raise _StarvedError


def _refuse_other_formats(start: bytes) -> None:
    if _UTF_16.match(start):
        raise CsvError(1, "the file is UTF-16; save it as CSV in UTF-8")
    if start.startswith(_ZIP):
        raise CsvError(1, "this is an Excel workbook or a ZIP archive; save it as CSV in UTF-8")
