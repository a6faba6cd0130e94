"""From where a call came that another service makes for somebody: only a service of this deployment is believed.

The gateway calls with its users' credentials, so these cannot tell it from a user who says the same. Hence the key of
services goes along as a voucher, wherever an origin is told; without it, or with another, what is told is passed over.
"""

from __future__ import annotations

import hmac
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

if TYPE_CHECKING:
    from maillane_chassis.around import Context

ORIGIN: Final = "x-maillane-origin"
VOUCHER: Final = "x-maillane-voucher"

# As gRPC names a peer: "ipv4:192.0.2.7:4711", "ipv6:[2001:db8::7]:4711".
_FORM = re.compile(r"ipv[46]:[0-9A-Fa-f.:%\[\]]{2,80}")


def origin_of(context: Context, service_key: bytes) -> str:
    """From where a call came, as gRPC names it: what a service vouches for, else the other end of the connection."""
    told: dict[str, list[str | bytes]] = {ORIGIN: [], VOUCHER: []}
    for key, value in context.invocation_metadata() or ():
        if key in told:
            told[key].append(value)
    if len(told[ORIGIN]) == len(told[VOUCHER]) == 1:
        (origin,), (voucher,) = told[ORIGIN], told[VOUCHER]
        if hmac.compare_digest(str(voucher).encode(), service_key) and _FORM.fullmatch(str(origin)):
            return str(origin)
    return unquote(context.peer())
