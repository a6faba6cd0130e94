"""From a mailbox's transport to an authenticated connection, or to the step that failed, in words."""

from __future__ import annotations

import asyncio
import base64
import os
import socket
import ssl
from dataclasses import dataclass, field
from enum import StrEnum
from typing import cast

import aiosmtplib
from maillane_chassis.reach import Address, is_loopback

from maillane_sender.smtp.guard import Guard, Refused, Unresolvable
from maillane_sender.smtp.pipelining import PipeliningMemory
from maillane_sender.smtp.protocol import Connection, Features, Timeouts
from maillane_sender.smtp.reply import MAX_TEXT_CHARS, Reply, reply_from
from maillane_sender.smtp.transport import Security, Transport

REDACTED = "[redacted]"

TRY_OUT_QUIT_S = 1.0
"""For the goodbye to a server that was only tried."""

_UNKNOWN_MECHANISM_CODE = 504
"""RFC 4954 §4: the server does not do this mechanism, although it listed it."""


class ConnectStage(StrEnum):
    """The step at which connecting failed."""

    RESOLVE = "resolve"
    """The name has no address."""
    REFUSED = "refused"
    """By us: the host guard, or a transport that would send a password in clear."""
    CONNECT = "connect"
    """TCP, and the server's greeting."""
    TLS = "TLS"
    EHLO = "EHLO"
    AUTH = "AUTH"


class ConnectFailed(Exception):
    """No connection: nothing was sent, and no attempt is spent.

    `reason` is one line for a person. `reply` is the server's answer where it gave one, `code` its code; else None.
    """

    def __init__(self, stage: ConnectStage, reason: str, reply: Reply | None = None) -> None:
        super().__init__(stage, reason)
        self.stage = stage
        self.reason = reason[:MAX_TEXT_CHARS]
        self.reply = reply
        self.code = reply.code if reply else None

    def __str__(self) -> str:
        return f"{self.stage}: {self.reason}"


@dataclass(frozen=True, slots=True)
class ConnectSettings:
    """What all connections of a process have in common.

    `plaintext_allowed` lets SECURITY_NONE leave this machine (never with credentials). `ehlo_name` is the name to
    present; empty means the address literal of the connection's own end (RFC 5321 §4.1.3).
    """

    guard: Guard = field(default_factory=Guard)
    timeouts: Timeouts = field(default_factory=Timeouts)
    plaintext_allowed: bool = False
    ehlo_name: str = ""


class Connector:
    """Opens connections. One for the process, for it holds the TLS context and what it learned about servers."""

    def __init__(self, settings: ConnectSettings, tls_context: ssl.SSLContext) -> None:
        self._settings = settings
        self._tls_context = tls_context
        self._pipelining = PipeliningMemory()

    async def connect(self, transport: Transport) -> Connection:
        """Connects, encrypts, authenticates: within the connect deadline, or not at all.

        Raises:
            ConnectFailed: which step failed, and why. Nothing is left open.
        """
        _, client = await self._open(transport)
        features = _features(client)
        trusted = self._pipelining.trusts(transport.host, transport.port, _now())
        return Connection(
            cast(asyncio.Transport, client.transport),
            features,
            self._settings.timeouts,
            pipelining=features.pipelining and trusted,
        )

    async def try_out(self, transport: Transport) -> str:
        """Does the same, and says goodbye; returns the version of TLS that was spoken ("TLSv1.3"), empty without.

        Raises:
            ConnectFailed: which step failed, and why.
        """
        attempt, client = await self._open(transport)
        try:
            encrypted = cast(asyncio.Transport, client.transport).get_extra_info("ssl_object")
            async with asyncio.timeout(TRY_OUT_QUIT_S):
                await client.quit()
        except (aiosmtplib.SMTPException, OSError):
            # The goodbye is politeness: all that was to be tried has worked. TimeoutError is an OSError, too.
            pass
        finally:
            attempt.abandon()
        return (encrypted.version() or "") if encrypted is not None else ""

    async def _open(self, transport: Transport) -> tuple[_Attempt, aiosmtplib.SMTP]:
        attempt = _Attempt(transport, self._settings, self._tls_context)
        try:
            async with asyncio.timeout(self._settings.timeouts.connect_s):
                return attempt, await attempt.run()
        except TimeoutError:
            attempt.abandon()
            raise ConnectFailed(attempt.stage, "no answer in time") from None
        except BaseException:
            attempt.abandon()
            raise

    def distrust_pipelining(self, transport: Transport) -> None:
        """Remembers that this server offers PIPELINING without bearing it."""
        self._pipelining.distrust(transport.host, transport.port, _now())


