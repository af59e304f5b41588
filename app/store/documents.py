"""Files: their bytes once, under their SHA-256, and the documents that clients uploaded."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store import driver, many
from app.store.database import Database
from app.store.tables import blobs, documents

USED_WITHIN: Final = timedelta(days=1)  # how exactly it is known when bytes were last used

# What was not used for long may be deleted at any moment: it is written, or noted, anew.
_IN_USE: Final = "SELECT 1 FROM blobs WHERE sha256 = $1::text AND used_at >= $2::text::timestamptz"
_CONTENT: Final = "SELECT content FROM blobs WHERE sha256 = $1::text"
# Its commit is not waited for until it is on disk: the log is written there in its order, so that
# it is on disk before the commit of whatever has these bytes.
_KEEP: Final = """
INSERT INTO blobs (sha256, size, content, created_at, used_at)
SELECT $1::text, octet_length($2::bytea), $2, $3::text::timestamptz, $3::text::timestamptz
FROM set_config('synchronous_commit', 'off', true)
ON CONFLICT (sha256) DO UPDATE SET used_at = excluded.used_at
"""


def digest(content: bytes) -> str:
    """Return the name under which bytes are kept."""
    return hashlib.sha256(content).hexdigest()


async def keep(connection: AsyncConnection, contents: Mapping[str, bytes], at: datetime) -> None:
    """Keep bytes under their digests; of what is kept already, note that it is in use."""
    if not contents:
        return
    standing = await _use(connection, contents, at)
    for sha256, content in contents.items():
        if sha256 not in standing:
            row = {"sha256": sha256, "size": len(content), "content": content}
            await _write(connection, row | {"created_at": at, "used_at": at})


async def keep_at_once(database: Database, contents: Mapping[str, bytes], at: datetime) -> None:
    """Keep bytes on PostgreSQL, each in a commit of its own; what is kept already is not sent.

    They are on disk when whatever is committed after them is.
    """
    now, before = (when.isoformat().encode() for when in (at, at - USED_WITHIN))
    for sha256, content in contents.items():
        name = sha256.encode()
        if not await database.at_once(_IN_USE, [name, before]):
            await database.at_once(_KEEP, [name, content, now])


async def _write(connection: AsyncConnection, row: Mapping[str, Any]) -> None:
    otherwise = "ON CONFLICT DO NOTHING"  # somebody was faster
    if connection.dialect.name == "sqlite":
        await many.add(connection, blobs, [row], otherwise=otherwise)
        return
    # Not in an array, where megabytes would be copied twice more.
    marks = ", ".join(["%s"] * len(row))
    sql = f"INSERT INTO blobs ({', '.join(row)}) VALUES ({marks}) {otherwise}"  # noqa: S608
    await driver.execute(connection, sql, tuple(row.values()))


async def _use(connection: AsyncConnection, digests: Collection[str], at: datetime) -> set[str]:
    """Note that kept bytes are in use, and return which are kept.

    To within a day, so that hardly anybody waits for a row. What was not used for long may be
    deleted at any moment: not before this transaction's end, once it is noted here, and what is
    gone already is written anew.
    """
    c, before = blobs.c, at - USED_WITHIN
    found = await connection.execute(
        select(c.sha256, c.used_at < before).where(c.sha256.in_(digests))
    )
    kept = found.all()
    standing = {sha256 for sha256, is_stale in kept if not is_stale}
    stale = [sha256 for sha256, is_stale in kept if is_stale]
    if stale:
        locked = await connection.execute(
            select(c.sha256)
            .where(c.sha256.in_(stale))
            # Always in the same order, or two commits could wait for each other.
            .order_by(c.sha256)
            .with_for_update()
        )
        used = locked.scalars().all()
        await connection.execute(update(blobs).where(c.sha256.in_(used)).values(used_at=at))
        standing |= set(used)
    return standing


async def load(connection: AsyncConnection, digests: Collection[str]) -> dict[str, bytes]:
    """Return the bytes behind digests; read one by one, for they may have megabytes each."""
    mark = "?" if connection.dialect.name == "sqlite" else "%s"
    sql = f"SELECT content FROM blobs WHERE sha256 = {mark}"  # noqa: S608 -- the driver's mark
    found = {}
    for one in digests:
        for (content,) in await driver.execute(connection, sql, (one,), binary=True):
            found[one] = content
    return found


async def load_at_once(database: Database, digests: Collection[str]) -> dict[str, bytes]:
    """Return the same; on PostgreSQL in the cheapest way."""
    if database.is_sqlite:
        async with database.reading() as connection:
            return await load(connection, digests)
    found = {}
    for one in digests:
        for (content,) in await database.at_once(_CONTENT, [one.encode()]):
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
