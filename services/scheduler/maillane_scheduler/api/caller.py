"""Whose call it is, and what of it a repeat must have in common."""

from hashlib import sha256
from typing import Any

import grpc
from google.protobuf.message import Message
from maillane_chassis.access import identity, origin

from maillane_scheduler.store.audit import Actor

Context = grpc.aio.ServicerContext[Any, Any]


def actor(context: Context) -> Actor:
    """The token or user that calls. Services of the deployment open no rpc of a workspace."""
    caller = identity(context)
    assert caller.workspace_id is not None
    return Actor(caller.workspace_id, caller.token_id, caller.name, peer(context), caller.user_id)


def peer(context: Context) -> str:
    """From where the call came, as gRPC names it; of one over HTTP, the gateway's client."""
    return origin(context)


def workspace(context: Context) -> int:
    """The workspace of the token or user that calls."""
    return actor(context).workspace_id


def body_hash(body: Message) -> bytes:
    """What tells one request from another of the same type: its fields but the request id, in one order."""
    return sha256(body.SerializeToString(deterministic=True)).digest()
