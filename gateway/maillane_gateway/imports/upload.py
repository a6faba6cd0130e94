"""The bytes of an uploaded file, whether they are the body or a field of a form."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from google.rpc import code_pb2
from maillane_chassis.errors import InvalidArgument, Violation
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from maillane_gateway.http.problem import HttpFailure

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

PLAIN = ("text/csv", "text/plain", "application/csv", "application/octet-stream", "application/vnd.ms-excel")
"""What browsers and tools call a CSV file; the last is what Windows with Excel says."""

FORM = "multipart/form-data"
FIELD = "file"


def unwrap(content_type: str, body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The file that is in a body of this type, as it comes.

    Raises:
        HttpFailure: 415, it is none of the types that can hold a file; at once.
        InvalidArgument: a form that is malformed, ends early, or has no field `file`, or two; while it is read.
    """
    kind, parameters = parse_options_header(content_type)
    media_type = kind.decode("latin-1").lower()
    if media_type in PLAIN:
        return body
    boundary = parameters.get(b"boundary")
    if media_type != FORM or not boundary:
        message = f"send the file as text/csv, or as the field {FIELD} of a {FORM} body with a boundary"
        raise HttpFailure(415, code_pb2.INVALID_ARGUMENT, message)
    return _from_form(boundary, body)


async def _from_form(boundary: bytes, body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    form = _Form()
    try:
        parser = MultipartParser(boundary, form.callbacks())
        async for piece in body:
            parser.write(piece)
            if data := form.taken():
                yield data
    except FormParserError:
        raise InvalidArgument([Violation("body", "is no well-formed multipart/form-data")]) from None
    if not form.ended:
        raise InvalidArgument([Violation("body", "ends before its last boundary")])
    if form.files == 0:
        raise InvalidArgument([Violation(FIELD, f"is missing: the form has no field {FIELD}")])


class _Form:
    """Takes the parser's events; keeps the data of the field `file` until it is fetched, and drops other fields."""

    def __init__(self) -> None:
        self.files = 0
        self.ended = False
        self._header = bytearray()
        self._value = bytearray()
        self._wanted = False
        self._data = bytearray()

    def callbacks(self) -> "MultipartCallbacks":
        return {
            "on_part_begin": self._on_part_begin,
            "on_header_field": lambda data, start, end: self._header.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
            "on_header_end": self._on_header_end,
            "on_part_data": self._on_part_data,
            "on_end": self._on_end,
        }

    def taken(self) -> bytes:
        """What came since the last call."""
        data = bytes(self._data)
        self._data.clear()
        return data

    def _on_part_begin(self) -> None:
        self._wanted = False

    def _on_header_end(self) -> None:
        if self._header.lower() == b"content-disposition":
            _, parameters = parse_options_header(bytes(self._value))
            self._wanted = parameters.get(b"name") == FIELD.encode()
            self.files += self._wanted
            if self.files > 1:
                raise InvalidArgument([Violation(FIELD, "is given twice")])
        self._header.clear()
        self._value.clear()

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._wanted:
            self._data += data[start:end]

    def _on_end(self) -> None:
        self.ended = True
