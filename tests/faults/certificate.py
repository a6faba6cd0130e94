"""A certificate for a sink, and how the sender is made to trust it."""

import ssl
from pathlib import Path

import trustme


def tls(folder: Path) -> tuple[ssl.SSLContext, dict[str, str]]:
    """A context for a server called localhost, and the environment in which its certificate holds."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    path = folder / "authority.pem"
    authority.cert_pem.write_to_path(str(path))
    return context, {"SSL_CERT_FILE": str(path)}
