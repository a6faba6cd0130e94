"""Mailboxes over gRPC: what goes in, what comes out, and what is refused."""

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from maillane.scheduler.v1 import campaign_service_pb2 as campaign_pb
from maillane.scheduler.v1 import mailbox_service_pb2 as pb
from maillane_scheduler.addresses import address_key

from .making import mailbox_of, make_campaign, make_mailbox
from .scheduler_api import CATCHER, SEALER, refused


async def get(client, mailbox_id):
    return (await client.GetMailbox(pb.GetMailboxRequest(mailbox_id=mailbox_id))).mailbox


def update(mailbox_id, mailbox, *paths):
    return pb.UpdateMailboxRequest(mailbox_id=mailbox_id, mailbox=mailbox, update_mask=FieldMask(paths=paths))


async def test_a_mailbox_comes_back_as_it_was_made_but_for_its_password(tenant):
    """Secrets go in, never out; what is unset gets the deployment's defaults."""
    made = await make_mailbox(tenant.editor, address="Ada@BÜCHER.example", display_name="Ada")

    mailbox = await get(tenant.viewer, made.id)
    assert mailbox == made
    assert mailbox.address == "Ada@xn--bcher-kva.example"
    assert (mailbox.hourly_limit, mailbox.HasField("daily_limit"), mailbox.min_gap) == (200, False, Duration())
    assert mailbox.state == pb.MAILBOX_STATE_ACTIVE
    assert mailbox.smtp.has_password
    assert not mailbox.smtp.HasField("password")


async def test_the_password_is_sealed_at_rest(api, tenant):
    """Bound to its workspace and address."""
    made = await make_mailbox(tenant.editor)

    ((sealed,),) = await api.sql("SELECT password FROM mailboxes WHERE workspace_id = :w", w=tenant.id)
    assert b"s3cret" not in bytes(sealed)
    assert SEALER.open(sealed, tenant.id, address_key(made.address)) == "s3cret"


async def test_an_address_is_taken_once_whatever_its_case(tenant):
    """And is free again once its mailbox is deleted."""
    made = await make_mailbox(tenant.editor, address="ada@example.com")
    again = pb.CreateMailboxRequest(mailbox=mailbox_of(address="ADA@Example.com"))
    refusal = await refused(tenant.editor.CreateMailbox(again))
    await tenant.editor.DeleteMailbox(pb.DeleteMailboxRequest(mailbox_id=made.id))
    anew = await tenant.editor.CreateMailbox(again)

    assert (refusal.code, refusal.reason) == (grpc.StatusCode.ALREADY_EXISTS, "ADDRESS_TAKEN")
    assert anew.mailbox.id != made.id


async def test_every_bad_field_is_named_at_once(tenant):
    """With what is allowed."""
    mailbox = mailbox_of(
        address="a@b.example, c@d.example",
        display_name="x\r\nBcc: eve@example.com",
        smtp=pb.Smtp(host="no host", port=80, username="a\0b", password="p" * 1025),
        hourly_limit=0,
        daily_limit=-1,
        min_gap=Duration(seconds=-1),
        max_connections=51,
    )
    refusal = await refused(tenant.editor.CreateMailbox(pb.CreateMailboxRequest(request_id="!", mailbox=mailbox)))

    assert refusal.code == grpc.StatusCode.INVALID_ARGUMENT
    assert set(refusal.fields) == {
        "request_id",
        "mailbox.address",
        "mailbox.display_name",
        "mailbox.smtp.host",
        "mailbox.smtp.port",
        "mailbox.smtp.security",
        "mailbox.smtp.username",
        "mailbox.smtp.password",
        "mailbox.hourly_limit",
        "mailbox.daily_limit",
        "mailbox.min_gap",
        "mailbox.max_connections",
    }
    assert refusal.fields["mailbox.smtp.port"] == "must be one of 25, 465, 587, 1025, 2525"


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("127.0.0.1", True),
        ("127.8.9.10", True),
        ("::1", True),
        ("localhost", True),
        ("LOCALHOST", True),
        ("mail.example.com", False),
        ("10.0.0.1", False),
        ("localhost.example.com", False),
        ("::ffff:127.0.0.1", True),
    ],
)
async def test_an_unprotected_connection_goes_to_loopback_only(tenant, host, allowed):
    """Unless a setting allows more."""
    smtp = pb.Smtp(host=host, port=1025, security=pb.SECURITY_NONE)
    call = tenant.editor.CreateMailbox(pb.CreateMailboxRequest(mailbox=mailbox_of(smtp=smtp)))

    if allowed:
        assert (await call).mailbox.smtp.security == pb.SECURITY_NONE
    else:
        assert set((await refused(call)).fields) == {"mailbox.smtp.security"}


