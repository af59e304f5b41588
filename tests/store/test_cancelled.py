"""A transaction whose task is cancelled, at any moment of it, stands in nobody's way."""

import asyncio

import pytest
from sqlalchemy import text

from app.store.database import Database

pytestmark = pytest.mark.anyio

MOMENTS = 120  # of 20 microseconds: longer than the transaction takes


async def test_who_is_cancelled_while_writing_leaves_no_lock_behind(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute(text("CREATE TABLE turns (who INTEGER)"))

    async def write(who: int) -> None:
        async with database.transaction() as connection:
            await connection.execute(text("INSERT INTO turns VALUES (:who)"), {"who": who})
            await connection.execute(text("SELECT who FROM turns LIMIT 3"))

    held = []  # what was raised keeps its frames, and these their cursors
    for moment in range(MOMENTS):
        writing = asyncio.create_task(write(moment))
        await asyncio.sleep(moment * 20e-6)
        writing.cancel()
        held += await asyncio.gather(writing, return_exceptions=True)
        async with asyncio.timeout(5):
            await write(-1)

    assert any(isinstance(one, asyncio.CancelledError) for one in held)
    async with database.reading() as connection:
        kept = await connection.execute(text("SELECT count(*) FROM turns WHERE who = -1"))
        assert kept.scalar_one() == MOMENTS
