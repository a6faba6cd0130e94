"""Log entries: their form, and what never gets into them."""

import io
import json
import logging
import os

import pytest
import structlog
from maillane_chassis import logs


@pytest.fixture
def log_to(settings):
    """Sets logging up for a test, and puts back what was there."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level

    def configure(stream, **changes):
        logs.configure(settings.model_copy(update=changes), "birds", stream)
        return structlog.get_logger()

    yield configure
    structlog.reset_defaults()
    root.handlers, root.level = handlers, level


def entry(stream):
    [line] = stream.getvalue().splitlines()
    return json.loads(line)


def test_an_entry_is_a_line_of_json(log_to):
    """Event, keys, level, time and service."""
    stream = io.StringIO()
    log_to(stream).info("nest_built", twigs=5)

    line = entry(stream)

    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "nest_built", "twigs": 5, "level": "info", "service": "birds"}


def test_what_libraries_log_takes_the_same_form(log_to):
    """The standard library's logging goes the same way, from warning on."""
    stream = io.StringIO()
    log_to(stream)
    logging.getLogger("feathers").info("unheard")
    logging.getLogger("feathers").warning("loose: %s", 3)

    line = entry(stream)

    assert (line["event"], line["logger"], line["level"]) == ("loose: 3", "feathers", "warning")


@pytest.mark.parametrize(
    "key",
    [
        "password",
        "smtp_password",
        "authorization",
        "Authorization",
        "client_secret",
        "token",
        "lease_token",
        "service_key",
    ],
)
def test_secrets_are_taken_out_by_their_keys(log_to, key):
    """At the top of an entry, and within what it holds."""
    stream = io.StringIO()
    log_to(stream).info("opened", **{key: "hush"}, headers={key: "hush"}, tries=[{key: "hush"}])

    assert "hush" not in stream.getvalue()


@pytest.mark.parametrize("key", ["token_id", "tokens_left", "key", "monkey", "secretary"])
def test_what_only_sounds_like_a_secret_stays(log_to, key):
    """An id of a token is what one looks for in a log."""
    stream = io.StringIO()
    log_to(stream).info("opened", **{key: 5})

    assert entry(stream)[key] == 5


def test_a_traceback_has_no_variables(log_to):
    """Local variables hold what requests held."""
    stream = io.StringIO()
    log = log_to(stream)
    try:
        hidden = "hush"
        _ = os.environ["ABSENT"] + hidden
    except KeyError:
        log.exception("failed")

    line = entry(stream)
    assert ("ABSENT" in line["exception"], "hush" in line["exception"].replace('hidden = "hush"', "")) == (True, False)


def test_the_level_is_a_setting(log_to):
    """What lies below is not written."""
    stream = io.StringIO()
    log = log_to(stream, log_level="warning")
    log.info("unheard")
    log.warning("heard")

    assert entry(stream)["event"] == "heard"


def test_a_readable_form_is_a_setting(log_to):
    """For people; it is the default on a terminal alone."""
    stream = io.StringIO()
    log_to(stream, log_format="pretty").info("nest_built", twigs=5)

    assert "nest_built" in stream.getvalue()
    assert not stream.getvalue().startswith("{")
