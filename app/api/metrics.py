"""Prometheus's metrics: those of the store, alike from any process, and those of this one.

Nothing personal stands in a label. The answer comes without the store's series when the store does
not answer in time; `multicanal_store_up` says so. It needs no key: keep the path inside.
"""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from fastapi import APIRouter, Response
from prometheus_client import generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from app.api.edge import Edge, EdgeDep
from app.delivery.gateway import Gateway
from app.store import figures
from app.store.database import UNAVAILABLE
from app.store.figures import Figures

router = APIRouter(include_in_schema=False)

PATIENCE: Final = 2.0  # seconds for the store to answer


async def figure(gateway: Gateway, asked: Sequence[None]) -> list[Figures]:
    """Return the store's figures, the same for all who ask at once."""
    async with gateway.database.reading() as connection:
        found = await figures.figures(connection, gateway.now())
    return [found] * len(asked)


@router.get("/metrics")
async def scrape(edge: EdgeDep) -> Response:
    """Return every metric as text."""
    own = generate_latest(edge.measures.registry)
    return Response(own + generate_latest(_Collected(await _asked(edge))), headers=_TYPE)


_TYPE: Final = {"Content-Type": CONTENT_TYPE_PLAIN_0_0_4}


async def _asked(edge: Edge) -> Figures | None:
    """Return the store's figures, None where it does not answer in time."""
    try:
        async with asyncio.timeout(PATIENCE):
            return await edge.figuring.do(None)
    except (TimeoutError, *UNAVAILABLE):
        return None


class _Collected(Collector):
    """The store's figures as metrics."""

    def __init__(self, found: Figures | None) -> None:
        self._found = found

    def collect(self) -> Iterable[Metric]:
        """Return the metrics."""
        up = int(self._found is not None)
        yield GaugeMetricFamily("multicanal_store_up", "Whether the store answered", value=up)
        if self._found is not None:
            yield from _metrics(self._found)


def _metrics(found: Figures) -> Iterator[Metric]:
    codes = CounterMetricFamily(
        "multicanal_unmapped_codes",
        "How often a code came that nobody had said the meaning of",
        labels=("provider", "function", "code"),
    )
    for row in found.unmapped:
        codes.add_metric((row["provider"], row["function"], row["code"]), row["times"])
    yield codes
    drift = GaugeMetricFamily(
        "multicanal_contract_drift",
        "Differences of a provider's contract from the accepted one",
        labels=("provider", "severity"),
    )
    for place, count in found.drift.items():
        drift.add_metric(place, count)
    yield drift
    due = GaugeMetricFamily(
        "multicanal_messages_due", "Messages that wait for a worker", labels=("channel",)
    )
    for channel, count in found.due.items():
        due.add_metric((channel.value,), count)
    yield due
    uncertain = GaugeMetricFamily(
        "multicanal_messages_uncertain",
        "Messages of which nobody knows whether they were sent",
        labels=("channel",),
    )
    for channel, count in found.uncertain.items():
        uncertain.add_metric((channel.value,), count)
    yield uncertain
    shut = GaugeMetricFamily(
        "multicanal_channel_shut",
        "1 for each channel that nothing leaves on, with the reason",
        labels=("provider", "channel", "reason"),
    )
    for row in found.shut:
        shut.add_metric((row["provider"], row["channel"], row["reason"] or ""), 1)
    yield shut
    yield GaugeMetricFamily(
        "multicanal_acknowledgements_unmatched",
        "Acknowledgements that match no fax",
        value=found.unmatched,
    )
    yield GaugeMetricFamily(
        "multicanal_events_unpublished_seconds",
        "How long the first event waits that no feed and no webhook tells yet",
        value=found.unpublished,
    )
    pending, seconds = found.webhooks
    yield GaugeMetricFamily(
        "multicanal_webhooks_pending", "Webhooks that wait for a receiver", value=pending
    )
    yield GaugeMetricFamily(
        "multicanal_webhooks_oldest_seconds", "How long the first of them waits", value=seconds
    )
    tries = CounterMetricFamily(
        "multicanal_webhook_tries", "Webhooks that were posted", labels=("outcome",)
    )
    for outcome, count in found.tries.items():
        tries.add_metric((outcome,), count)
    yield tries
