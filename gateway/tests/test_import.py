"""CSV over HTTP into a stream of chunks."""

import asyncio

import httpx
import pytest
from maillane.scheduler.v1.campaign_service_pb2 import ImportRecipientsResponse, Recipient, RejectedRow
from maillane_chassis.errors import FailedPrecondition, NotFound
from maillane_gateway.http import body
from maillane_gateway.imports import endpoint, sink, transfer

from .conftest import running
from .test_bad_input import bad_fields

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATH = "/v1/campaigns/7/recipients:import"
CSV = {"content-type": "text/csv"}
TWICE = (
    b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nemail\r\n'
    b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nemail\r\n--b--\r\n'
)


async def pieces(*parts: bytes):
    for part in parts:
        yield part


async def test_rows_become_recipients(client, scheduler):
    """The campaign is named, and each row has its line."""
    await client.post(PATH, content="Email;First Name\na@x;Ann\n\nb@x;\n".encode("utf-8-sig"), headers=CSV)

    [chunk] = scheduler.asked["ImportRecipients"]
    assert chunk.campaign_id == "7"
    assert list(chunk.recipients) == [
        Recipient(email="a@x", variables={"first_name": "Ann"}, line=2),
        Recipient(email="b@x", line=4),
    ]


async def test_the_answer_has_the_names_of_the_contract(client, scheduler):
    """With lists and counts also where they are empty."""
    scheduler.answers["ImportRecipients"] = ImportRecipientsResponse(accepted=2, duplicates=1)

    response = await client.post(PATH, content=b"email\na@x\n", headers=CSV)

    assert response.json() == {"accepted": 2, "duplicates": 1, "rejected": [], "rejectedCount": 0}


async def test_what_both_sides_reject_comes_back_in_the_order_of_lines(client, scheduler):
    """Ragged rows never leave the gateway; the scheduler judges the rest."""
    scheduler.answers["ImportRecipients"] = ImportRecipientsResponse(
        accepted=1, rejected=[RejectedRow(line=3, value="b", reason="no address")], rejected_count=1
    )

    response = await client.post(PATH, content=b"email,n\na@x,1,2\nb,1\nc@x,1\nd@x,1,2,3\n", headers=CSV)

    assert [row["line"] for row in response.json()["rejected"]] == [2, 3, 5]
    assert response.json()["rejected"][2] == {
        "line": 5,
        "value": "d@x",
        "reason": "has 4 fields, but the header has 2 columns",
    }
    assert response.json()["rejectedCount"] == 3


async def test_rejected_rows_beyond_a_thousand_are_counted(client, scheduler):
    """The first thousand by name."""
    content = b"email\n" + b"a@x,1\n" * 1500

    response = await client.post(PATH, content=content, headers=CSV)

    assert (len(response.json()["rejected"]), response.json()["rejectedCount"]) == (1000, 1500)


async def test_a_file_comes_in_chunks(client, scheduler):
    """Of at most CHUNK_ROWS, or about CHUNK_BYTES."""
    short = b"".join(b"%d@example.com,x\n" % number for number in range(5000))
    long = b"".join(b"%d@example.org,%s\n" % (number, b"y" * 10_000) for number in range(150))

    await client.post(PATH, content=b"email,note\n" + short + long, headers=CSV)

    chunks = scheduler.asked["ImportRecipients"]
    assert sum(len(chunk.recipients) for chunk in chunks) == 5150
    assert max(len(chunk.recipients) for chunk in chunks) == sink.CHUNK_ROWS
    assert max(chunk.ByteSize() for chunk in chunks) < transfer.CHUNK_BYTES + 20_000


@pytest.mark.parametrize("content_type", ["text/csv; charset=utf-8", "text/plain", "application/octet-stream"])
async def test_types_that_a_csv_file_is_sent_as(client, scheduler, content_type):
    """What browsers and tools say of it."""
    response = await client.post(PATH, content=b"email\na@x\n", headers={"content-type": content_type})

    assert response.status_code == 200


