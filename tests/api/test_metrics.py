"""What Prometheus scrapes: without a key, without anything personal, and without waiting."""

import asyncio
import time
from datetime import UTC, datetime

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import delete, insert

from app.delivery import publish
from app.domain.standing import Standing, State
from app.store import channels, migrate, unmapped
from app.store.database import Database
from app.store.tables import contracts, unmapped_codes
from app.store.unmapped import Sighting
from tests.api.client import Api, sms
from tests.api.conftest import Serve
from tests.postgres import running

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


async def scrape(api: Api) -> dict[tuple[str, ...], float]:
    answer = await api.get("/metrics", key=None)
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
    }


async def test_the_stores_figures_are_told(api: Api) -> None:
    # What other tests left on this store waits for nobody.
    while await publish.publish(api.gateway):
        pass
    await api.post("/v1/sms", sms())
    await asyncio.sleep(0.01)
    async with api.gateway.database.transaction() as connection:
        await connection.execute(delete(unmapped_codes))
        await connection.execute(delete(contracts))
        stopped = Standing(state=State.STOPPED, reason="provider_credit")
        await channels.standings(connection, [("fax123", "fax")], lock=True)
        await channels.write(connection, {("fax123", "fax"): stopped}, NOON)
        seen = Sighting("efidem", "STATUT_SMS", "77", "Monsieur Durand")
        await unmapped.count(connection, [seen, seen], NOON)
        await connection.execute(
            insert(contracts).values(
                provider="efidem",
                state="pending",
                location="",
                fingerprint="",
                shape={},
                documents={},
                differences=[{"severity": "error"}, {"severity": "error"}, {"severity": "info"}],
                read_at=NOON,
            )
        )

    found = await scrape(api)

    assert found["multicanal_store_up",] == 1
    assert found["multicanal_unmapped_codes_total", "77", "STATUT_SMS", "efidem"] == 2
    assert found["multicanal_contract_drift", "efidem", "error"] == 2
    assert found["multicanal_contract_drift", "efidem", "info"] == 1
    assert found["multicanal_messages_due", "sms"] == 1
    assert found["multicanal_messages_due", "fax"] == 0
    assert found["multicanal_messages_uncertain", "sms"] == 0
    shut = {name[1:] for name in found if name[0] == "multicanal_channel_shut"}
    assert shut == {("fax", "fax123", "provider_credit")}
    assert found["multicanal_acknowledgements_unmatched",] >= 0
    assert not [name for name in found if "Durand" in str(name)]
    # No worker runs here: what happened waits to be told, until somebody asks for it.
    assert 0.01 <= found["multicanal_events_unpublished_seconds",] < 60
    await api.get("/v1/events")
    assert (await scrape(api))["multicanal_events_unpublished_seconds",] == 0


async def test_requests_are_counted_by_route_and_never_by_address(api: Api) -> None:
    await api.get("/v1/messages/msg_01M7YRRT80E00VE3CY4R72E4V5")
    await api.call("BREW", "/v1/messages")
    await api.get("/nothing/here")

    found = await scrape(api)

    counts = {name[1:]: value for name, value in found.items() if name[0].endswith("_count")}
    assert counts["GET", "/v1/messages/{message_id}", "404"] >= 1
    assert counts["GET", "none", "404"] >= 1
    assert {name[0] for name in counts} <= {"GET", "POST", "PUT", "PATCH", "DELETE", "other"}
    assert not [name for name in found if "01M7YRRT80" in str(name)]
    assert "process_resident_memory_bytes" in {name[0] for name in found}


async def test_scrapes_at_the_same_time_ask_the_store_once(api: Api) -> None:
    found = await asyncio.gather(*(scrape(api) for _ in range(50)))

    assert {one["multicanal_store_up",] for one in found} == {1}


async def test_a_store_that_is_away_costs_its_own_figures_only(serve: Serve) -> None:
    with running() as server:
        database = Database(server.create("away"))
        await migrate.upgrade(database)
        async with serve(database) as api:
            await asyncio.to_thread(server.stop)
            began = time.monotonic()
            found = await scrape(api)
            took = time.monotonic() - began
            await asyncio.to_thread(server.start)
        await database.close()

    assert found["multicanal_store_up",] == 0
    assert took < 15
    assert not [name for name in found if name[0].startswith("multicanal_messages")]
    assert "process_resident_memory_bytes" in {name[0] for name in found}
