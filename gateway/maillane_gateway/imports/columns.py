"""What the header of a CSV file means, and rows under it as recipients. Pure."""

import re
from dataclasses import dataclass

from maillane.scheduler.v1.campaign_service_pb2 import Recipient

from maillane_gateway.imports.rows import CsvError, Row

EMAIL = "email"

MAX_COLUMNS = 100
"""As many variables as a recipient may have."""

MAX_VALUE_CHARS = 100
"""Of what is shown of a rejected row."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_BETWEEN_WORDS = re.compile(r"[\s.\-/]+")


@dataclass(frozen=True, slots=True)
class Ragged:
    """A row that has more than the header has names for."""

    line: int
    value: str
    """Its address, or what stands in that place."""
    reason: str


class Columns:
    """The columns of a file.

    A name that can be a variable is kept as it is; another is made one where that is plain: "First Name" becomes
    first_name. The address's column is `email`, in any case.
    """

    def __init__(self, header: Row) -> None:
        """Reads the header.

        Raises:
            CsvError: it has no email column, too many columns, or names that are empty, not possible or not unique.
        """
        titles = [title.strip() for title in header.fields]
        # Spreadsheets leave empty columns at the end.
        while titles and not titles[-1]:
            titles.pop()
        self._width = len(header.fields)
        if len(titles) > MAX_COLUMNS:
            raise CsvError(header.line, f"the header has {len(titles)} columns; at most {MAX_COLUMNS} are allowed")
        self.names = [_variable(title, place, header.line) for place, title in enumerate(titles, 1)]
        self._refuse_collisions(titles, header.line)
        if EMAIL not in self.names:
            found = ", ".join(title[:MAX_VALUE_CHARS] for title in titles)
            raise CsvError(header.line, f"the header has no column named email; it has {found or 'none at all'}")
        self._email = self.names.index(EMAIL)

    def recipient(self, row: Row) -> Recipient | Ragged | None:
        """The recipient in a row; what is wrong with it; or None where every field is blank.

        Missing fields at the end count as empty. Empty values are left out, so that a template's fallback applies.
        """
        values = [value.strip() for value in row.fields]
        while len(values) > len(self.names) and not values[-1]:
            values.pop()
        if not any(values):
            return None
        email = values[self._email] if self._email < len(values) else ""
        if len(values) > len(self.names):
            return Ragged(row.line, email[:MAX_VALUE_CHARS], self._surplus(len(values)))
        variables = {name: value for name, value in zip(self.names, values, strict=False) if value and name != EMAIL}
        return Recipient(email=email, variables=variables, line=row.line)

    def _surplus(self, count: int) -> str:
        """What is wrong with a row of `count` fields, the last of which is not empty."""
        if count <= self._width:
            return f"has a value in column {count}, which has no name in the header"
        names = len(self.names)
        return f"has {count} fields, but the header has {names} {'column' if names == 1 else 'columns'}"

    def _refuse_collisions(self, titles: list[str], line: int) -> None:
        first: dict[str, tuple[int, str]] = {}
        for place, (name, title) in enumerate(zip(self.names, titles, strict=True), 1):
            if name in first:
                earlier, same = first[name]
                why = f'are both named "{title}"' if same == title else f'("{same}" and "{title}") both become {name}'
                raise CsvError(line, f"columns {earlier} and {place} of the header {why}; give one another name")
            first[name] = (place, title)


def _variable(title: str, place: int, line: int) -> str:
    if not title:
        raise CsvError(line, f"column {place} of the header has no name")
    name = title if _NAME.fullmatch(title) else _BETWEEN_WORDS.sub("_", title).lower()
    if not _NAME.fullmatch(name):
        allowed = "letters A to Z, digits and _, not starting with a digit, at most 64 characters"
        raise CsvError(line, f'"{title[:MAX_VALUE_CHARS]}" cannot be the name of a variable; names have {allowed}')
    return EMAIL if name.lower() == EMAIL else name
