"""What this process measures of itself: its requests, its memory and its time."""

import time
from bisect import bisect_left
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import HistogramMetricFamily, Metric
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_BUCKETS: Final = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_BOUNDS: Final = [*map(floatToGoString, (*_BUCKETS, float("inf")))]
_NAME: Final = "multicanal_request_seconds"


@dataclass(slots=True)
class _Answers:
    """Answers of one route and status, by the seconds that they took."""

    since: float  # seconds since 1970
    seconds: float = 0.0  # all together
    counts: list[int] = field(default_factory=lambda: [0] * len(_BOUNDS))  # within each bound


class Measures(Collector):
    """One process's measures; a caller cannot make a label of its own.

    Plain numbers, made metrics when they are asked for: the library's own counting cost more than
    the line of the log.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.registry = CollectorRegistry()
        self._clock = clock
        self._answers: dict[tuple[str, str | None, int], _Answers] = {}
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self.registry.register(self)

    def answered(self, method: str, route: str | None, status: int, seconds: float) -> None:
        """Count an answered request; `route` is the template, and never the address."""
        name = method if method in _METHODS else "other", route, status
        one = self._answers.get(name)
        if one is None:
            one = self._answers[name] = _Answers(self._clock())
        one.seconds += seconds
        one.counts[bisect_left(_BUCKETS, seconds)] += 1

    def collect(self) -> Iterable[Metric]:
        """Return the requests as a metric."""
        labels = ("method", "route", "status")
        found = HistogramMetricFamily(
            _NAME, "Time to answer, by the route's template", labels=labels
        )
        for (method, route, status), one in self._answers.items():
            values = (method, route or "none", str(status))
            within = zip(_BOUNDS, map(float, accumulate(one.counts)), strict=True)
            found.add_metric(values, [*within], one.seconds)
            found.add_sample(f"{_NAME}_created", dict(zip(labels, values, strict=True)), one.since)
        yield found
