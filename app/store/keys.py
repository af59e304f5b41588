"""API keys; a key's secret is kept as an HMAC only."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping, Select, bindparam, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.identifiers import Identifiers
from app.store import clients as known_clients
from app.store.tables import api_keys, clients

MOST: Final = 500  # keys of a list


async def find(
    connection: AsyncConnection, key_id: str, digest: str, now: datetime
) -> RowMapping | None:
    """Return a key that is neither revoked nor expired, with its client's name and options.

    One whose hash is another is not found, as if it were not there.
    """
    c = clients.c
    k = api_keys.c
    found = await connection.execute(
        select(api_keys, c.name, c.unique_references, c.idempotency, c.rate, c.daily_quotas)
        .join(clients, c.id == k.client_id)
        .where(k.id == key_id, k.digest == digest, k.revoked_at.is_(None), _lives_at(now))
    )
    return found.mappings().one_or_none()


async def client_named(
    connection: AsyncConnection, ids: Identifiers, name: str, at: datetime
) -> UUID:
    """Return the client of this name, made where there was none."""
    known = await known_clients.named(connection, name)
    if known is None:
        # Another process may make it at this moment.
        await known_clients.add(connection, {"id": ids.new(), "name": name, "created_at": at})
        known = await known_clients.named(connection, name)
    assert known is not None
    client_id: UUID = known["id"]
    return client_id


async def add(connection: AsyncConnection, row: Mapping[str, Any]) -> None:
    """Write a key."""
    await connection.execute(insert(api_keys).values(**row))


async def lock(
    connection: AsyncConnection, key_id: str, modes: Collection[str]
) -> RowMapping | None:
    """Hold a key, whether it is still taken or not, with its client's name."""
    found = await connection.execute(
        _administered()
        .where(api_keys.c.id == key_id, api_keys.c.mode.in_(modes))
        .with_for_update(of=api_keys)
    )
    row: RowMapping | None = found.mappings().one_or_none()
    return row


async def listed(
    connection: AsyncConnection, modes: Collection[str], client_id: UUID | None = None
) -> Sequence[RowMapping]:
    """Return the newest keys of a client, or of all, with their client's name."""
    own = [api_keys.c.client_id == client_id] if client_id is not None else []
    found = await connection.execute(
        _administered()
        .where(api_keys.c.mode.in_(modes), *own)
        .order_by(api_keys.c.created_at.desc(), api_keys.c.id)
        .limit(MOST)
    )
    rows: Sequence[RowMapping] = found.mappings().all()
    return rows


async def change(connection: AsyncConnection, key_id: str, **columns: Any) -> None:  # noqa: ANN401
    """Write when a key expires, or that it is revoked; it is held."""
    await connection.execute(update(api_keys).where(api_keys.c.id == key_id).values(**columns))


async def used(connection: AsyncConnection, uses: Mapping[str, datetime], apart: timedelta) -> None:
    """Write when keys were last used, where what stands is older than that by `apart`."""
    k = api_keys.c
    statement = (
        update(api_keys)
        .where(
            k.id == bindparam("key"),
            or_(
                k.last_used_at.is_(None),
                k.last_used_at < bindparam("before", type_=k.created_at.type),
            ),
        )
        .values(last_used_at=bindparam("at"))
    )
    # In one order: two processes would otherwise wait for each other.
    rows = [{"key": key, "at": at, "before": at - apart} for key, at in sorted(uses.items())]
    await connection.execute(statement, rows)


def _lives_at(now: datetime) -> Any:  # noqa: ANN401 -- a condition
    return or_(api_keys.c.expires_at.is_(None), api_keys.c.expires_at > now)


def _administered() -> Select[Any]:
    return select(api_keys, clients.c.name).join(clients, clients.c.id == api_keys.c.client_id)
