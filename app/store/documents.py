"""Files: their bytes once, under their SHA-256, and the documents that clients uploaded."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store import driver
from app.store.database import insert_new
from app.store.tables import blobs, documents

USED_WITHIN: Final = timedelta(days=1)  # how exactly it is known when bytes were last used


def digest(content: bytes) -> str:
    """Return the name under which bytes are kept."""
    return hashlib.sha256(content).hexdigest()


async def keep(connection: AsyncConnection, contents: Mapping[str, bytes], at: datetime) -> None:
    """Keep bytes under their digests; of what is kept already, note that it is in use."""
    if not contents:
        return
    await _use(connection, contents, at)
    for sha256, content in contents.items():
        await connection.execute(
            insert_new(connection, blobs).values(
                sha256=sha256, size=len(content), content=content, created_at=at, used_at=at
            )
        )


async def _use(connection: AsyncConnection, digests: Collection[str], at: datetime) -> None:
    """Note that kept bytes are in use; to within a day, so that hardly anybody waits for a row.

    What was not used for long may be deleted at any moment: not before this transaction's end, once
    it is noted here, and what is gone already is written anew.
    """
    c = blobs.c
    found = await connection.execute(
        select(c.sha256)
        .where(c.sha256.in_(digests), c.used_at < at - USED_WITHIN)
        # Always in the same order, or two commits could wait for each other.
        .order_by(c.sha256)
        .with_for_update()
    )
    if stale := found.scalars().all():
        await connection.execute(update(blobs).where(c.sha256.in_(stale)).values(used_at=at))


async def load(connection: AsyncConnection, digests: Collection[str]) -> dict[str, bytes]:
    """Return the bytes behind digests; read one by one, for they may have megabytes each."""
    mark = "?" if connection.dialect.name == "sqlite" else "%s"
    sql = f"SELECT content FROM blobs WHERE sha256 = {mark}"  # noqa: S608 -- the driver's mark
    found = {}
    for one in digests:
        for (content,) in await driver.execute(connection, sql, (one,), binary=True):
            found[one] = content
    return found


async def add(connection: AsyncConnection, row: Mapping[str, Any]) -> None:
    """Write a client's document."""
    await connection.execute(insert(documents).values(**row))


async def find(
    connection: AsyncConnection, client_id: UUID, identifiers: Collection[UUID]
) -> Sequence[RowMapping]:
    """Return those of a client's documents that are named."""
    found = await connection.execute(
        select(documents).where(documents.c.client_id == client_id, documents.c.id.in_(identifiers))
    )
    return found.mappings().all()
