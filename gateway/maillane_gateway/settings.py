"""What the gateway is told, by the environment."""

import re
from ipaddress import ip_network
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from maillane_chassis import reach
from maillane_chassis.settings import Port, ServiceSettings
from pydantic import Field, SecretStr, field_validator, model_validator

_DOMAIN = re.compile(r"(?:[a-z0-9-]{1,63}\.)+[a-z0-9-]{2,63}")


class GatewaySettings(ServiceSettings):
    """Its own settings; the names carry the prefix MAILLANE_."""

    gateway_port: Port = 8080
    scheduler_target: str = Field(default="127.0.0.1:50051", min_length=1, max_length=253)
    # A sender, or several: they verify mailboxes.
    sender_target: str = Field(default="127.0.0.1:50053", min_length=1, max_length=253)
    # A CSV of 512 MiB holds some ten million recipients.
    max_csv_bytes: int = Field(default=512 * 1024 * 1024, ge=1024, le=16 * 1024**3)
    # Where the files of the web UI lie; unset, or not built: there is none.
    web_dir: Path | None = None
    # Each request holds up to its body (2 MiB), a watch a few KiB.
    max_requests: int = Field(default=500, ge=1, le=100_000)
    # Where browsers reach the gateway, with the scheme and without a path. The provider sends them back there.
    public_url: str = Field(default="", max_length=200, pattern=r"^(https?://[A-Za-z0-9.:\[\]-]+)?$")
    # An OpenID Connect provider: all of the first three, or none.
    oidc_issuer: str = Field(default="", max_length=255, pattern=r"^(https?://[\x21-\x7e]+)?$")
    oidc_client_id: str = Field(default="", max_length=512)
    oidc_client_secret: SecretStr = SecretStr("")
    # For the button; empty: Google, or the issuer's host.
    oidc_name: str = Field(default="", max_length=40)
    # By commas; empty: any.
    oidc_allowed_domains: str = ""
    # Addresses and networks of proxies in front of the gateway, by commas: what they say of clients is believed.
    trusted_proxies: str = Field(default="", max_length=4096)
    # Whether who sits at this machine may sign in without a provider, on loopback only. What listens for one person.
    local_sign_in: bool = False

    @field_validator("oidc_allowed_domains")
    @classmethod
    def _are_domains(cls, value: str) -> str:
        if not all(_DOMAIN.fullmatch(part) for part in _parts(value)):
            raise ValueError("must be domains (example.com), separated by commas")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, value: str) -> str:
        for part in _parts(value):
            try:
                ip_network(part, strict=False)
            except ValueError:
                raise ValueError("must be addresses or networks (10.0.0.0/8), separated by commas") from None
        return value

    @model_validator(mode="after")
    def _provider_is_whole(self) -> Self:
        given = (self.oidc_issuer, self.oidc_client_id, self.oidc_client_secret.get_secret_value())
        if any(given) and not (all(given) and self.public_url):
            raise ValueError(
                "MAILLANE_OIDC_ISSUER, MAILLANE_OIDC_CLIENT_ID, MAILLANE_OIDC_CLIENT_SECRET and MAILLANE_PUBLIC_URL go"
                " together: set all, or none of the first three"
            )
        for name, url in (("OIDC_ISSUER", self.oidc_issuer), ("PUBLIC_URL", self.public_url if any(given) else "")):
            if url.startswith("http:") and not _is_here(url):
                raise ValueError(f"MAILLANE_{name}: must be an https URL, unless it is this machine's")
        return self

    @property
    def allowed_domains(self) -> frozenset[str]:
        """The domains of `oidc_allowed_domains`; none: any."""
        return frozenset(_parts(self.oidc_allowed_domains))

    @property
    def proxies(self) -> list[str]:
        """The networks of `trusted_proxies`."""
        return _parts(self.trusted_proxies)


def _parts(value: str) -> list[str]:
    return [part.strip().lower() for part in value.split(",") if part.strip()]


def _is_here(url: str) -> bool:
    address = reach.literal(urlsplit(url).hostname or "")
    return address is not None and reach.is_loopback(address)
