"""What came of a verification, in words for the person who set the mailbox up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from maillane.sender.v1 import sender_service_pb2 as pb

from maillane_sender.smtp import ConnectStage, Security

if TYPE_CHECKING:
    from maillane_sender.smtp import Transport, Tried

MAX_REPLY_CHARS: Final = 512

STEPS: Final = {
    ConnectStage.RESOLVE: pb.STEP_RESOLVE,
    ConnectStage.CONNECT: pb.STEP_CONNECT,
    ConnectStage.TLS: pb.STEP_TLS,
    ConnectStage.EHLO: pb.STEP_HELLO,
    ConnectStage.AUTH: pb.STEP_AUTH,
}
_OK: Final = {
    ConnectStage.RESOLVE: "Found the server",
    ConnectStage.CONNECT: "Connected",
    ConnectStage.EHLO: "The server talks to us",
    ConnectStage.AUTH: "Signed in",
}
# OpenSSL's X509_V_ERR codes.
_EXPIRED: Final = frozenset((9, 10))
_NAMES_DIFFER: Final = frozenset((62, 64))
# Whose name people know the server by.
_PROVIDERS: Final = (
    ("gmail.com", "Gmail"),
    ("googlemail.com", "Gmail"),
    ("office365.com", "Outlook"),
    ("outlook.com", "Outlook"),
    ("yahoo.com", "Yahoo"),
    ("mail.me.com", "iCloud"),
    ("zoho.com", "Zoho"),
)
# The two usual ways in (RFC 8314 §3.3): where one fails, the other may do.
_USUAL: Final = {465: (587, Security.STARTTLS), 587: (465, Security.TLS)}
_BY_PORT: Final = {465: Security.TLS, 587: Security.STARTTLS}
_SECURITIES: Final = {Security.TLS: pb.SECURITY_TLS, Security.STARTTLS: pb.SECURITY_STARTTLS}


def response(transport: Transport, tried: Tried) -> pb.VerifyMailboxResponse:
    """The answer to a verification, which must not have been refused by ourselves."""
    steps = [
        pb.VerifyStep(step=STEPS[stage], ok=True, detail=_detail(stage, transport, tried)) for stage in tried.passed
    ]
    if tried.failed is None:
        steps.append(pb.VerifyStep(step=pb.STEP_READY, ok=True, detail="Ready to send"))
        return pb.VerifyMailboxResponse(verified=True, steps=steps)
    suggestion = _suggestion(transport, tried)
    reason = _reason(transport, tried)
    if suggestion is not None and tried.reply is None:
        reason += f" Port {suggestion[0]} is the other usual one."
    steps.append(pb.VerifyStep(step=STEPS[tried.failed], ok=False, detail=reason))
    return pb.VerifyMailboxResponse(
        failed_step=STEPS[tried.failed],
        reason=reason,
        reply=tried.reply.line[:MAX_REPLY_CHARS] if tried.reply else "",
        steps=steps,
        suggested_port=suggestion[0] if suggestion else 0,
        suggested_security=_SECURITIES[suggestion[1]] if suggestion else pb.SECURITY_UNSPECIFIED,
    )


def _detail(stage: ConnectStage, transport: Transport, tried: Tried) -> str:
    if stage is not ConnectStage.TLS:
        return _OK[stage]
    version = f"{tried.tls.replace('TLSv', 'TLS ')}, " if tried.tls else ""
    return f"Encrypted ({version}certificate valid for {transport.host})"


def _reason(transport: Transport, tried: Tried) -> str:
    """Why a step failed, as a sentence."""
    host, port = transport.host, transport.port
    if tried.failed is ConnectStage.RESOLVE:
        return "No server by this name."
    if tried.failed is ConnectStage.CONNECT:
        # A reply is a greeting that says no.
        return "The server takes no connection now." if tried.reply else f"The server does not answer on port {port}."
    if tried.failed is ConnectStage.TLS:
        return _why_not_encrypted(host, port, tried)
    if tried.failed is ConnectStage.EHLO:
        return "The server refuses to talk to this host." if tried.reply else "The server hung up, or said no answer."
    if tried.reply is None:
        return f"Signing in did not work: {tried.reason}."
    who = _provider(host) or "The server"
    rest = "The server itself is fine." if who != "The server" else "All else is fine."
    return f"{who} does not accept this name and password. {rest}"


def _why_not_encrypted(host: str, port: int, tried: Tried) -> str:
    if tried.certificate in _NAMES_DIFFER:
        return f"The certificate is for another name: not for {host}."
    if tried.certificate in _EXPIRED:
        return "The certificate has expired, or is not valid yet."
    if tried.certificate is not None:
        return "The certificate is from nobody that we trust."
    return f"The server does not encrypt on port {port} in this way."


def _suggestion(transport: Transport, tried: Tried) -> tuple[int, Security] | None:
    """Another usual port, where the failure may come from this one."""
    if tried.failed not in (ConnectStage.CONNECT, ConnectStage.TLS) or tried.certificate is not None or tried.reply:
        return None
    own = _BY_PORT.get(transport.port)
    if tried.failed is ConnectStage.TLS and own is not None and own is not transport.security:
        return transport.port, own
    return _USUAL.get(transport.port)


def _provider(host: str) -> str:
    name = host.rstrip(".").lower()
    return next((who for domain, who in _PROVIDERS if name == domain or name.endswith(f".{domain}")), "")
