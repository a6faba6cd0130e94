"""Mutual TLS between services, from the settings' three files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc

if TYPE_CHECKING:
    from maillane_chassis.settings import ServiceSettings


def for_server(settings: ServiceSettings) -> grpc.ServerCredentials:
    """Asks every client for a certificate of the settings' CA."""
    key, cert, ca = _files(settings)
    return grpc.ssl_server_credentials([(key, cert)], root_certificates=ca, require_client_auth=True)


def for_channel(settings: ServiceSettings) -> grpc.ChannelCredentials:
    """Trusts the settings' CA alone, and shows the settings' certificate."""
    key, cert, ca = _files(settings)
    return grpc.ssl_channel_credentials(root_certificates=ca, private_key=key, certificate_chain=cert)


def _files(settings: ServiceSettings) -> tuple[bytes, bytes, bytes]:
    assert settings.tls_key is not None
    assert settings.tls_cert is not None
    assert settings.tls_ca is not None
    return settings.tls_key.read_bytes(), settings.tls_cert.read_bytes(), settings.tls_ca.read_bytes()
