"""What range a field has, in the contract's own words.

The rules are the services': they hold them, and say them in the comments of the protos. Where a value is so unfit that
no message can carry it to them, the client should still be told what would fit, and not what the wire could hold.
"""

import re

from google.protobuf.descriptor import FieldDescriptor

from maillane_gateway.comments import comment

_END_OF_SENTENCE = re.compile(r"\.(?:\s|$)")


def range_of(field: FieldDescriptor) -> str:
    """The first sentence of a field's comment, in brackets, to stand behind a refusal; empty where it has no number."""
    sentence = _END_OF_SENTENCE.split(comment(field.full_name), maxsplit=1)[0]
    if not any(map(str.isdigit, sentence)):
        return ""
    return f" ({sentence[0].lower()}{sentence[1:]})"
