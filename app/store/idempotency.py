"""Idempotency keys: the first answer to a key, written in the transaction that made it true."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, RowMapping, and_, delete, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.status import Status
from app.store import existing, many
from app.store.tables import idempotency_keys, messages

Named = tuple[UUID, str, str]  # client, mode, key

# What a message is shown by from the beginning, and no statement ever changes.
_STAYS: Final = (
    "id",
    "mode",
    "channel",
    "provider",
    "created_at",
    "send_at",
    "expires_at",
    "reference",
    "billing_code",
    "purpose",
    "tags",
    "metadata",
    "warnings",
    "batch_id",
    "campaign_id",
    "recipient",
    "units",
    "encoding",
)
_PREFIX: Final = "message_"
_ACCEPTED: Final = 202  # what a single send is answered; others without a body are under way
_OF_MESSAGE: Final = [messages.c[name].label(f"{_PREFIX}{name}") for name in _STAYS]


@dataclass(frozen=True, slots=True)
class Walked:
    """How far a walk through old keys came."""

    last: tuple[datetime, Named] | None  # when it was written, and which; None: it was the end
    forgotten: int


async def find(
    connection: AsyncConnection, keys: Collection[tuple[UUID, str, str]]
) -> dict[tuple[UUID, str, str], RowMapping]:
    """Return the records of clients' keys, by (client, mode, key).

    One of a single send without a body comes with what its message had from the beginning, see
    `first_row`; where that is deleted, the key is as if it were free.
    """
    made = and_(idempotency_keys.c.body == "", messages.c.id == idempotency_keys.c.object_id)
    query = select(idempotency_keys, *_OF_MESSAGE).outerjoin(messages, made)
    found = await connection.execute(query.where(_one_of(keys)))
    return {
        (row["client_id"], row["mode"], row["key"]): row
        for row in found.mappings()
        if row["body"] or row["status"] != _ACCEPTED or row[_OF_MESSAGE[0].name] is not None
    }


def first_row(record: RowMapping) -> dict[str, Any]:
    """Return the row of the message that a key made as it was when it was taken in.

    What it is shown by, that is; columns that were still NULL are missing.
    """
    own = {name: record[f"{_PREFIX}{name}"] for name in _STAYS}
    waits = own["send_at"] is not None and own["send_at"] > own["created_at"]
    return own | {
        "status": (Status.SCHEDULED if waits else Status.QUEUED).value,
        "status_at": own["created_at"],
        "status_source": "client",
        "attempts": 0,
    }


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
