"""Providers' contracts: the accepted one, and one that waits for an operator.

Who writes first locks the accepted row, so that what is written against it still holds.
"""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import RowMapping, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.database import insert_new
from app.store.tables import contracts

ACCEPTED: Final = "accepted"
PENDING: Final = "pending"
_LIGHT: Final = (
    contracts.c.state,
    contracts.c.location,
    contracts.c.fingerprint,
    contracts.c.differences,
    contracts.c.read_at,
)


async def standing(connection: AsyncConnection, provider: str) -> dict[str, RowMapping]:
    """Return what stands, by its state, without the documents."""
    found = await connection.execute(select(*_LIGHT).where(contracts.c.provider == provider))
    return {row["state"]: row for row in found.mappings()}


async def find(connection: AsyncConnection, provider: str) -> RowMapping | None:
    """Return the accepted contract, with its documents."""
    found = await connection.execute(select(contracts).where(_is(provider, ACCEPTED)))
    return found.mappings().one_or_none()


async def lock(connection: AsyncConnection, provider: str) -> RowMapping | None:
    """Return the accepted contract, without its documents, for this transaction to write."""
    found = await connection.execute(
        select(*_LIGHT).where(_is(provider, ACCEPTED)).with_for_update()
    )
    return found.mappings().one_or_none()


async def add_first(connection: AsyncConnection, provider: str, row: Mapping[str, Any]) -> None:
    """Write an accepted contract where there is none."""
    written = insert_new(connection, contracts)
    await connection.execute(written.values(provider=provider, state=ACCEPTED, **row))


async def replace(connection: AsyncConnection, provider: str, row: Mapping[str, Any]) -> None:
    """Write the accepted contract over what stands, and forget what waits."""
    await connection.execute(delete(contracts).where(contracts.c.provider == provider))
    await connection.execute(insert(contracts).values(provider=provider, state=ACCEPTED, **row))


async def put_pending(connection: AsyncConnection, provider: str, row: Mapping[str, Any]) -> bool:
    """Write a contract that waits; return whether it did not wait before."""
    same = await connection.execute(select(contracts.c.fingerprint).where(_is(provider, PENDING)))
    if same.scalar_one_or_none() == row["fingerprint"]:
        return False
    await drop_pending(connection, provider)
    await connection.execute(insert(contracts).values(provider=provider, state=PENDING, **row))
    return True


async def drop_pending(connection: AsyncConnection, provider: str) -> bool:
    """Forget the contract that waits; return whether there was one."""
    gone = await connection.execute(delete(contracts).where(_is(provider, PENDING)))
    return gone.rowcount > 0


async def accept(connection: AsyncConnection, provider: str, fingerprint: str) -> bool:
    """Make the contract of this fingerprint that waits the accepted one; False: none does."""
    waits = await connection.execute(select(contracts.c.fingerprint).where(_is(provider, PENDING)))
    if waits.scalar_one_or_none() != fingerprint:
        return False
    await connection.execute(delete(contracts).where(_is(provider, ACCEPTED)))
    await connection.execute(
        update(contracts).where(_is(provider, PENDING)).values(state=ACCEPTED, differences=[])
    )
    return True


def _is(provider: str, state: str) -> Any:  # noqa: ANN401 -- SQLAlchemy's clause
    return (contracts.c.provider == provider) & (contracts.c.state == state)