class _Attempt:
    """One way through the steps; `stage` is where it stands."""

    def __init__(self, transport: Transport, settings: ConnectSettings, tls_context: ssl.SSLContext) -> None:
        self.stage = ConnectStage.RESOLVE
        self._transport = transport
        self._settings = settings
        self._tls_context = tls_context
        self._client: aiosmtplib.SMTP | None = None
        self._socket: socket.socket | None = None

    async def run(self) -> aiosmtplib.SMTP:
        try:
            address = await self._open_socket()
            client = await self._greet()
            await self._encrypt(client)
            await self._authenticate(client, address)
            _check_silence(client, self.stage)
        except aiosmtplib.SMTPResponseException as error:
            reply = reply_from(error.code, _without(error.message, self._transport))
            raise ConnectFailed(self.stage, reply.line, reply) from error
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise ConnectFailed(self.stage, _words(error)) from error
        return client

    def abandon(self) -> None:
        """Closes whatever is open."""
        if self._client is None:
            if self._socket is not None:
                self._socket.close()
        elif self._client.transport is not None:
            # Once the client has it, the socket is its transport's to close, or the loop is left with a dead number.
            cast(asyncio.Transport, self._client.transport).abort()

    async def _open_socket(self) -> Address:
        try:
            addresses = await self._settings.guard.resolve(self._transport.host, self._transport.port)
        except Refused as error:
            raise ConnectFailed(ConnectStage.REFUSED, str(error)) from error
        except Unresolvable as error:
            raise ConnectFailed(ConnectStage.RESOLVE, str(error)) from error
        addresses = self._confidential(addresses)
        self.stage = ConnectStage.CONNECT
        failure: OSError | None = None
        for address in addresses:
            try:
                # No address may use up the time of the others.
                async with asyncio.timeout(self._settings.timeouts.connect_s / (len(addresses) + 1)):
                    await self._connect_socket(address)
            except TimeoutError:
                failure = TimeoutError("no answer in time")
            except OSError as error:
                failure = error
            else:
                return address
        assert failure is not None
        raise failure

    async def _connect_socket(self, address: Address) -> None:
        family = socket.AF_INET if address.version == 4 else socket.AF_INET6
        self._socket = connecting = socket.socket(family, socket.SOCK_STREAM)
        try:
            connecting.setblocking(False)
            target = (str(address), self._transport.port)
            await asyncio.get_running_loop().sock_connect(connecting, target)
        except BaseException:
            connecting.close()
            raise

    def _confidential(self, addresses: list[Address]) -> list[Address]:
        """The addresses to which this transport may talk as it wants to.

        Raises:
            ConnectFailed: in clear, and not to this machine.
        """
        if self._transport.security is not Security.NONE:
            return addresses
        if self._transport.username:
            addresses, refused = [a for a in addresses if is_loopback(a)], "a password is never sent without encryption"
        elif not self._settings.plaintext_allowed:
            addresses, refused = [a for a in addresses if is_loopback(a)], "mail does not leave without encryption"
        if not addresses:
            raise ConnectFailed(ConnectStage.REFUSED, refused)
        return addresses

    async def _greet(self) -> aiosmtplib.SMTP:
        assert self._socket is not None
        tls = self._transport.security is Security.TLS
        self._client = client = aiosmtplib.SMTP(
            hostname=self._transport.host,
            sock=self._socket,
            use_tls=tls,
            # Never None, which upgrades only where an offer arrives: an offer can be stripped. The upgrade is a step of
            # its own.
            start_tls=False,
            tls_context=self._tls_context,
            local_hostname=self._settings.ehlo_name or _literal(self._socket),
            timeout=None,  # One deadline over all steps.
        )
        try:
            await client.connect()
        except aiosmtplib.SMTPConnectError as error:
            # The TCP connection stood: what fails before the greeting is the handshake.
            if tls and not isinstance(error.__cause__, aiosmtplib.SMTPException | None):
                self.stage = ConnectStage.TLS
            raise
        _check_silence(client, self.stage)
        await self._say_hello(client)
        return client

    async def _say_hello(self, client: aiosmtplib.SMTP) -> None:
        self.stage = ConnectStage.EHLO
        await client.ehlo()
        _check_silence(client, self.stage)

    async def _encrypt(self, client: aiosmtplib.SMTP) -> None:
        if self._transport.security is Security.STARTTLS:
            self.stage = ConnectStage.TLS
            await client.starttls()
            await self._say_hello(client)

    async def _authenticate(self, client: aiosmtplib.SMTP, address: Address) -> None:
        username, password = self._transport.username, self._transport.password
        if not username:
            return
        self.stage = ConnectStage.AUTH
        assert self._transport.security is not Security.NONE or is_loopback(address)
        if "\0" in username + password:
            raise ConnectFailed(self.stage, "user name and password cannot hold a NUL")
        await _log_in(client, username, password)


