"""Rows that are read as the driver reads them: the same values, and by an index."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text

from app.domain.message import Channel
from app.domain.outcome import Accepted
from app.store import acknowledgements, attempts, reading
from app.store.pick import Pick
from app.store.tables import messages
from tests.gateways import World, fax, sms

pytestmark = pytest.mark.anyio

TIME = datetime(2026, 11, 21, 10, 0, 0, 123456, tzinfo=UTC)


@pytest.mark.parametrize("full", [True, False])
async def test_a_message_is_read_as_by_the_usual_way(world: World, *, full: bool) -> None:
    message_id = await world.keep(sms())
    if full:
        await world.change(
            message_id,
            tags=["é", 'a "b"'],
            metadata={"name": "é ☎", "n": None},
            warnings=[],
            failure={"type": "permanent", "retryable": False},
            batch_id=world.gateway.ids.new(),
            expires_at=TIME,
            provider_label="l'été",
        )

    async with world.gateway.database.reading() as connection:
        found = await reading.of_ids(world.gateway.database, [message_id, world.gateway.ids.new()])
        usual = await connection.execute(reading.with_channel().where(messages.c.id == message_id))
        expected = dict(usual.mappings().one())

    assert found == {message_id: expected}
    kinds = {name: type(value) for name, value in expected.items()}
    assert {name: type(value) for name, value in found[message_id].items()} == kinds


async def test_nothing_is_read_of_no_values(world: World) -> None:
    async with world.gateway.database.reading() as connection:
        assert await reading.of_ids(world.gateway.database, []) == {}
        assert await acknowledgements.applied(connection, []) == set()


async def test_a_reference_names_the_newest_attempt_of_its_provider(world: World) -> None:
    first, second = await world.keep(fax()), await world.keep(fax())
    ended = await world.submit(
        Channel.FAX, Accepted("THEIRS", "113", ""), Accepted("THEIRS", "113", "")
    )
    (ours,) = [one.held.claim.reference for one in ended if one.held.claim.message_id == first]

    async with world.gateway.database.transaction() as connection:
        asked = ["THEIRS", ours, "nobody's", 'it\'s \\ "odd"']
        named = await attempts.lock_named(connection, "fax123", asked)
        other = await attempts.lock_named(connection, "efidem", asked)

    newest = max(one.held.claim.attempt_id for one in ended)
    assert (named["THEIRS"].attempt["id"], named[ours].message["id"]) == (newest, first)
    assert (set(named), other) == ({"THEIRS", ours}, {})
    assert named["THEIRS"].message["id"] in {first, second}


@pytest.mark.parametrize(
    ("pick", "tables"),
    [
        (reading._OF_IDS, ["messages"]),
        (attempts._NAMED, ["messages", "attempts"]),
        (attempts._AGAIN, ["attempts"]),
        (acknowledgements._KNOWN, ["acknowledgements"]),
    ],
)
async def test_no_table_is_read_whole(world: World, pick: Pick, tables: list[str]) -> None:
    database = world.gateway.database
    async with database.transaction() as connection:
        sql = pick.sql(connection)
        if database.is_sqlite:
            plan = _plan(await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", _given(sql)))
            assert not any(f"SCAN {table}" in plan for table in tables), plan
        else:
            # An empty table is scanned whatever its indexes.
            await connection.execute(text("SET LOCAL enable_seqscan = off"))
            for kind in ("uuid", "text"):
                sql = sql.replace(f"%s::{kind}[]", f"'{{}}'::{kind}[]")
            sql = sql.replace("%s", "'fax123'")
            plan = _plan(await connection.exec_driver_sql(f"EXPLAIN {sql}"))
            assert not any(f"Seq Scan on {table}" in plan for table in tables), plan


def _given(sql: str) -> tuple[Any, ...]:
    return ("[]",) * sql.count("?")


def _plan(rows: Any) -> str:
    return "\n".join(str(row) for row in rows)
