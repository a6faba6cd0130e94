"""Mutual TLS between services."""

import grpc
import pytest
import trustme
from maillane_chassis.settings import ServiceSettings
from pydantic import SecretStr, ValidationError

from .conftest import KEY, bearer
from .echo import call


def settings_of(ca, folder):
    """Settings with a certificate of this CA, in files in the folder."""
    folder.mkdir()
    certificate = ca.issue_cert("127.0.0.1")
    certificate.private_key_pem.write_to_path(folder / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    ca.cert_pem.write_to_path(folder / "ca.pem")
    return ServiceSettings(
        service_key=SecretStr(KEY),
        tls_cert=folder / "cert.pem",
        tls_key=folder / "key.pem",
        tls_ca=folder / "ca.pem",
    )


@pytest.fixture
def ours(tmp_path):
    return settings_of(trustme.CA(), tmp_path / "ours")


async def test_services_of_one_authority_meet(serve, connect, ours):
    """Both sides show a certificate of the CA, and the credential goes over TLS."""
    channel = connect(await serve(settings=ours), settings=ours, service=True)

    assert await call(channel, "Serve", "hello") == "hello"


async def test_a_client_of_another_authority_is_turned_away(serve, connect, ours, tmp_path):
    """A certificate that somebody else signed opens no connection, whichever side trusts the other."""
    theirs = settings_of(trustme.CA(), tmp_path / "theirs")
    mixed = theirs.model_copy(update={"tls_ca": ours.tls_ca})
    channel = connect(await serve(settings=ours), settings=mixed, service=True)

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call(channel, "Serve", timeout=2)

    assert caught.value.code() in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}


async def test_a_server_of_another_authority_is_not_trusted(serve, connect, ours, tmp_path):
    """The client gives its credential to nobody whom its CA did not sign."""
    theirs = settings_of(trustme.CA(), tmp_path / "theirs")
    channel = connect(await serve(settings=theirs), settings=ours, service=True)

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call(channel, "Serve", timeout=2)

    assert caught.value.code() in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}


async def test_a_client_without_a_certificate_is_turned_away(serve, ours):
    """Knowing the CA is not enough: TLS is mutual."""
    server = await serve(settings=ours)
    credentials = grpc.ssl_channel_credentials(root_certificates=ours.tls_ca.read_bytes())

    async with grpc.aio.secure_channel(f"127.0.0.1:{server.port}", credentials) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call(channel, "View", timeout=2, **bearer("viewer"))

    assert caught.value.code() in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}


async def test_a_client_without_tls_is_turned_away(serve, connect, settings, ours):
    """A server with TLS speaks nothing else."""
    channel = connect(await serve(settings=ours), settings=settings, service=True)

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call(channel, "Serve", timeout=2)

    assert caught.value.code() in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}


def test_half_of_tls_is_refused(ours):
    """A deployment that forgot a file does not run without TLS unnoticed."""
    with pytest.raises(ValidationError, match="set all or none"):
        ServiceSettings(service_key=SecretStr(KEY), tls_cert=ours.tls_cert)
