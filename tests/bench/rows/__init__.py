"""The rows, in the order of the table."""

from typing import Final

from ..row import Row
from .growing import GROWTH, REBUILD
from .handing_out import BURST, IDLE, LAG, LIMIT, NULL
from .importing import IMPORT, STORED
from .mailing import MAILS, SENDERS
from .starting import START

ROWS: Final[tuple[Row, ...]] = (IMPORT, STORED, LIMIT, *MAILS, NULL, LAG, BURST, GROWTH, REBUILD, IDLE, SENDERS, START)
