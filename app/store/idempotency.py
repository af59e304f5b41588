"""Idempotency keys: the first answer to a key, written in the transaction that made it true."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, RowMapping, and_, delete, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store import existing, many
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
    found = await connection.execute(select(idempotency_keys).where(_one_of(keys)))
    return {(row["client_id"], row["mode"], row["key"]): row for row in found.mappings()}


async def take(connection: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> set[UUID]:
    """Write records; return the objects whose key was free. The others' keys are taken.

    A key that another transaction holds open is waited for: then it is taken, or free.
    """
    return set(await many.add_new(connection, idempotency_keys, rows, returning="object_id"))


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
    if gone:
        which = [(row.client_id, row.mode, row.key) for row in gone]
        await connection.execute(
            delete(idempotency_keys).where(
                _one_of(which),
                c.object_id.in_([row.object_id for row in gone]),
            )
        )
    if len(rows) < most:
        return Walked(None, len(gone))
    end = rows[-1]
    return Walked((end.created_at, (end.client_id, end.mode, end.key)), len(gone))


def _one_of(names: Collection[Named]) -> ColumnElement[bool]:
    c = idempotency_keys.c
    # The keys by themselves, too: SQLite finds no row by several columns at once.
    return and_(c.key.in_([one[2] for one in names]), tuple_(c.client_id, c.mode, c.key).in_(names))
