"""What the limiter is told by its environment: `MAILLANE_<NAME>`."""

from __future__ import annotations

from maillane_chassis.settings import Port, ServiceSettings
from pydantic import Field, SecretStr, field_validator

REDIS_SCHEMES = ("redis://", "rediss://", "unix://", "redis+cluster://", "rediss+cluster://")


class Settings(ServiceSettings):
    """The settings of every service, and the limiter's own."""

    # 0 lets the system choose one.
    ratelimit_port: Port = 50052
    # Not shown in errors or logs: it may hold a password.
    redis_url: SecretStr = Field(default=SecretStr("redis://127.0.0.1:6379/0"))

    @field_validator("redis_url")
    @classmethod
    def _is_of_redis(cls, value: SecretStr) -> SecretStr:
        if not value.get_secret_value().startswith(REDIS_SCHEMES):
            raise ValueError(f"must begin with one of {', '.join(REDIS_SCHEMES)}")
        return value
