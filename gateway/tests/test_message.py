"""Every kind of field, beyond those that today's contract has."""

import contextlib
import json
from typing import Any

import pytest
from google.protobuf import json_format
from hypothesis import given, settings
from hypothesis import strategies as st
from maillane_chassis.errors import InvalidArgument
from maillane_gateway.transcode import document, query
from maillane_gateway.transcode.binding import bindings
from maillane_gateway.transcode.faults import Faults
from maillane_gateway.transcode.mask import given_paths
from maillane_gateway.transcode.message import fill
from maillane_gateway.transcode.template import PathTemplate

from .zoo import ANIMAL, SERVICE, Animal

GET, GET_SHORT, GET_FILE, UPDATE = bindings([SERVICE])


def faults_of(text: str) -> dict[str, str]:
    faults = Faults()
    fill(Animal(), document.parse(text.encode()), faults)
    try:
        faults.raise_if_any()
    except InvalidArgument as error:
        return {violation.field: violation.description for violation in error.violations}
    return {}


@pytest.mark.parametrize(
    "value",
    [
        {"serial": "-9223372036854775808", "weightG": "18446744073709551615"},
        {"serial": -5, "weightG": 7.0},
        {"tame": True, "picture": "AQID", "speed": 1.5, "length": "2.5"},
        {"picture": "_-8"},
        {"diets": ["DIET_PLANTS", 0]},
        {"counts": {"a": 1, "b": "2"}, "answers": {"true": "yes", "false": "no"}},
        {"young": {"1": {"name": "x", "young": {"-2": {}}}}},
        {"seenTimes": ["2026-01-31T09:30:00.5+01:00"]},
        {"notes": {"any": [1, None, {"thing": True}]}},
        {"cage": "a"},
        {"parent": {"parent": {"name": "x"}}, "friends": [{"name": "y"}, {}]},
        {"name": None, "friends": None, "parent": None, "counts": None},
    ],
    ids=str,
)
def test_it_reads_what_protobuf_itself_reads(value):
    """ProtoJSON, as json_format understands it."""
    message, faults = Animal(), Faults()
    fill(message, value, faults)

    assert len(faults) == 0
    assert message == json_format.ParseDict(value, Animal())


