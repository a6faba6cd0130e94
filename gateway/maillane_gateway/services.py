"""The services that the gateway offers over HTTP: every one whose rpcs have HTTP rules."""

from typing import Final

from maillane.scheduler.v1 import (
    audit_service_pb2,
    campaign_service_pb2,
    identity_service_pb2,
    mailbox_service_pb2,
    message_service_pb2,
    overview_service_pb2,
    suppression_service_pb2,
)
from maillane.sender.v1 import sender_service_pb2

_FILES = (
    campaign_service_pb2,
    mailbox_service_pb2,
    message_service_pb2,
    overview_service_pb2,
    suppression_service_pb2,
    identity_service_pb2,
    audit_service_pb2,
)

SCHEDULER_SERVICES: Final = tuple(service for file in _FILES for service in file.DESCRIPTOR.services_by_name.values())
"""In the order in which the documentation shows them."""

SENDER_SERVICES: Final = tuple(sender_service_pb2.DESCRIPTOR.services_by_name.values())

SERVICES: Final = (*SCHEDULER_SERVICES, *SENDER_SERVICES)
