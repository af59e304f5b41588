"""Codes that nobody has said the meaning of: how they are counted and listed, on each database."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import RowMapping

from app.store import unmapped
from app.store.database import Database
from app.store.unmapped import Sighting

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
CODE = Sighting("efidem", "STATUT_SMS", "77", "Inconnu")


async def count(database: Database, *sightings: Sighting, at: datetime = NOON) -> None:
    async with database.transaction() as connection:
        await unmapped.count(connection, sightings, at)


async def listed(database: Database, *, mapped: bool | None = None) -> Sequence[RowMapping]:
    async with database.reading() as connection:
        return await unmapped.listed(connection, "efidem", mapped=mapped)


async def test_a_code_is_counted_with_its_first_and_last_time(database: Database) -> None:
    await count(database, CODE, CODE)
    await count(database, CODE, at=NOON + timedelta(hours=1))

    (row,) = await listed(database)
    assert (row["provider"], row["function"], row["code"]) == ("efidem", "STATUT_SMS", "77")
    assert (row["times"], row["label"], row["waiting"]) == (3, "Inconnu", 0)
    assert (row["first_at"], row["last_at"]) == (NOON, NOON + timedelta(hours=1))
    assert row["mapped_at"] is None


async def test_a_label_is_kept_where_none_comes_and_cut_where_it_is_long(
    database: Database,
) -> None:
    await count(database, CODE)
    await count(database, Sighting("efidem", "STATUT_SMS", "77", None))
    assert (await listed(database))[0]["label"] == "Inconnu"

    await count(database, Sighting("efidem", "STATUT_SMS", "77", "é" * 2000))
    assert (await listed(database))[0]["label"] == "é" * 500


async def test_the_same_code_of_two_functions_is_two_rows(database: Database) -> None:
    await count(database, CODE, Sighting("efidem", "STATUT_EMAIL", "77", None))
    await count(database, Sighting("fax123", "acknowledgement", "77", None))

    assert {row["function"] for row in await listed(database)} == {"STATUT_SMS", "STATUT_EMAIL"}


async def test_codes_beyond_the_most_share_one_row(database: Database) -> None:
    codes = [Sighting("efidem", "STATUT_SMS", str(number), None) for number in range(500)]

    await count(database, *codes[:250])
    await count(database, *codes[250:])
    await count(database, codes[0])
    await count(database, Sighting("efidem", "STATUT_EMAIL", "1", None))

    rows = {(row["function"], row["code"]): row["times"] for row in await listed(database)}
    assert len(rows) == unmapped.MOST + 2  # and the other function's
    assert rows["STATUT_SMS", unmapped.OTHER] == 500 - unmapped.MOST
    assert rows["STATUT_SMS", "0"] == 2
    assert rows["STATUT_EMAIL", "1"] == 1


async def test_a_code_that_comes_again_after_it_was_mapped_is_open_again(
    database: Database,
) -> None:
    await count(database, CODE)
    (row,) = await listed(database)
    async with database.transaction() as connection:
        assert await unmapped.close(connection, row, NOON)
    assert [one["code"] for one in await listed(database, mapped=True)] == ["77"]
    assert await listed(database, mapped=False) == []

    await count(database, CODE)

    (row,) = await listed(database, mapped=False)
    assert (row["times"], row["mapped_at"]) == (2, None)


async def test_a_code_that_came_again_meanwhile_is_not_closed(database: Database) -> None:
    await count(database, CODE)
    (row,) = await listed(database)
    await count(database, CODE)

    async with database.transaction() as connection:
        closed = await unmapped.close(connection, row, NOON)

    assert not closed
    assert len(await listed(database, mapped=False)) == 1
