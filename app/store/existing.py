"""Which rows stand: asked where nobody knows whether a commit took place."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.tables import attempts, batches, documents, messages, reports


async def objects(connection: AsyncConnection, ids: Collection[UUID]) -> set[UUID]:
    """Return those of the messages, batches, documents and reports that stand."""
    asked = [select(one.c.id).where(one.c.id.in_(ids)) for one in _OBJECTS]
    found = await connection.execute(union_all(*asked))
    return set(found.scalars())


async def open_attempts(connection: AsyncConnection, ids: Collection[UUID]) -> set[UUID]:
    """Return those of the attempts that stand and are not over."""
    found = await connection.execute(
        select(attempts.c.id).where(attempts.c.id.in_(ids), attempts.c.ended_at.is_(None))
    )
    return set(found.scalars())


_OBJECTS = (messages, batches, documents, reports)
