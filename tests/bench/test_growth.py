"""Stores that are compared by how much they hold are named for what they really hold."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from app.store.tables import messages
from bench.asked import Asked
from bench.grown import opened
from bench.growth import filled


async def stored(url: str) -> int:
    world = await opened(url)
    async with world.gateway.database.reading() as connection:
        found = (await connection.execute(select(func.count()).select_from(messages))).scalar_one()
    await world.gateway.database.close()
    return found


@pytest.mark.parametrize("kind", ["PostgreSQL", "SQLite"])
def test_a_store_is_named_for_what_it_holds(kind: str, asked: Asked) -> None:
    small = replace(asked, size=0.03)

    urls = filled(small, asked.running if kind == "PostgreSQL" else None, most=80_000)

    assert list(urls) == ["300 stored", "2,000 stored"]
    assert [asyncio.run(stored(url)) for url in urls.values()] == [300, 2_000]
