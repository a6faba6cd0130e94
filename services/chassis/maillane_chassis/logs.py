"""Logging by structlog: JSON lines, or a readable form on a terminal; the standard library's goes the same way."""

from __future__ import annotations

import json
import logging
import re
import sys
from functools import lru_cache
from typing import TYPE_CHECKING, TextIO

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from structlog.typing import EventDict, Processor, WrappedLogger

    from maillane_chassis.settings import ServiceSettings

REDACTED = "[redacted]"
# How deep a value is searched for secrets; what lies deeper is not logged at all.
_MAX_DEPTH = 4
# The keys of entries are written in the code: few, and the same with each line.
_KEYS_KNOWN = 500
# Types whose items are searched too.
_NESTED = (dict, list, tuple)
_SECRET_KEY = re.compile(
    r"(^|[_.-])(password|passwd|secret|token|authorization|cookie|credentials?|(service|api|private|secret|encryption)[_-]key)s?$",
    re.IGNORECASE,
)


def configure(settings: ServiceSettings, service: str, stream: TextIO | None = None) -> None:
    """Sets up logging for this process; called once, in a composition root.

    Args:
        settings: decide the form and the level.
        service: the service's name, in every entry.
        stream: where the entries go; standard output if not given.
    """
    stream = stream if stream is not None else sys.stdout
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    pretty = settings.log_format == "pretty" or (settings.log_format == "auto" and stream.isatty())

    def name_service(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event["service"] = service
        return event

    first: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        name_service,
        # Without the frames' local variables, which hold what requests held.
        structlog.processors.format_exc_info,
        redact,
    ]
    last: Processor = (
        structlog.dev.ConsoleRenderer(colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback)
        if pretty
        else structlog.processors.JSONRenderer(_json)
    )
    structlog.configure(
        processors=[*first, last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    _route_standard_logging(first, last, level, stream)


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Takes the values of keys that name secrets out of an entry, also within mappings in it."""
    return _redacted(event, _MAX_DEPTH)


def _json(entry: EventDict, default: Callable[[object], object]) -> str:
    return _encoder(default).encode(entry)


@lru_cache(1)
def _encoder(default: Callable[[object], object]) -> json.JSONEncoder:
    # json.dumps makes a new one for each entry, where it is told a default.
    return json.JSONEncoder(default=default)


def _redacted(values: Mapping[str, object], depth: int) -> dict[str, object]:
    # Most values hold nothing more: they are not looked into by a call each.
    return {
        key: REDACTED if _names_secret(str(key)) else _searched(value, depth) if isinstance(value, _NESTED) else value
        for key, value in values.items()
    }


@lru_cache(_KEYS_KNOWN)
def _names_secret(key: str) -> bool:
    return _SECRET_KEY.search(key) is not None


def _searched(value: object, depth: int) -> object:
    if isinstance(value, dict):
        return _redacted(value, depth - 1) if depth > 1 else "…"
    if isinstance(value, list | tuple):
        return [_searched(item, depth - 1) for item in value] if depth > 1 else "…"
    return value


def _route_standard_logging(first: list[Processor], last: Processor, level: int, stream: TextIO) -> None:
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *first],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    # Libraries tell much at info and debug, with the contents of what they handle: never below warning.
    root.setLevel(max(level, logging.WARNING))
