"""Who may call what."""

import asyncio
from typing import Any, cast

import grpc
import pytest
from google.protobuf import empty_pb2
from grpc_channelz.v1 import channelz_pb2, channelz_pb2_grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from maillane.options.v1 import access_pb2
from maillane_chassis.access import MAX_CREDENTIAL_CHARS, Identity, access_table, identity

from .conftest import KEY, TOKENS, bearer
from .echo import METHODS, call, path, registration

OK = grpc.StatusCode.OK
UNAUTHENTICATED = grpc.StatusCode.UNAUTHENTICATED
DENIED = grpc.StatusCode.PERMISSION_DENIED

MATRIX = {
    "nobody": {},
    "viewer": {"View"},
    "editor": {"View", "Edit"},
    "admin": {"View", "Edit", "Administer"},
    "service": {"Serve"},
}
SERVICE = {"metadata": (("authorization", f"Service {KEY}"),)}


def credential(caller):
    return {} if caller == "nobody" else SERVICE if caller == "service" else bearer(caller)


async def code_of(awaitable):
    try:
        await awaitable
    except grpc.aio.AioRpcError as error:
        return error.code()
    return OK


@pytest.mark.parametrize("method", ["View", "Edit", "Administer", "Serve", "Forgotten"])
@pytest.mark.parametrize("caller", MATRIX)
async def test_each_caller_opens_just_its_methods(serve, connect, caller, method):
    """Roles contain each other, services stand apart, and a method without the option is closed to all."""
    channel = connect(await serve())

    code = await code_of(call(channel, method, **credential(caller)))

    refusal = UNAUTHENTICATED if caller == "nobody" else DENIED
    assert code == (OK if method in MATRIX[caller] else refusal)


@pytest.mark.parametrize("headers", [{}, *(bearer(caller) for caller in ("viewer", "wrong")), SERVICE])
async def test_an_open_method_lets_everybody_in_and_nobody_is_anybody(serve, connect, headers):
    """Whatever credential comes with it: it is not looked at, and gives no rights."""
    seen = []

    async def look(text, context):
        with pytest.raises(LookupError):
            identity(context)
        seen.append(text)
        return text

    channel = connect(await serve(look))

    assert await code_of(call(channel, "Greet", **headers)) == OK
    assert len(seen) == 1


@pytest.mark.parametrize(
    "values",
    [
        ["Bearer wrong"],
        ["Service wrong"],
        [f"Service {KEY[:-1]}"],
        [f"Bearer {KEY}"],
        ["Service viewer"],
        ["viewer"],
        ["Bearer"],
        ["Bearer "],
        ["Basic viewer"],
        ["Bearer viewer", "Bearer viewer"],
    ],
)
async def test_what_is_no_credential_opens_nothing(serve, connect, values):
    """Wrong, misplaced, doubled and empty credentials are all unauthenticated."""
    channel = connect(await serve())

    code = await code_of(call(channel, "View", metadata=tuple(("authorization", value) for value in values)))

    assert code == UNAUTHENTICATED


async def test_an_endless_token_is_not_looked_up(serve, connect):
    """Nothing is computed from a credential that is longer than any of ours."""
    asked = []

    async def authenticate(token):
        asked.append(token)

    channel = connect(await serve(authenticate=authenticate))
    await code_of(call(channel, "View", **bearer("x" * (MAX_CREDENTIAL_CHARS + 1))))

    assert asked == []


async def test_the_scheme_is_read_in_any_case(serve, connect):
    """RFC 9110 §11.1: the scheme is case-insensitive."""
    channel = connect(await serve())

    code = await code_of(call(channel, "View", metadata=(("authorization", "BEARER viewer"),)))

    assert code == OK


async def test_without_an_authenticator_no_token_is_valid(serve, connect):
    """A server for services only refuses every token."""
    channel = connect(await serve(authenticate=None))

    code = await code_of(call(channel, "View", **bearer("viewer")))

    assert code == UNAUTHENTICATED


async def test_a_token_never_becomes_a_service(serve, connect):
    """Should an authenticator ever give a token the role of services, the call ends as a bug."""

    async def confused(token):
        return Identity(7, 1, access_pb2.ACCESS_SERVICE, "confused")

    channel = connect(await serve(authenticate=confused))

    code = await code_of(call(channel, "Serve", **bearer("any")))

    assert code == grpc.StatusCode.INTERNAL


async def test_a_method_knows_its_caller(serve, connect):
    """identity() gives what the token resolved to."""
    seen = []

    async def act(text, context):
        seen.append(identity(context))
        return text

    channel = connect(await serve(act))
    await call(channel, "View", **bearer("editor"))

    assert seen == [TOKENS["editor"]]


async def test_concurrent_calls_keep_their_callers(serve, connect):
    """Two open calls on one connection each see their own caller, also after the other began."""
    both = asyncio.Barrier(2)

    async def act(text, context):
        await both.wait()
        return identity(context).name

    channel = connect(await serve(act))
    names = await asyncio.gather(*(call(channel, "View", **bearer(name)) for name in ("viewer", "admin")))

    assert names == ["viewer", "admin"]


def test_nobody_is_identified_outside_of_a_call():
    """identity() raises where there is no caller, instead of giving somebody."""
    with pytest.raises(LookupError):
        identity(cast(Any, None))


def test_the_table_names_every_method_of_a_service():
    """access_table gives each method's option under its gRPC path."""
    table = access_table(registration().descriptor)

    assert table == {path(name): access for name, (access, _, _) in METHODS.items()}


async def test_health_needs_no_credential(serve, connect):
    """Load balancers ask without one."""
    stub: Any = health_pb2_grpc.HealthStub(connect(await serve()))

    answer = await stub.Check(health_pb2.HealthCheckRequest())

    assert answer.status == health_pb2.HealthCheckResponse.NOT_SERVING


@pytest.mark.parametrize(("caller", "expected"), [("nobody", UNAUTHENTICATED), ("viewer", OK), ("service", OK)])
async def test_reflection_needs_any_credential(serve, caller, expected):
    """Who has no credential does not learn what there is to call."""
    server = await serve()
    asked = iter([reflection_pb2.ServerReflectionRequest(list_services="")])

    def list_services():
        # Not by grpc.aio, whose clients say INTERNAL where a call ends while its requests are being written.
        with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            stub: Any = reflection_pb2_grpc.ServerReflectionStub(channel)
            try:
                list(stub.ServerReflectionInfo(asked, **credential(caller)))
            except grpc.RpcError as error:
                return error.code()
        return OK

    assert await asyncio.to_thread(list_services) == expected


@pytest.mark.parametrize(("caller", "expected"), [("nobody", UNAUTHENTICATED), ("admin", DENIED), ("service", OK)])
async def test_channelz_needs_the_key(serve, connect, caller, expected):
    """Connections and their addresses are for the deployment's own operators."""
    stub: Any = channelz_pb2_grpc.ChannelzStub(connect(await serve()))

    code = await code_of(stub.GetServers(channelz_pb2.GetServersRequest(), **credential(caller)))

    assert code == expected


async def test_a_method_that_nobody_serves_is_unimplemented(serve, connect):
    """Not UNAUTHENTICATED and not INTERNAL: there is nothing to protect."""
    channel = connect(await serve())
    ask = channel.unary_unary("/maillane.test.v1.EchoService/Missing", empty_pb2.Empty.SerializeToString)

    code = await code_of(ask(empty_pb2.Empty()))

    assert code == grpc.StatusCode.UNIMPLEMENTED
