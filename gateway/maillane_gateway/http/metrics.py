"""Metrics of requests, by route: the template, never the path, of which there is no end."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

# From well below the fastest call to the longest of uploads.
_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
_ROUTE = ("http_verb", "http_route")

SECONDS: Final = Histogram(
    "http_server_handling_seconds", "Time until an answer was sent whole.", _ROUTE, buckets=_BUCKETS_S
)
HANDLED: Final = Counter("http_server_handled", "Requests that have ended, by code.", (*_ROUTE, "http_code"))
IN_FLIGHT: Final = Gauge("http_server_in_flight", "Requests that have begun and not ended.")
