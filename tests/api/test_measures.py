"""What is measured of requests is told as the library's own histogram tells it."""

import random
from collections.abc import Callable

import pytest
from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.exposition import generate_latest as latest
from prometheus_client.openmetrics.exposition import generate_latest as as_openmetrics

from app.api.measures import _BUCKETS, Measures

NAMES = ("method", "route", "status")
SECONDS = (0.0, 0.002, 0.0020001, 0.3, 30.0, 31.0)


def lines(text: bytes) -> list[str]:
    """Return what is told of requests, without the moments at which each was first counted."""
    found = [one for one in text.decode().splitlines() if "multicanal_request_seconds" in one]
    return [one.rpartition(" ")[0] if "_created{" in one else one for one in found]


@pytest.mark.parametrize("tell", [latest, as_openmetrics])
def test_requests_are_told_as_the_library_tells_a_histogram(
    tell: Callable[[CollectorRegistry], bytes],
) -> None:
    drawn, registry, measures = random.Random(1), CollectorRegistry(), Measures()
    usual = Histogram(
        "multicanal_request_seconds",
        "Time to answer, by the route's template",
        NAMES,
        registry=registry,
        buckets=_BUCKETS,
    )
    for _ in range(500):
        method, known = drawn.choice([("GET", "GET"), ("BREW", "other")])
        route = drawn.choice([None, "/v1/messages/{message_id}", '/"\\\n'])
        status = drawn.choice([200, 404])
        seconds = drawn.choice([*SECONDS, drawn.random()])
        measures.answered(method, route, status, seconds)
        usual.labels(known, route or "none", str(status)).observe(seconds)

    assert lines(tell(measures.registry)) == lines(tell(registry))


def test_a_moment_is_kept_of_when_counting_began() -> None:
    measures = Measures(clock=iter([5.0, 6.0]).__next__)
    for status in (200, 404, 200):
        measures.answered("GET", "/", status, 0.1)

    told = [one for one in latest(measures.registry).decode().splitlines() if "_created{" in one]

    assert [one.rpartition(" ")[2] for one in told] == ["5.0", "6.0"]
