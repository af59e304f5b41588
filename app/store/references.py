"""Clients' own references, where each of a client's messages must have another.

A reference is taken in the transaction that keeps its message; the first one has it for good,
whatever becomes of that message.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.database import insert_new
from app.store.tables import client_references, messages

CHUNK: Final = 250  # references in one statement


async def earlier(
    connection: AsyncConnection, client_id: UUID, mode: str, references: Collection[str]
) -> dict[str, UUID]:
    """Return, of some references, the first message of the client that has each.

    Messages count that were kept before the client's references had to be unique.
    """
    found: dict[str, UUID] = {}
    c = messages.c
    given = sorted(references)
    for place in range(0, len(given), CHUNK):
        some = given[place : place + CHUNK]
        # Ids sort by time. PostgreSQL has no min() of them.
        first = func.row_number().over(partition_by=c.reference, order_by=c.id).label("nth")
        ranked = (
            select(c.reference, c.id, first)
            .where(c.client_id == client_id, c.reference.in_(some), c.mode == mode)
            .subquery()
        )
        rows = await connection.execute(
            select(ranked.c.reference, ranked.c.id).where(ranked.c.nth == 1)
        )
        found |= {row.reference: row.id for row in rows}
        found = await _holders(connection, client_id, mode, some) | found
    return found


async def take(
    connection: AsyncConnection, rows: Sequence[Mapping[str, Any]]
) -> dict[UUID, tuple[str, UUID]]:
    """Write references; return those that are taken, by the message that wanted one: it, and whose.

    One that another transaction is writing is waited for: then it is taken, or free.
    """
    # Always in the same order, or two batches with the same references could wait for each other.
    given = sorted(rows, key=lambda row: (row["client_id"], row["mode"], row["reference"]))
    lost: list[Mapping[str, Any]] = []
    for place in range(0, len(given), CHUNK):
        some = given[place : place + CHUNK]
        written = await connection.execute(
            insert_new(connection, client_references).returning(client_references.c.message_id),
            [dict(row) for row in some],
        )
        mine = set(written.scalars())
        lost += [row for row in some if row["message_id"] not in mine]
    taken: dict[UUID, tuple[str, UUID]] = {}
    for client_id, mode in {(row["client_id"], row["mode"]) for row in lost}:
        theirs = [row for row in lost if (row["client_id"], row["mode"]) == (client_id, mode)]
        names = [row["reference"] for row in theirs]
        holders: dict[str, UUID] = {}
        for place in range(0, len(names), CHUNK):
            some_names = names[place : place + CHUNK]
            holders |= await _holders(connection, client_id, mode, some_names)
        taken |= {
            row["message_id"]: (row["reference"], holders[row["reference"]]) for row in theirs
        }
    return taken


async def _holders(
    connection: AsyncConnection, client_id: UUID, mode: str, references: Collection[str]
) -> dict[str, UUID]:
    c = client_references.c
    found = await connection.execute(
        select(c.reference, c.message_id).where(
            c.client_id == client_id, c.mode == mode, c.reference.in_(references)
        )
    )
    return {row.reference: row.message_id for row in found}
