"""Files: their bytes once, under their SHA-256, and the documents that clients uploaded."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.database import insert_new
from app.store.tables import blobs, documents


def digest(content: bytes) -> str:
    """Return the name under which bytes are kept."""
    return hashlib.sha256(content).hexdigest()


async def keep(connection: AsyncConnection, contents: Mapping[str, bytes], at: datetime) -> None:
    """Keep bytes under their digests; what is kept already is left alone."""
    for sha256, content in contents.items():
        await connection.execute(
            insert_new(connection, blobs).values(
                sha256=sha256, size=len(content), content=content, created_at=at
            )
        )


async def load(connection: AsyncConnection, digests: Collection[str]) -> dict[str, bytes]:
    """Return the bytes behind digests."""
    if not digests:
        return {}
    found = await connection.execute(
        select(blobs.c.sha256, blobs.c.content).where(blobs.c.sha256.in_(digests))
    )
    return {row.sha256: row.content for row in found}


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
