"""Settings, and what is said of bad ones."""

import pytest
from maillane_chassis.settings import ServiceSettings, load
from pydantic import Field

from .conftest import KEY


class BirdSettings(ServiceSettings):
    """A service with a setting of its own."""

    nests: int = Field(default=3, ge=1)


@pytest.fixture
def environment(monkeypatch):
    """Sets variables; none of the machine's own are seen."""
    import os

    for name in [name for name in os.environ if name.startswith("MAILLANE_")]:
        monkeypatch.delenv(name)
    return lambda **values: [monkeypatch.setenv(f"MAILLANE_{name}", value) for name, value in values.items()]


def refusal(capsys):
    """What load() writes as it ends the process."""
    with pytest.raises(SystemExit) as caught:
        load(BirdSettings)
    return caught.value.code, capsys.readouterr().err


def test_settings_come_from_the_environment(environment):
    """A variable with our prefix is read; what is not set has its default."""
    environment(SERVICE_KEY=KEY, NESTS="5")

    settings = load(BirdSettings)

    assert (settings.nests, settings.host, settings.service_key.get_secret_value()) == (5, "127.0.0.1", KEY)


def test_a_missing_key_is_one_line(environment, capsys):
    """It names the variable, and the exit code is 2."""
    environment()

    assert refusal(capsys) == (2, "bad settings: MAILLANE_SERVICE_KEY is required\n")


def test_every_bad_setting_is_in_the_line(environment, capsys):
    """Each with its name and what is wrong."""
    environment(SERVICE_KEY=KEY, NESTS="none", METRICS_PORT="70000", LOG_FORMAT="xml")

    code, line = refusal(capsys)

    named = [name in line for name in ("MAILLANE_NESTS: ", "MAILLANE_METRICS_PORT: ", "MAILLANE_LOG_FORMAT: ")]
    assert (code, line.count("\n"), named) == (2, 1, [True] * 3)


def test_a_bad_secret_is_not_repeated(environment, capsys):
    """The line may end up in a log."""
    environment(SERVICE_KEY="too-short-secret")

    code, line = refusal(capsys)

    assert (code, "MAILLANE_SERVICE_KEY" in line, "too-short-secret" in line) == (2, True, False)


def test_a_secret_is_not_shown(environment):
    """Neither repr nor str of the settings holds it."""
    environment(SERVICE_KEY=KEY)

    assert KEY not in f"{load(BirdSettings)!r} {load(BirdSettings)}"


def test_a_missing_certificate_is_named(environment, capsys):
    """The path is told; it is no secret."""
    environment(SERVICE_KEY=KEY, TLS_CERT="/none/cert", TLS_KEY="/none/key", TLS_CA="/none/ca")

    assert refusal(capsys) == (2, "bad settings: MAILLANE_TLS_*: there is no file /none/cert\n")
