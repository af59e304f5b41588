"""The provider's count of a billing code beside ours, on each database."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import quote
from uuid import UUID

import pytest
from sqlalchemy import select, update

from app.delivery.worker import Worker
from app.domain.identifiers import MESSAGE, read
from app.store import counts
from app.store.database import Database
from app.store.tables import api_keys, messages
from tests.api.asking import Asking, answering, asking, described
from tests.api.client import problem, sms, wrong

pytestmark = pytest.mark.anyio


@pytest.fixture
async def asked(database: Database) -> AsyncIterator[Asking]:
    async with asking(database) as found:
        yield found


def path(code: str) -> str:
    return f"/v1/billing-codes/{quote(code, safe='')}/submitted-count"


async def submitted(asked: Asking, code: str, times: int) -> None:
    """Send messages with a billing code, as the worker writes it down."""
    for _ in range(times):
        answer = await asked.post("/v1/sms", sms(billing_code=code))
        assert answer.status == 202
        async with asked.api.gateway.database.transaction() as connection:
            await connection.execute(
                update(messages)
                .where(messages.c.id == read(MESSAGE, answer.json()["id"]))
                .values(status="submitted", submitted_at=asked.api.gateway.now(), due_at=None)
            )


async def client_of(asked: Asking) -> UUID:
    async with asked.api.gateway.database.reading() as connection:
        found = await connection.execute(
            select(api_keys.c.client_id).where(api_keys.c.id == asked.admin.split("_")[2])
        )
        client_id: UUID = found.scalar_one()
        return client_id


async def test_both_counts_and_their_difference_are_told(asked: Asking) -> None:
    await submitted(asked, "DSI", 2)
    await asked.post("/v1/sms", sms(billing_code="DSI"))  # of which the provider knows nothing
    await submitted(asked, "RH", 1)

    answer = await asked.get(path("DSI"))

    assert set(answer.json()) == described("SubmittedCountOut")
    assert (answer.status, answer.json()) == (
        200,
        {
            "billing_code": "DSI",
            "provider": {"name": "efidem", "count": 0, "scope": "account", "period": None},
            "own": {"count": 2, "exact": True, "scope": "client"},
            "difference": -2,
        },
    )


async def test_other_clients_messages_are_in_the_providers_count_alone(database: Database) -> None:
    async with answering(database, "12345678") as (asked, _):
        await submitted(asked, "DSI", 1)
        found = (await asked.get(path("DSI"))).json()
        others = (await asked.get(path("DSI"), key=asked.api.other)).json()
        tests = (await asked.get(path("DSI"), key=asked.api.test)).json()

    assert (found["provider"]["count"], found["own"]["count"]) == (12345678, 1)
    assert (others["own"]["count"], others["difference"]) == (0, 12345678)
    assert tests["own"]["count"] == 0


async def test_what_was_really_sent_is_counted_by_both(asked: Asking) -> None:
    gateway = asked.api.gateway
    for _ in range(2):
        await asked.post("/v1/sms", sms(billing_code="A/B é"))
    worker = Worker(gateway)
    working = asyncio.create_task(worker.run())
    async with asyncio.timeout(20):
        while (await asked.get(path("A/B é"))).json()["own"]["count"] < 2:
            await asyncio.sleep(0.05)
    worker.stop()
    await working
    # Anew: the answer above may have asked the provider before the messages reached it.
    found = (await asked.get(path("A/B é"))).json()

    assert found["billing_code"] == "A/B é"
    assert (found["provider"]["count"], found["difference"]) == (2, 0)


async def test_we_count_so_far_and_say_where_it_is_not_all(asked: Asking) -> None:
    await submitted(asked, "DSI", 3)
    client_id = await client_of(asked)
    async with asked.api.gateway.database.reading() as connection:
        few = await counts.submitted_with(
            connection, client_id, "live", "DSI", provider="efidem", most=2
        )
        whole = await counts.submitted_with(
            connection, client_id, "live", "DSI", provider="efidem", most=3
        )

    assert (few.exact, few.count) == (False, 3)
    assert (whole.exact, whole.count) == (True, 3)


@pytest.mark.parametrize("code", ["x" * 101, "a\tb", "a\x00b"])
async def test_what_is_no_billing_code_is_a_fault(asked: Asking, code: str) -> None:
    assert [pointer for pointer, _ in wrong(await asked.get(path(code)))] == ["/code"]


async def test_a_blank_code_is_refused_by_the_provider(asked: Asking) -> None:
    found = problem(await asked.get(path(" ")), 422, "provider_rejected")

    assert found["provider"]["code"] == "-4"
    assert found["provider"]["label"] == "Code de facturation vide"


async def test_a_count_needs_its_scope(asked: Asking) -> None:
    problem(await asked.get(path("DSI"), key=asked.api.reader), 403, "scope_missing")


@pytest.mark.parametrize("answer", ["-5", "-99", "beaucoup", None])
async def test_an_answer_that_is_no_count_is_none(database: Database, answer: str | None) -> None:
    async with answering(database, answer) as (asked, _):
        problem(await asked.get(path("DSI")), 502, "provider_protocol_error")