async def test_an_update_changes_what_its_mask_names(tenant):
    """And nothing else: a password that is not named, or not given, is kept."""
    made = await make_mailbox(tenant.editor, daily_limit=5000)
    smtp = pb.Smtp(host="SMTP.example.com", port=465, security=pb.SECURITY_TLS, username="v")
    changed = pb.Mailbox(display_name="Bob", smtp=smtp, hourly_limit=-5)
    await tenant.editor.UpdateMailbox(update(made.id, changed, "smtp", "display_name", "daily_limit"))

    mailbox = await get(tenant.viewer, made.id)
    assert (mailbox.smtp.host, mailbox.smtp.port, mailbox.smtp.username) == ("SMTP.example.com", 465, "v")
    assert (mailbox.display_name, mailbox.hourly_limit, mailbox.HasField("daily_limit")) == ("Bob", 200, False)
    assert mailbox.smtp.has_password


@pytest.mark.parametrize(
    ("host", "security"),
    [("evil.example.com", pb.SECURITY_TLS), ("127.0.0.1", pb.SECURITY_STARTTLS), ("localhost", pb.SECURITY_NONE)],
)
async def test_a_kept_password_goes_nowhere_else(tenant, host, security):
    """Another host, or no protection, asks for it again; with it, or without any, the change is good."""
    smtp = pb.Smtp(host="localhost", port=587, security=pb.SECURITY_STARTTLS, username="u", password="s3cret")
    made = await make_mailbox(tenant.editor, smtp=smtp)
    moved = pb.Smtp(host=host, security=security)
    paths = ("smtp.host", "smtp.security")
    refusal = await refused(tenant.editor.UpdateMailbox(update(made.id, pb.Mailbox(smtp=moved), *paths)))
    moved.password = "again"
    again = await tenant.editor.UpdateMailbox(update(made.id, pb.Mailbox(smtp=moved), *paths, "smtp.password"))

    assert (refusal.code, set(refusal.fields)) == (grpc.StatusCode.INVALID_ARGUMENT, {"mailbox.smtp.password"})
    assert (again.mailbox.smtp.host, again.mailbox.smtp.security) == (host, security)


async def test_a_password_is_replaced_or_removed_where_it_is_named_and_given(api, tenant):
    """An empty one removes it."""
    made = await make_mailbox(tenant.editor)
    key = address_key(made.address)
    await tenant.editor.UpdateMailbox(update(made.id, pb.Mailbox(smtp=pb.Smtp(password="new")), "smtp.password"))
    ((sealed,),) = await api.sql("SELECT password FROM mailboxes WHERE workspace_id = :w", w=tenant.id)
    removed = await tenant.editor.UpdateMailbox(update(made.id, pb.Mailbox(smtp=pb.Smtp(password="")), "smtp.password"))

    assert SEALER.open(sealed, tenant.id, key) == "new"
    assert not removed.mailbox.smtp.has_password


async def test_a_password_follows_its_mailbox_to_another_address(api, tenant):
    """It is sealed anew, for it is bound to the address."""
    made = await make_mailbox(tenant.editor)
    await tenant.editor.UpdateMailbox(update(made.id, pb.Mailbox(address="new@example.com"), "address"))

    ((sealed, key),) = await api.sql("SELECT password, address_key FROM mailboxes WHERE workspace_id = :w", w=tenant.id)
    assert key == address_key("new@example.com")
    assert SEALER.open(sealed, tenant.id, key) == "s3cret"


@pytest.mark.parametrize("paths", [[], ["id"], ["state"], ["smtp.nothing"], ["*"], ["displayName"]])
async def test_a_mask_names_known_fields_and_at_least_one(tenant, paths):
    """What is output only is no field of an update."""
    made = await make_mailbox(tenant.editor)
    refusal = await refused(tenant.editor.UpdateMailbox(update(made.id, pb.Mailbox(), *paths)))

    assert set(refusal.fields) == {"update_mask"}


