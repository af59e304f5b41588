"""Clients and their API keys; a key's secret is kept as an HMAC only."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.identifiers import Identifiers
from app.store.tables import api_keys, clients


async def find(connection: AsyncConnection, key_id: str) -> RowMapping | None:
    """Return a key that is not revoked, with its client's name and options."""
    c = clients.c
    found = await connection.execute(
        select(api_keys, c.name, c.unique_references, c.idempotency, c.rate, c.daily_quotas)
        .join(clients, clients.c.id == api_keys.c.client_id)
        .where(api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None))
    )
    return found.mappings().one_or_none()


async def client_named(
    connection: AsyncConnection, ids: Identifiers, name: str, at: datetime
) -> UUID:
    """Return the client of this name, made where there was none."""
    found = await connection.execute(select(clients.c.id).where(clients.c.name == name))
    known: UUID | None = found.scalar_one_or_none()
    if known is not None:
        return known
    client_id = ids.new()
    await connection.execute(insert(clients).values(id=client_id, name=name, created_at=at))
    return client_id


async def add(connection: AsyncConnection, row: Mapping[str, Any]) -> None:
    """Write a key."""
    await connection.execute(insert(api_keys).values(**row))
