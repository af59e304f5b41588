"""Keep a provider's contract for every process and the next start, until another is accepted.

No transaction is open while a provider is asked: what was read is handed in whole.
"""

import base64
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import RowMapping
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store import contracts
from app.store.database import Database, lacks_schema
from app.store.unusable import why

NO_TABLES: Final = "it has not the tables of this version: multicanal migrate"

Differences = Sequence[Mapping[str, str | None]]


class NotKept(Exception):
    """The store cannot be used; `why` names the fault, without its text."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A contract, and the documents that it was read from."""

    location: str  # the setting that it was read by, without secrets
    fingerprint: str
    shape: Mapping[str, Any]  # what the fingerprint is taken of
    documents: Mapping[str, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A contract that waits for an operator."""

    fingerprint: str
    read_at: datetime
    differences: Differences


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What stands: the accepted contract, and the one that waits."""

    location: str
    fingerprint: str
    read_at: datetime
    pending: Pending | None


class ContractStore:
    """One provider's contract in the store. Every method raises NotKept where that is away."""

    def __init__(self, database: Database, provider: str, now: Callable[[], datetime]) -> None:
        self._database = database
        self._provider = provider
        self._now = now

    async def standing(self) -> Standing | None:
        """Return what stands, None where nothing does."""
        async with self._reading() as connection:
            return _standing(await contracts.standing(connection, self._provider))

    async def accepted(self) -> Kept | None:
        """Return the accepted contract."""
        async with self._reading() as connection:
            row = await contracts.find(connection, self._provider)
        return None if row is None else _kept(row)

    async def keep_first(self, contract: Kept) -> None:
        """Keep a contract as the accepted one, unless another process did."""
        async with self._writing() as connection:
            await contracts.add_first(connection, self._provider, self._row(contract))

    async def replace(self, contract: Kept) -> None:
        """Keep a contract as the accepted one, whatever stood."""
        async with self._writing() as connection:
            await contracts.lock(connection, self._provider)
            await contracts.replace(connection, self._provider, self._row(contract))

    async def keep_pending(self, contract: Kept, differences: Differences, *, against: str) -> bool:
        """Let a contract wait that differs from the accepted one; say whether that is new.

        Nothing is kept where the contract that it was compared with no longer stands.
        """
        async with self._writing() as connection:
            if not await self._stands(connection, contract.location, against):
                return False
            row = self._row(contract) | {"differences": list(differences)}
            return await contracts.put_pending(connection, self._provider, row)

    async def drop_pending(self, location: str, *, against: str) -> bool:
        """Forget what waits: the accepted contract is offered again; say whether any did."""
        async with self._writing() as connection:
            if not await self._stands(connection, location, against):
                return False
            return await contracts.drop_pending(connection, self._provider)

    async def accept(self, fingerprint: str) -> bool:
        """Accept the contract of this fingerprint that waits; say whether one does."""
        async with self._writing() as connection:
            await contracts.lock(connection, self._provider)
            return await contracts.accept(connection, self._provider, fingerprint)

    async def _stands(self, connection: AsyncConnection, location: str, fingerprint: str) -> bool:
        row = await contracts.lock(connection, self._provider)
        return row is not None and (row["location"], row["fingerprint"]) == (location, fingerprint)

    def _row(self, contract: Kept) -> dict[str, Any]:
        return {
            "location": contract.location,
            "fingerprint": contract.fingerprint,
            "shape": contract.shape,
            "documents": {
                address: base64.b64encode(content).decode()
                for address, content in contract.documents.items()
            },
            "differences": [],
            "read_at": self._now(),
        }

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[AsyncConnection]:
        with _away():
            async with self._database.reading() as connection:
                yield connection

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[AsyncConnection]:
        with _away():
            async with self._database.transaction() as connection:
                yield connection


def _standing(rows: Mapping[str, RowMapping]) -> Standing | None:
    accepted, waits = rows.get(contracts.ACCEPTED), rows.get(contracts.PENDING)
    if accepted is None:
        return None
    pending = waits and Pending(
        fingerprint=waits["fingerprint"],
        read_at=waits["read_at"],
        differences=waits["differences"],
    )
    return Standing(
        location=accepted["location"],
        fingerprint=accepted["fingerprint"],
        read_at=accepted["read_at"],
        pending=pending or None,
    )


def _kept(row: RowMapping) -> Kept:
    return Kept(
        location=row["location"],
        fingerprint=row["fingerprint"],
        shape=row["shape"],
        documents={
            address: base64.b64decode(content) for address, content in row["documents"].items()
        },
    )


@contextmanager
def _away() -> Iterator[None]:
    try:
        yield
    except (SQLAlchemyError, OSError) as fault:
        # Its text may hold the address of the store, and with it a password.
        said = NO_TABLES if lacks_schema(fault) else why(fault)
        raise NotKept(said) from None
