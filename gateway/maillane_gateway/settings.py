"""What the gateway is told, by the environment."""

from maillane_chassis.settings import Port, ServiceSettings
from pydantic import Field


class GatewaySettings(ServiceSettings):
    """Its own settings; the names carry the prefix MAILLANE_."""

    gateway_port: Port = 8080
    scheduler_target: str = Field(default="127.0.0.1:50051", min_length=1, max_length=253)
    # A CSV of 512 MiB holds some ten million recipients.
    max_csv_bytes: int = Field(default=512 * 1024 * 1024, ge=1024, le=16 * 1024**3)
    # Each request holds up to its body (2 MiB), a watch a few KiB.
    max_requests: int = Field(default=500, ge=1, le=100_000)