@pytest.mark.parametrize(
    ("text", "field", "words"),
    [
        ('{"serial": 9223372036854775808}', "serial", "must be a whole number from -9223372036854775808"),
        ('{"weightG": -1}', "weightG", "must be a whole number from 0 to 18446744073709551615"),
        ('{"tame": "true"}', "tame", "must be true or false"),
        ('{"picture": "!"}', "picture", "must be bytes as a base64 string"),
        ('{"picture": 5}', "picture", "must be bytes as a base64 string"),
        ('{"speed": NaN}', "speed", "must be a finite number"),
        ('{"speed": [1]}', "speed", "must be a finite number"),
        ('{"length": 1e39}', "length", "must be a finite number"),
        ('{"\\ud800": 1}', "?", "is not a field of"),
        ('{"diets": [1099511627777]}', "diets[0]", "must be one of"),
        ('{"diets": ["\\ud800"]}', "diets[0]", "must be one of"),
        ('{"diets": [true]}', "diets[0]", "must be one of"),
        ('{"diets": ["DIET_MEAT"]}', "diets[0]", "must be one of DIET_UNSPECIFIED, DIET_PLANTS"),
        ('{"counts": {"a": "x"}}', 'counts["a"]', "must be a whole number"),
        ('{"counts": {"a": null}}', 'counts["a"]', "must be a whole number"),
        ('{"counts": {"a": 1, "a": 2}}', 'counts["a"]', "is given twice"),
        ('{"counts": [1]}', "counts", "must be an object, not an array"),
        ('{"young": {"x": {}}}', 'young["x"]', "must be a whole number"),
        ('{"young": {"1": {"nam": 1}}}', 'young["1"].nam', "did you mean name?"),
        ('{"answers": {"yes": "x"}}', 'answers["yes"]', "must be true or false"),
        ('{"notes": 5}', "notes", "is no valid Struct"),
        ('{"cage": "a", "pond": "b"}', "pond", "cannot be given together with cage"),
        ('{"friends": [{}, {"name": 1}]}', "friends[1].name", "must be a string, not a number"),
        ('{"friends": [null]}', "friends[0]", "must not be null"),
        ('{"parent": {"parent": {"name": 1}}}', "parent.parent.name", "must be a string, not a number"),
    ],
)
def test_what_does_not_fit_has_its_whole_path(text, field, words):
    """Through lists, maps and messages."""
    assert words in faults_of(text)[field]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([field.json_name for field in Animal.DESCRIPTOR.fields] + ["x", "1"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@given(JSON)
@settings(max_examples=150, deadline=None)
def test_no_json_breaks_it(value):
    """Whatever comes is a message or a list of faults; never another error."""
    faults_of(json.dumps(value))


@given(st.binary(max_size=60) | st.text(alphabet='{}[]":,\\u0123eE+-.tfn ', max_size=60).map(str.encode))
@settings(max_examples=150, deadline=None)
def test_no_text_breaks_the_parser(raw):
    """Whatever comes is a value, or a refusal; never another error."""
    with contextlib.suppress(document.DocumentError):
        document.parse(raw)


@pytest.mark.parametrize(
    ("binding", "path", "variables"),
    [
        (GET, "/v1/zoos/1/animals/2", {"name": "zoos/1/animals/2"}),
        (GET, "/v1/zoos/1/animals/a%2Fb", {"name": "zoos/1/animals/a%2Fb"}),
        (GET, "/v1/zoos/1/animals", None),
        (GET_SHORT, "/v1/animals/a%2Fb%3Ac", {"name": "a/b:c"}),
        (GET_SHORT, "/v1/animals/a:b", None),
        (GET_SHORT, "/v1/animals/", None),
        (GET_FILE, "/v1/files/a/b/c:stat", {"name": "a/b/c"}),
        (GET_FILE, "/v1/files/:stat", {"name": ""}),
        (GET_FILE, "/v1/files/a", None),
        (UPDATE, "/v1/animals/x", {"animal.name": "x"}),
    ],
)
def test_templates_match_what_http_proto_says(binding, path, variables):
    """One segment, several, a verb at the end."""
    assert binding.template.match(path) == variables


def test_the_more_specific_template_comes_first():
    """A literal before a variable, one segment before many."""
    texts = ["/v1/{name=**}", "/v1/{name}", "/v1/animals", "/v1/animals/{name}"]

    found = sorted(map(PathTemplate.parse, texts), key=lambda template: template.specificity)

    assert [template.text for template in found] == ["/v1/animals", "/v1/animals/{name}", "/v1/{name}", "/v1/{name=**}"]


@pytest.mark.parametrize("text", ["v1/animals", "/v1/{a}/{a}"])
def test_templates_that_are_none(text):
    """Refused when the gateway starts."""
    with pytest.raises(ValueError, match="not a path template"):
        PathTemplate.parse(text)


def test_query_parameters_reach_into_messages():
    """Nested, repeated, truth values, 64 bits and enums."""
    parameters = query.parse(b"like.parent.tame=true&like.diets=DIET_PLANTS&like.diets=0&like.serial=5&like.cage=")
    outer: dict[str, Any] = {}
    faults = Faults()
    for name, values in parameters.items():
        query.put(outer, GET.method.input_type, name, values, faults, allowed=["like"])

    assert len(faults) == 0
    assert outer == {"like": {"parent": {"tame": True}, "diets": ["DIET_PLANTS", 0], "serial": "5"}}


@pytest.mark.parametrize(
    "name", ["like", "like.counts", "like.counts.a", "like.friends.name", "like.name.x", "name", "."]
)
def test_query_parameters_that_are_none(name):
    """Messages as such, maps, what lies in lists, and what the path gives."""
    faults = Faults()
    query.put({}, GET.method.input_type, name, ["1"], faults, allowed=["like"])

    assert len(faults) == 1


def test_a_derived_mask_leaves_out_what_only_the_server_sets():
    """So that what was read can be sent back whole."""
    given = {"age": 7, "parent": {"age": 1, "tame": False}, "counts": {"a": 1}, "friends": [{}], "seenTimes": []}

    paths = list(given_paths(given, ANIMAL))

    assert paths == ["parent.tame", "counts", "friends", "seen_times"]