async def _log_in(client: aiosmtplib.SMTP, username: str, password: str) -> None:
    """One try with the best mechanism that both know: more tries of a wrong password lock accounts."""
    offered = client.server_auth_methods
    if "plain" in offered:
        try:
            await client.auth_plain(username, password)
        except aiosmtplib.SMTPAuthenticationError as error:
            if error.code != _UNKNOWN_MECHANISM_CODE or "login" not in offered:
                raise
            await client.auth_login(username, password)
    elif "login" in offered:
        await client.auth_login(username, password)
    elif "xoauth2" in offered:
        # No other way in: the password of such a mailbox is its access token.
        await client.auth_xoauth2(username, password)
    else:
        raise ConnectFailed(ConnectStage.AUTH, "the server offers no AUTH that we speak (PLAIN, LOGIN, XOAUTH2)")


def _features(client: aiosmtplib.SMTP) -> Features:
    limits = dict(pair.split("=", 1) for pair in client.esmtp_extensions.get("limits", "").split() if "=" in pair)
    mail_max = limits.get("MAILMAX", "")
    return Features(
        pipelining=client.supports_extension("pipelining"),
        smtputf8=client.supports_extension("smtputf8"),
        mail_max=int(mail_max) if mail_max.isascii() and mail_max.isdecimal() and len(mail_max) <= 6 else 0,
    )


def _check_silence(client: aiosmtplib.SMTP, stage: ConnectStage) -> None:
    """What the server said beyond its last answer would be taken for the answer to our next command."""
    protocol = client.protocol
    if protocol is None or protocol._buffer:  # noqa: SLF001 - aiosmtplib has no public way to ask
        raise ConnectFailed(stage, "the server said something unasked")


def _without(message: str, transport: Transport) -> str:
    """A server's answer without the password: there are servers that repeat a command that they did not understand."""
    username, password = transport.username.encode(), transport.password.encode()
    # As PLAIN, XOAUTH2 and LOGIN send it: the long ones first, for they may hold the short one.
    tokens = [b"\0%b\0%b" % (username, password), b"user=%b\1auth=Bearer %b\1\1" % (username, password), password]
    for secret in (*(base64.b64encode(token).decode() for token in tokens), transport.password):
        message = message.replace(secret, REDACTED) if transport.password else message
    return message


def _literal(connected: socket.socket) -> str:
    address = str(connected.getsockname()[0]).partition("%")[0]
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"


def _words(error: Exception) -> str:
    cause = error.__cause__ if isinstance(error, aiosmtplib.SMTPConnectError) and error.__cause__ else error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"the certificate does not hold: {cause.verify_message}"
    if isinstance(cause, ssl.SSLError):
        return f"the handshake failed: {cause.reason or cause}"
    if isinstance(cause, OSError) and cause.errno:
        return os.strerror(cause.errno)  # Its own text varies with the event loop.
    return str(cause) or type(cause).__name__


def _now() -> float:
    return asyncio.get_running_loop().time()