async def test_a_mask_that_names_what_the_server_sets_is_told_so(tenant):
    """By its name."""
    made = await make_mailbox(tenant.editor)
    refusal = await refused(tenant.editor.UpdateMailbox(update(made.id, pb.Mailbox(), "smtp.has_password")))

    assert refusal.fields == {"update_mask": "must not name smtp.has_password: it is set by the server"}


async def test_a_host_changed_alone_must_fit_the_security_that_stays(tenant):
    """A mailbox without protection does not leave loopback by an update."""
    smtp = pb.Smtp(host="localhost", port=1025, security=pb.SECURITY_NONE)
    made = await make_mailbox(tenant.editor, smtp=smtp)
    elsewhere = pb.Mailbox(smtp=pb.Smtp(host="mail.example.com"))
    refusal = await refused(tenant.editor.UpdateMailbox(update(made.id, elsewhere, "smtp.host")))

    assert set(refusal.fields) == {"mailbox.smtp.security"}
    assert (await get(tenant.viewer, made.id)).smtp.host == "localhost"


async def test_an_address_cannot_be_changed_to_one_that_is_taken(tenant):
    """Of another mailbox of the workspace."""
    one, other = await make_mailbox(tenant.editor), await make_mailbox(tenant.editor)
    refusal = await refused(
        tenant.editor.UpdateMailbox(update(one.id, pb.Mailbox(address=other.address.upper()), "address"))
    )

    assert refusal.reason == "ADDRESS_TAKEN"


async def test_a_mailbox_in_use_cannot_be_deleted(tenant):
    """The answer names the campaigns; once they have ended, it can."""
    mailbox = await make_mailbox(tenant.editor)
    campaign = await make_campaign(tenant.editor, mailbox_ids=[mailbox.id], name="Autumn")
    refusal = await refused(tenant.editor.DeleteMailbox(pb.DeleteMailboxRequest(mailbox_id=mailbox.id)))
    await tenant.editor.CancelCampaign(campaign_pb.CancelCampaignRequest(campaign_id=campaign.id))
    await tenant.editor.DeleteMailbox(pb.DeleteMailboxRequest(mailbox_id=mailbox.id))
    gone = await refused(tenant.viewer.GetMailbox(pb.GetMailboxRequest(mailbox_id=mailbox.id)))

    assert (refusal.code, refusal.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "MAILBOX_IN_USE")
    assert "'Autumn'" in refusal.message
    assert gone.code == grpc.StatusCode.NOT_FOUND


async def test_a_deleted_mailbox_leaves_no_password_behind(api, tenant):
    """Its row stays for what it sent; its secret does not."""
    mailbox = await make_mailbox(tenant.editor)
    await tenant.editor.DeleteMailbox(pb.DeleteMailboxRequest(mailbox_id=mailbox.id))

    assert await api.sql("SELECT password FROM mailboxes WHERE workspace_id = :w", w=tenant.id) == [(None,)]


async def test_pausing_and_resuming_twice_is_as_good_as_once(api, tenant):
    """One audit row a change."""
    mailbox = await make_mailbox(tenant.editor)
    for _ in range(2):
        paused = await tenant.editor.PauseMailbox(pb.PauseMailboxRequest(mailbox_id=mailbox.id))
    for _ in range(2):
        resumed = await tenant.editor.ResumeMailbox(pb.ResumeMailboxRequest(mailbox_id=mailbox.id))

    verbs = await api.sql("SELECT verb FROM audit WHERE resource = :r ORDER BY id", r=f"mailboxes/{mailbox.id}")
    assert (paused.mailbox.state, resumed.mailbox.state) == (pb.MAILBOX_STATE_PAUSED, pb.MAILBOX_STATE_ACTIVE)
    assert verbs == [("mailbox.create",), ("mailbox.pause",), ("mailbox.resume",)]


