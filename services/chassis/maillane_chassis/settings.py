"""Settings from the environment, read once, in a composition root."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Final, Literal, NoReturn, TypeVar

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX: Final = "MAILLANE_"
# As argparse and shells have it: 2 is "called wrongly", and no supervisor should start it again unchanged.
EXIT_BAD_SETTINGS: Final = 2

Port = Annotated[int, Field(ge=0, le=65535)]

_Settings = TypeVar("_Settings", bound=BaseSettings)


class ServiceSettings(BaseSettings):
    """What every service is told; each service adds its own in a subclass."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore", hide_input_in_errors=True)

    # The credential by which services of one deployment know each other. 32 characters: as long as no one can guess.
    service_key: SecretStr = Field(min_length=32, max_length=512)
    host: str = Field(default="127.0.0.1", min_length=1, max_length=253)
    # Mutual TLS between services: all three, or none.
    tls_cert: Path | None = None
    tls_key: Path | None = None
    tls_ca: Path | None = None
    # 0: no metrics endpoint.
    metrics_port: Port = 0
    log_format: Literal["auto", "json", "pretty"] = "auto"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    # How long a stop waits for the calls that are open.
    drain_s: float = Field(default=10, ge=0, le=600)
    # gRPC's own default; a chunk of recipients and a page of messages fit with room.
    max_message_bytes: int = Field(default=4 * 1024 * 1024, ge=64 * 1024, le=64 * 1024 * 1024)

    @model_validator(mode="after")
    def _tls_is_whole(self) -> ServiceSettings:
        files = (self.tls_cert, self.tls_key, self.tls_ca)
        if any(files) and not all(files):
            raise ValueError("MAILLANE_TLS_CERT, MAILLANE_TLS_KEY and MAILLANE_TLS_CA go together: set all or none")
        for file in files:
            if file is not None and not file.is_file():
                raise ValueError(f"MAILLANE_TLS_*: there is no file {file}")
        return self

    @property
    def tls(self) -> bool:
        """Whether services speak TLS to each other."""
        return self.tls_cert is not None


def load(settings_class: type[_Settings]) -> _Settings:
    """Reads the settings from the environment.

    Bad ones end the process with exit code 2 and one line on stderr that names each setting and what is wrong with it,
    but never its value, which may be a secret.
    """
    try:
        return settings_class()
    except ValidationError as error:
        _exit(error)


def _exit(error: ValidationError) -> NoReturn:
    sys.stderr.write(f"bad settings: {'; '.join(map(_line, error.errors(include_input=False)))}\n")
    raise SystemExit(EXIT_BAD_SETTINGS)


def _line(detail: object) -> str:
    assert isinstance(detail, dict)
    message = str(detail["msg"]).removeprefix("Value error, ")
    if not detail["loc"]:
        return message
    name = PREFIX + ".".join(map(str, detail["loc"])).upper()
    return f"{name} is required" if detail["type"] == "missing" else f"{name}: {message}"
