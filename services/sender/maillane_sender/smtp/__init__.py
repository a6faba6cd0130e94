"""SMTP: connections, transactions, and what the answers mean. What the rest of the sender uses is named here."""

from maillane_sender.smtp.classify import classify, classify_connect
from maillane_sender.smtp.connect import ConnectFailed, Connector, ConnectSettings, ConnectStage
from maillane_sender.smtp.guard import Guard
from maillane_sender.smtp.outcome import Kind, Outcome, Reason, Scope
from maillane_sender.smtp.pool import MESSAGES_AT_WORK, Pool, PoolClosed
from maillane_sender.smtp.protocol import Timeouts
from maillane_sender.smtp.transport import Envelope, Security, Transport
from maillane_sender.smtp.verdict import Command, Revoked, Stage, Verdict
from maillane_sender.smtp.verifier import Busy, Tried, Verifier

__all__ = [
    "MESSAGES_AT_WORK",
    "Busy",
    "Command",
    "ConnectFailed",
    "ConnectSettings",
    "ConnectStage",
    "Connector",
    "Envelope",
    "Guard",
    "Kind",
    "Outcome",
    "Pool",
    "PoolClosed",
    "Reason",
    "Revoked",
    "Scope",
    "Security",
    "Stage",
    "Timeouts",
    "Transport",
    "Tried",
    "Verdict",
    "Verifier",
    "classify",
    "classify_connect",
]
