"""Files of addresses that are not written to."""

import pytest
from maillane.scheduler.v1 import suppression_service_pb2 as pb

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATH = "/v1/suppressions:import"


def rows(scheduler):
    return [(row.line, row.email) for chunk in scheduler.asked["ImportSuppressions"] for row in chunk.rows]


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("Name,Email\nAnn,a@x.com\n\nBo,b@x.com\n", [(2, "a@x.com"), (4, "b@x.com")]),
        ("a@x.com\nb@x.com", [(1, "a@x.com"), (2, "b@x.com")]),
        ("Ann;a@x.com\nBo;nothing\nCy\n", [(1, "a@x.com"), (2, "nothing"), (3, "")]),
        ("email\n", []),
    ],
    ids=["CSV", "TXT", "no header", "header only"],
)
async def test_addresses_are_found_by_their_column(client, scheduler, file, expected):
    """Named in a header, or where the first row has one; each with its line."""
    scheduler.answers["ImportSuppressions"] = pb.ImportSuppressionsResponse(added=2)
    answer = await client.post(PATH, content=file.encode(), headers={"content-type": "text/csv"})

    assert (answer.status_code, answer.json()["added"]) == (200, 2)
    assert rows(scheduler) == expected


async def test_a_form_is_taken_as_well(client, scheduler):
    """As a browser uploads it."""
    await client.post(PATH, files={"file": ("list.txt", b"a@x.com\n")})

    assert rows(scheduler) == [(1, "a@x.com")]


@pytest.mark.parametrize("file", [b"", b"name\nAnn\n", b"\xff\xfea\0"], ids=["empty", "no addresses", "UTF-16"])
async def test_what_is_no_list_is_refused(client, scheduler, file):
    """With its place, and before anything is asked of the scheduler."""
    answer = await client.post(PATH, content=file, headers={"content-type": "text/csv"})

    assert answer.status_code == 400
    assert answer.json()["error"]["details"][0]["reason"] == "CSV_INVALID"
    assert not rows(scheduler)


async def test_a_long_file_goes_in_chunks(client, scheduler):
    """All of it, in its order."""
    file = "".join(f"r{n}@x.com\n" for n in range(5000))
    await client.post(PATH, content=file.encode(), headers={"content-type": "text/csv"})

    assert [email for _, email in rows(scheduler)] == [f"r{n}@x.com" for n in range(5000)]
    assert len(scheduler.asked["ImportSuppressions"]) == 3