async def test_a_form_with_a_file(client, scheduler):
    """Other fields are passed over."""
    await client.post(PATH, files={"file": ("leads.csv", b"email\na@x\n", "text/csv")}, data={"note": "x" * 100_000})

    assert scheduler.asked["ImportRecipients"][0].recipients[0].email == "a@x"


@pytest.mark.parametrize(
    ("content", "field", "words"),
    [
        (b"--b\r\nContent-Disposition: form-data; name=x\r\n\r\nv\r\n--b--\r\n", "file", "the form has no field file"),
        (b"--b\r\nContent-Disposition: form-data; name=file\r\n\r\nemail\r\na@x\r\n", "body", "ends before its last"),
        (b"no boundary at all", "body", "is no well-formed multipart/form-data"),
        (
            TWICE,
            "file",
            "is given twice",
        ),
    ],
    ids=["missing", "cut", "none", "twice"],
)
async def test_forms_that_are_none(client, scheduler, content, field, words):
    """400, and in words why."""
    headers = {"content-type": "multipart/form-data; boundary=b"}

    response = await client.post(PATH, content=content, headers=headers)

    assert response.status_code == 400
    assert words in bad_fields(response)[field]


@pytest.mark.parametrize("content_type", ["application/json", "", "multipart/form-data"])
async def test_types_that_hold_no_csv(client, scheduler, content_type):
    """415, with those that do."""
    response = await client.post(PATH, content=b"email\n", headers={"content-type": content_type})

    assert response.status_code == 415
    assert "text/csv" in response.json()["error"]["message"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "line 1: the file is empty"),
        (b"\n\r\n", "line 1: the file is empty"),
        (b"name\nAnn\n", "line 1: the header has no column named email; it has name"),
        (b"\n\nname\nAnn\n", "line 3: the header has no column named email; it has name"),
        ("email\n".encode("utf-16"), "line 1: the file is UTF-16"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "line 1: byte 0x89 is not UTF-8"),
    ],
)
async def test_files_that_are_refused_before_anything_is_called(client, scheduler, content, words):
    """400 CSV_INVALID with the line."""
    response = await client.post(PATH, content=content, headers=CSV)

    assert response.status_code == 400
    assert response.json()["error"]["details"][0]["reason"] == "CSV_INVALID"
    assert words in bad_fields(response)["file"]
    assert not scheduler.asked


async def test_a_file_that_goes_bad_in_the_middle_says_what_was_accepted(client, scheduler):
    """The rows before it are kept, so that the mended file can be sent whole."""
    scheduler.answers["ImportRecipients"] = ImportRecipientsResponse(accepted=2)

    response = await client.post(PATH, content=b"email\na@x\nb@x\nc\xe9@x\nd@x\n", headers=CSV)

    assert [r.email for chunk in scheduler.asked["ImportRecipients"] for r in chunk.recipients] == ["a@x", "b@x"]
    assert "line 4: byte 0xe9 is not UTF-8" in bad_fields(response)["file"]
    assert response.json()["error"]["details"][0]["metadata"] == {
        "line": "4",
        "accepted": "2",
        "duplicates": "0",
        "rejectedCount": "0",
    }


async def test_a_header_alone_still_asks_for_the_campaign(client, scheduler):
    """So that a wrong id is an error, whatever the file holds."""
    scheduler.answers["ImportRecipients.chunks"] = [NotFound("no such campaign")]

    response = await client.post(PATH, content=b"email\n", headers=CSV)

    assert response.status_code == 404


async def test_a_refusal_in_the_middle_reaches_a_client_that_still_sends(client, scheduler):
    """The status is the scheduler's, and the rest of the file is not read to its end."""
    scheduler.answers["ImportRecipients.chunks"] = [None, FailedPrecondition("it has ended", reason="CAMPAIGN_ENDED")]

    response = await client.post(PATH, content=b"email\n" + b"someone@example.com\n" * 200_000, headers=CSV)

    assert response.status_code == 400
    assert response.json()["error"]["details"][0]["reason"] == "CAMPAIGN_ENDED"


