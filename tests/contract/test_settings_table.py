"""The table of settings in docs/operating.md against the classes that read them."""

import json
import re

import pytest
from maillane_chassis.settings import PREFIX, ServiceSettings
from maillane_gateway.settings import GatewaySettings
from maillane_local.settings import LocalSettings
from maillane_ratelimit.settings import Settings as RatelimitSettings
from maillane_scheduler.settings import Settings as SchedulerSettings
from maillane_sender.settings import Settings as SenderSettings
from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings
from support.documents import ROOT

_ROW = re.compile(r"^\| `(MAILLANE_\w+)` \| ([a-z, ]+) \| (.*?) \| .+ \|$", re.MULTILINE)

OF: dict[str, type[BaseSettings]] = {
    "all": ServiceSettings,
    "scheduler": SchedulerSettings,
    "ratelimit": RatelimitSettings,
    "sender": SenderSettings,
    "gateway": GatewaySettings,
    "local": LocalSettings,
}


def shown_default(field: FieldInfo) -> str:
    """A default as the table writes it."""
    if field.is_required():
        return "required"
    value = field.default
    if value is None:
        return "none"
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    text = json.dumps(value) if isinstance(value, bool) else str(value)
    return f"`{text}`" if text else "empty"


def told() -> set[tuple[str, str, str]]:
    """Who reads which setting with which default, by the table."""
    rows = _ROW.findall((ROOT / "docs/operating.md").read_text())
    return {(who, name, default) for name, readers, default in rows for who in readers.split(", ")}


def read() -> set[tuple[str, str, str]]:
    """The same by the classes: those of all services are told once."""
    return {
        (who, PREFIX + name.upper(), shown_default(field))
        for who, settings in OF.items()
        for name, field in settings.model_fields.items()
        if who in {"all", "local"} or name not in ServiceSettings.model_fields
    }


@pytest.mark.parametrize("who", OF)
def test_the_table_tells_every_setting(who: str) -> None:
    """None is missing, none is of the past, and each default is the one in force."""
    assert {row for row in told() if row[0] == who} == {row for row in read() if row[0] == who}
