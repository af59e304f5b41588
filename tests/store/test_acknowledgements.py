"""Acknowledgements in the store: one row however often, and a bounded list of the unmatched."""

from typing import Any

import pytest
from sqlalchemy import func, select, text

from app.delivery import acknowledge
from app.domain.acknowledgement import Acknowledgement, UnreadableAcknowledgement
from app.store import acknowledgements
from app.store.tables import acknowledgements as table
from tests.gateways import World

pytestmark = pytest.mark.anyio


def brought(reference: str, **changes: Any) -> Acknowledgement:
    fields = {"code": "0", "number": "0199000001", "pages": 1, "provider_time": None}
    return Acknowledgement(reference=reference, **(fields | changes))


async def page(world: World, limit: int = 10, after: Any = None) -> list[str]:
    async with world.gateway.database.reading() as connection:
        rows = await acknowledgements.unmatched(connection, "fax123", limit=limit, after=after)
        return [row["reference"] for row in rows]


async def test_what_matches_nothing_is_listed_newest_first_and_page_by_page(world: World) -> None:
    for number in range(5):
        await acknowledge.receive(world.gateway, "fax123", brought(f"R{number}"))

    async with world.gateway.database.reading() as connection:
        first = await acknowledgements.unmatched(connection, "fax123", limit=2, after=None)
    assert [row["reference"] for row in first] == ["R4", "R3"]
    assert await page(world, after=first[-1]["id"]) == ["R2", "R1", "R0"]
    async with world.gateway.database.reading() as connection:
        assert await acknowledgements.unmatched(connection, "other", limit=2, after=None) == []


async def test_what_cannot_be_read_is_one_row_for_each_kind_of_fault(world: World) -> None:
    nothing = brought("", code="", number="", pages=None)
    for why in ("etat_e is missing", "etat_e is missing", "numero is wrong"):
        fault = UnreadableAcknowledgement(why, nothing)
        await acknowledge.keep_unreadable(world.gateway, "fax123", fault)

    async with world.gateway.database.reading() as connection:
        rows = await acknowledgements.unmatched(connection, "fax123", limit=9, after=None)
    assert [(row["detail"], row["times"]) for row in rows] == [
        ("numero is wrong", 1),
        ("etat_e is missing", 2),
    ]


async def test_only_the_newest_of_what_matches_nothing_is_kept(world: World) -> None:
    for number in range(6):
        await acknowledge.receive(world.gateway, "fax123", brought(f"R{number}"))

    async with world.gateway.database.transaction() as connection:
        dropped = await acknowledgements.trim_unmatched(connection, "fax123", most=4)
        again = await acknowledgements.trim_unmatched(connection, "fax123", most=4)

    assert (dropped, again) == (2, 0)
    assert await page(world) == ["R5", "R4", "R3", "R2"]
    async with world.gateway.database.reading() as connection:
        count = await connection.execute(select(func.count()).select_from(table))
        assert count.scalar_one() == 4


async def test_the_list_of_what_matches_nothing_reads_its_own_index(world: World) -> None:
    query = (
        "SELECT * FROM acknowledgements"
        " WHERE note IN ('unknown_reference', 'other_number', 'unreadable')"
        " AND provider = 'fax123' ORDER BY id DESC LIMIT 50"
    )
    sqlite = world.gateway.database.is_sqlite
    async with world.gateway.database.transaction() as connection:
        if not sqlite:
            # An empty table is scanned whatever its indexes.
            await connection.execute(text("SET LOCAL enable_seqscan = off"))
        explain = "EXPLAIN QUERY PLAN" if sqlite else "EXPLAIN"
        plan = str((await connection.execute(text(f"{explain} {query}"))).all())

    assert "ix_acknowledgements_unmatched" in plan
