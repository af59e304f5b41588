"""Idempotency keys: the first answer to a key, written in the transaction that made it true."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, delete, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.database import insert_new
from app.store.tables import idempotency_keys


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
