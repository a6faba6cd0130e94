"""Messages to JSON."""

import json

from google.protobuf import json_format
from google.protobuf.message import Message


def to_json(message: Message) -> bytes:
    """One line of ProtoJSON: camelCase, enums by name, 64-bit integers as strings.

    Fields without presence are always there (0, "", [] and {}); optional ones and messages only where they are set.
    """
    document = json_format.MessageToDict(message, always_print_fields_with_no_presence=True)
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
