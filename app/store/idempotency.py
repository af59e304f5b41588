"""Idempotency keys: the first answer to a key, written in the transaction that made it true."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, and_, delete, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store import existing
from app.store.database import insert_new
from app.store.tables import idempotency_keys

Named = tuple[UUID, str, str]  # client, mode, key


@dataclass(frozen=True, slots=True)
class Walked:
    """How far a walk through old keys came."""

    last: tuple[datetime, Named] | None  # when it was written, and which; None: it was the end
    forgotten: int


async def find(
    connection: AsyncConnection, keys: Collection[tuple[UUID, str, str]]
) -> dict[tuple[UUID, str, str], RowMapping]:
    """Return the records of clients' keys, by (client, mode, key)."""
    c = idempotency_keys.c
    found = await connection.execute(
        select(idempotency_keys).where(tuple_(c.client_id, c.mode, c.key).in_(keys))
    )
    return {(row["client_id"], row["mode"], row["key"]): row for row in found.mappings()}


async def take(connection: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> set[UUID]:
    """Write records; return the objects whose key was free. The others' keys are taken.

    A key that another transaction holds open is waited for: then it is taken, or free.
    """
    written = await connection.execute(
        insert_new(connection, idempotency_keys)
        .values([dict(row) for row in rows])
        .returning(idempotency_keys.c.object_id)
    )
    return set(written.scalars())


async def answer(
    connection: AsyncConnection, object_id: UUID, client_id: UUID, key: str, **columns: object
) -> None:
    """Write over the first answer, before anybody had it."""
    await connection.execute(
        update(idempotency_keys)
        .where(
            idempotency_keys.c.client_id == client_id,
            idempotency_keys.c.key == key,
            idempotency_keys.c.object_id == object_id,
        )
        .values(**columns)
    )


async def free(connection: AsyncConnection, object_id: UUID, client_id: UUID, key: str) -> None:
    """Forget a key whose request did nothing; it may be used again."""
    await connection.execute(
        delete(idempotency_keys).where(
            idempotency_keys.c.client_id == client_id,
            idempotency_keys.c.key == key,
            idempotency_keys.c.object_id == object_id,
        )
    )


async def forget(
    connection: AsyncConnection, before: datetime, after: tuple[datetime, Named] | None, most: int
) -> Walked:
    """Delete keys written before a time, unless what they made still stands.

    It looks at `most` of them, oldest first, after the one named.
    """
    c = idempotency_keys.c
    named = tuple_(c.client_id, c.mode, c.key)
    query = select(c.client_id, c.mode, c.key, c.object_id, c.created_at).where(
        c.created_at < before
    )
    if after is not None:
        at, last = after
        query = query.where(
            c.created_at >= at, or_(c.created_at > at, and_(c.created_at == at, named > last))
        )
    found = await connection.execute(
        query.order_by(c.created_at, c.client_id, c.mode, c.key).limit(most)
    )
    rows = found.all()
    standing = await existing.objects(connection, {row.object_id for row in rows}) if rows else ()
    gone = [row for row in rows if row.object_id not in standing]
    for row in gone:
        await free(connection, row.object_id, row.client_id, row.key)
    if len(rows) < most:
        return Walked(None, len(gone))
    end = rows[-1]
    return Walked((end.created_at, (end.client_id, end.mode, end.key)), len(gone))
