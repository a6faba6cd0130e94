"""An rpc of the contract that a server does not have (yet)."""

import grpc
import pytest
from google.rpc.error_details_pb2 import ErrorInfo
from maillane.scheduler.v1 import campaign_service_pb2 as pb
from maillane.scheduler.v1.campaign_service_pb2_grpc import (
    CampaignServiceServicer,
    CampaignServiceStub,
    add_CampaignServiceServicer_to_server,
)
from maillane_chassis.server import Registration, Server
from structlog.testing import capture_logs

from .conftest import authenticate, bearer
from .echo import call
from .test_errors import details, failure_of, raising

ADMIN = bearer("admin")
CALLS = {
    "unary": lambda stub: stub.GetCampaign(pb.GetCampaignRequest(campaign_id="1"), **ADMIN),
    "stream out": lambda stub: anext(aiter(stub.WatchCampaign(pb.WatchCampaignRequest(campaign_id="1"), **ADMIN))),
    "stream in": lambda stub: stub.ImportRecipients(iter([pb.ImportRecipientsRequest(campaign_id="1")]), **ADMIN),
}


@pytest.fixture
async def stub(settings, connect):
    """Of a server whose every method is what the generated code leaves to be written."""
    service = pb.DESCRIPTOR.services_by_name["CampaignService"]
    # Abstract in its stub alone.
    servicer = CampaignServiceServicer()  # type: ignore[abstract]
    empty = Registration(service, add_CampaignServiceServicer_to_server, servicer)
    server = Server(settings, 0, [empty], authenticate=authenticate)
    await server.start()
    yield CampaignServiceStub(connect(server))
    await server.stop(0)


@pytest.mark.parametrize("kind", CALLS)
async def test_a_method_that_nobody_wrote_is_unimplemented(stub, kind):
    """With a reason, and no crash in the log."""
    with capture_logs() as entries:
        error = await failure_of(CALLS[kind](stub))

    [info] = details(error, ErrorInfo)
    assert (error.code(), info.reason) == (grpc.StatusCode.UNIMPLEMENTED, "METHOD_NOT_IMPLEMENTED")
    assert "rpc_crashed" not in [entry["event"] for entry in entries]


async def test_a_part_of_a_method_that_nobody_wrote_is_a_defect(serve, connect):
    """NotImplementedError from within says nothing of the contract."""
    channel = connect(await serve(raising(NotImplementedError("later"))))

    error = await failure_of(call(channel, "View", **ADMIN))

    assert error.code() is grpc.StatusCode.INTERNAL