async def test_parks_are_told_the_longest_first_and_back_off_ends_with_a_resume(api, tenant):
    """A limit's park stays: a person cannot lift a limit."""
    mailbox = await make_mailbox(tenant.editor)
    await api.sql("UPDATE mailboxes SET backoff_level = 3 WHERE id = :id", id=int(mailbox.id))
    await api.sql(
        "INSERT INTO parks VALUES (:id, 0, 1, now() + interval '1 hour', 'hour'),"
        " (:id, 0, 2, now() + interval '2 hours', '454'), (:id, 0, 3, now() - interval '1 hour', 'over')",
        id=int(mailbox.id),
    )
    parked = await get(tenant.viewer, mailbox.id)
    resumed = (await tenant.editor.ResumeMailbox(pb.ResumeMailboxRequest(mailbox_id=mailbox.id))).mailbox

    assert [park.detail for park in parked.parks] == ["454", "hour"]
    assert [park.reason for park in resumed.parks] == [pb.PARK_REASON_LIMIT]
    assert await api.sql("SELECT backoff_level FROM mailboxes WHERE id = :id", id=int(mailbox.id)) == [(0,)]


async def test_a_changed_limit_lifts_the_park_of_the_old_one(api, tenant):
    """New limits hold from the next hand-out on, not from the next hour; other changes lift nothing."""
    mailbox = await make_mailbox(tenant.editor)
    await api.sql("INSERT INTO parks VALUES (:id, 0, 1, now() + interval '1 h', 'hour')", id=int(mailbox.id))
    named = await tenant.editor.UpdateMailbox(update(mailbox.id, pb.Mailbox(display_name="x"), "display_name"))
    raised = await tenant.editor.UpdateMailbox(update(mailbox.id, pb.Mailbox(hourly_limit=900), "hourly_limit"))

    assert [len(answer.mailbox.parks) for answer in (named, raised)] == [1, 0]


async def test_connections_are_five_unless_said_and_the_queue_is_told_of_a_change(api, tenant):
    """Unset in an update that names them, they are five again."""
    made = await make_mailbox(tenant.editor)
    more = await tenant.editor.UpdateMailbox(update(made.id, pb.Mailbox(max_connections=50), "max_connections"))
    ((cap, untold),) = await api.sql(
        "SELECT max_in_flight, revision - queue_revision FROM mailboxes WHERE id = :id", id=int(made.id)
    )
    again = await tenant.editor.UpdateMailbox(update(made.id, pb.Mailbox(), "max_connections"))

    given = [mailbox.max_connections for mailbox in (made, more.mailbox, again.mailbox)]
    assert (given, cap, untold) == ([5, 50, 5], 50, 0)


async def test_what_a_server_allows_is_told_where_it_is_fewer(api, tenant):
    """With when it was learned; a mailbox that may have no more is as good as one of which nothing was learned."""
    made = await make_mailbox(tenant.editor, max_connections=4)
    await api.sql("UPDATE mailboxes SET learned_cap = 2, learn_time = 'epoch' WHERE id = :id", id=int(made.id))
    learned = await get(tenant.viewer, made.id)
    fewer = await tenant.editor.UpdateMailbox(update(made.id, pb.Mailbox(max_connections=2), "max_connections"))

    assert not made.HasField("learned_connections")
    assert (learned.learned_connections, learned.learn_time.ToSeconds()) == (2, 0)
    assert learned.HasField("learn_time")
    assert not fewer.mailbox.HasField("learned_connections")
    assert not fewer.mailbox.HasField("learn_time")


async def test_pages_hold_each_mailbox_once_in_order(tenant):
    """And the last has no token."""
    made = [(await make_mailbox(tenant.editor)).id for _ in range(5)]
    seen, token = [], ""
    while True:
        page = await tenant.viewer.ListMailboxes(pb.ListMailboxesRequest(page_size=2, page_token=token))
        seen += [mailbox.id for mailbox in page.mailboxes]
        token = page.next_page_token
        if not token:
            break

    assert seen == made


async def test_a_list_tells_of_the_catcher_also_where_there_are_no_mailboxes(tenant):
    """So that somebody new can begin with it."""
    page = await tenant.viewer.ListMailboxes(pb.ListMailboxesRequest())

    assert (page.catcher.host, page.catcher.port, page.catcher.url) == (CATCHER.host, CATCHER.port, CATCHER.url)
