"""What `make up` can be told, by environment variables that begin with MAILLANE_."""

from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class LocalSettings(BaseSettings):
    """Where the data lives, which ports are used, and which stores replace the embedded ones."""

    model_config = SettingsConfigDict(env_prefix="MAILLANE_", frozen=True, extra="ignore", hide_input_in_errors=True)

    data: Path = Path(".maillane")
    # Absent: the embedded ones.
    postgres_url: SecretStr | None = None
    redis_url: SecretStr | None = None
    # 0: a free one, chosen at each start.
    gateway_port: int = Field(default=8080, ge=0, le=65535)
    scheduler_port: int = Field(default=50051, ge=0, le=65535)
    ratelimit_port: int = Field(default=50052, ge=0, le=65535)
    sender_port: int = Field(default=50053, ge=0, le=65535)
    catcher_smtp_port: int = Field(default=1025, ge=0, le=65535)
    catcher_web_port: int = Field(default=8025, ge=0, le=65535)
    # Where each service shows its metrics to Prometheus.
    gateway_metrics_port: int = Field(default=9180, ge=0, le=65535)
    scheduler_metrics_port: int = Field(default=9151, ge=0, le=65535)
    ratelimit_metrics_port: int = Field(default=9152, ge=0, le=65535)
    sender_metrics_port: int = Field(default=9153, ge=0, le=65535)

    @classmethod
    def on_free_ports(cls, data: Path) -> Self:
        """Embedded stores, and every port a free one, whatever the environment says."""
        ports = {name: 0 for name in cls.model_fields if name.endswith("_port")}
        return cls(data=data, postgres_url=None, redis_url=None, **ports)

    def ports(self) -> dict[str, int]:
        """The ports by the names of their settings, less the ending."""
        return {
            name.removesuffix("_port"): value for name, value in self.model_dump().items() if name.endswith("_port")
        }
