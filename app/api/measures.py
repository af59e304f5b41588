"""What this process measures of itself: its requests, its memory and its time."""

from typing import Final

from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_BUCKETS: Final = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Measures:
    """One process's measures; a caller cannot make a label of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self._known: dict[tuple[str, str | None, int], Histogram] = {}
        self._requests = Histogram(
            "multicanal_request_seconds",
            "Time to answer, by the route's template",
            ("method", "route", "status"),
            registry=self.registry,
            buckets=_BUCKETS,
        )

    def answered(self, method: str, route: str | None, status: int, seconds: float) -> None:
        """Count an answered request; `route` is the template, and never the address."""
        method = method if method in _METHODS else "other"
        one = self._known.get((method, route, status))
        if one is None:
            one = self._requests.labels(method, route or "none", str(status))
            self._known[method, route, status] = one
        one.observe(seconds)