async def test_a_slow_scheduler_slows_the_client(client, scheduler):
    """What is not taken yet is not read yet: memory stays flat."""
    gate, sent = asyncio.Event(), 0
    scheduler.answers["ImportRecipients.chunks"] = [gate]
    scheduler.keep = False

    async def file():
        nonlocal sent
        yield b"email,note\n"
        row = b"someone@example.com," + b"x" * 4000 + b"\n"
        for _ in range(80):
            yield row * 100
            sent += len(row) * 100

    upload = asyncio.create_task(client.post(PATH, content=file(), headers=CSV))
    before = -1
    while before != sent:  # until no more is taken
        before = sent
        await asyncio.sleep(0.2)
    taken = sent
    gate.set()
    response = await upload

    assert response.status_code == 200
    assert taken < 16_000_000 < sent


async def test_a_client_that_hangs_is_told_so(client, scheduler, monkeypatch):
    """408 after the idle time, and the call is cancelled."""
    monkeypatch.setattr(endpoint, "IDLE_S", 0.2)
    monkeypatch.setattr(body, "MAX_DRAIN_S", 0.1)
    forever = asyncio.Event()

    async def file():
        yield b"email\n" + b"someone@example.com\n" * 10_000
        await forever.wait()

    upload = asyncio.create_task(client.post(PATH, content=file(), headers=CSV))
    await scheduler.ended.wait()
    forever.set()
    response = await upload

    assert response.status_code == 408


async def test_a_client_that_leaves_ends_the_call(gateway, scheduler):
    """Nothing is finished for nobody."""
    _, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: {gateway.client.headers['authorization']}\r\n"
    writer.write(head.encode() + b"Content-Type: text/csv\r\nContent-Length: 10000000\r\n\r\nemail\n")
    writer.write(b"someone@example.com\n" * 10_000)
    await writer.drain()
    while not scheduler.asked["ImportRecipients"]:
        await asyncio.sleep(0.01)
    writer.close()
    await writer.wait_closed()

    await asyncio.wait_for(scheduler.ended.wait(), 5)


async def test_a_file_beyond_the_limit_is_refused():
    """413: at once where its length is said, else when it is found."""
    async with running(max_csv_bytes=100_000) as gateway:
        rows = b"email\n" + b"someone@example.com\n" * 10_000

        said = await gateway.client.post(PATH, content=rows, headers=CSV)
        found = await gateway.client.post(PATH, content=pieces(rows), headers=CSV)

        assert (said.status_code, found.status_code) == (413, 413)
        assert said.json()["error"]["message"] == "the body is larger than 97 KiB"


async def test_imports_beyond_the_cap_are_asked_to_come_back(monkeypatch):
    """503 with Retry-After, before anything of the file is read."""
    monkeypatch.setattr(endpoint, "MAX_IMPORTS", 1)
    async with running() as gateway:
        gate = asyncio.Event()
        gateway.scheduler.answers["ImportRecipients.chunks"] = [gate]
        first = asyncio.create_task(gateway.client.post(PATH, content=b"email\na@x\n", headers=CSV))
        while not gateway.scheduler.asked["ImportRecipients"]:
            await asyncio.sleep(0.01)

        second = await gateway.client.post(PATH, content=b"email\na@x\n", headers=CSV)
        gate.set()

        assert (second.status_code, second.headers["retry-after"]) == (503, "1")
        assert (await first).status_code == 200


async def test_without_a_token_no_file_is_read(gateway, scheduler):
    """401."""
    async with httpx.AsyncClient(base_url=gateway.client.base_url) as stranger:
        response = await stranger.post(PATH, content=b"email\na@x\n", headers=CSV)

    assert response.status_code == 401
