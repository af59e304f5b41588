"""New messages that are written by what they share are what each is by itself, with their events."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select

from app.store import alike
from app.store import messages as store
from app.store.tables import counters, events, messages
from tests.gateways import World, sms

pytestmark = pytest.mark.anyio

OF_ALL = (messages, events, counters)


def rows_of(world: World, kind: str) -> list[dict[str, Any]]:
    """Return new rows, which are alike, or differ in everything."""
    numbers = ["+33612345678", "+33612345679", "+33712345678"]
    arrivals = [world.arrival(sms(to), reference=to[-3:]) for to in numbers]
    rows = [dict(one.messages[0]) for one in arrivals]
    if kind == "different":
        later = rows[0]["created_at"] + timedelta(hours=1)
        rows[0] |= {"status": "scheduled", "send_at": later, "due_at": later}
        rows[1] |= {"tags": ["a"], "metadata": {"b": "c"}, "expires_at": later, "reference": None}
        rows[2] |= {"mode": "test", "warnings": ["w"]}
    return rows[: 1 if kind == "alone" else None]


async def kept(world: World) -> list[list[dict[str, Any]]]:
    """Return every row of what was written, and leave nothing."""
    found = []
    async with world.gateway.database.transaction() as connection:
        for table in OF_ALL:
            rows = [dict(row) for row in (await connection.execute(select(table))).mappings()]
            for row in rows if table is events else ():
                row.pop("id")  # its own in any case
            found.append(sorted(rows, key=repr))
            await connection.execute(delete(table))
    return found


@pytest.mark.parametrize("kind", ["alike", "different", "alone"])
async def test_they_are_kept_as_each_is_kept_by_itself(world: World, kind: str) -> None:
    rows = rows_of(world, kind)
    ids = world.gateway.ids
    async with world.gateway.database.transaction() as connection:
        for row in rows:
            await store.add(connection, ids, [row])
    expected = await kept(world)

    async with world.gateway.database.transaction() as connection:
        await alike.add(connection, ids, rows)

    assert await kept(world) == expected
    assert [len(one) for one in expected[:2]] == [len(rows)] * 2
