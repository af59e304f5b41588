"""How much waits to be sent: counts in rows, changed by each transaction that changes what waits.

They are never found by COUNT(*). A transaction notes what it changes, and writes it as its very
last statement (`settle`): these are the last rows that it locks, always in the order of their
names, so that no two transactions can wait for each other; and it holds them for its commit only.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.status import WAITING, Status
from app.store import many
from app.store.news import New
from app.store.tables import counters

_PENDING: Final = "multicanal_counters"
ADDED: Final = (
    "ON CONFLICT (name) DO UPDATE SET value = counters.value + excluded.value"  # to what stands
)
MESSAGES: Final = "unsent:"  # with the channel
BYTES: Final = "unsent_bytes:"  # with the channel
CLIENT: Final = "unsent_client:"  # with the client's id
TRIES: Final = "webhook_tries:"  # with what came of them; ever
LEFT: Final = "left"  # how many ever stopped waiting: how fast that grows is the pace


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """How much waits to be sent."""

    messages: int = 0
    size: int = 0  # bytes of contents and files
    clients: Mapping[UUID, int]  # messages
    left: int = 0  # messages that ever stopped waiting


def start(connection: AsyncConnection) -> None:
    """Begin to note what a transaction changes."""
    connection.info[_PENDING] = Counter()


def added(connection: AsyncConnection, rows: Iterable[Mapping[str, Any]]) -> None:
    """Note new messages."""
    connection.info[_PENDING].update(of_new(rows))


def added_alike(
    connection: AsyncConnection, row: Mapping[str, Any], sizes: Sequence[int | None]
) -> None:
    """Note new messages that are one row but for their sizes, as far as anything here asks."""
    if row["status"] in WAITING:
        _put(connection.info[_PENDING], row["channel"], row["client_id"], [n or 0 for n in sizes])


def of_new(rows: Iterable[Mapping[str, Any]]) -> Counter[str]:
    """Return by how much new messages change which counters."""
    waiting = (row for row in rows if row["status"] in WAITING)
    return _of((row["channel"], row["client_id"], row["size"] or 0) for row in waiting)


def of_news(news: Iterable[New]) -> Counter[str]:
    """Return the same of plain messages; all of them wait."""
    return _of((one.channel, one.client_id, one.size) for one in news)


def _of(waiting: Iterable[tuple[str, UUID, int]]) -> Counter[str]:
    pending: Counter[str] = Counter()
    alike: dict[tuple[str, int], list[int]] = defaultdict(list)
    for channel, client_id, size in waiting:
        alike[channel, client_id.int].append(size)  # a UUID's own hash and equality are slow
    for (channel, number), sizes in alike.items():
        _put(pending, channel, UUID(int=number), sizes)
    return pending


def _put(pending: Counter[str], channel: str, client_id: UUID, sizes: Sequence[int]) -> None:
    pending[f"{MESSAGES}{channel}"] += len(sizes)
    pending[f"{BYTES}{channel}"] += sum(sizes)
    pending[f"{CLIENT}{client_id}"] += len(sizes)


def claimed(connection: AsyncConnection, rows: Iterable[RowMapping]) -> None:
    """Note messages that waited and do not wait any more."""
    for row in rows:
        _note(connection, row, -1)
        connection.info[_PENDING][LEFT] += 1


def moved(connection: AsyncConnection, row: Mapping[str, Any], to: Status) -> None:
    """Note a message that moves from where its row says to another status."""
    change = (to in WAITING) - (row["status"] in WAITING)
    if change:
        _note(connection, row, change)
        connection.info[_PENDING][LEFT] -= change


def changed(connection: AsyncConnection, changes: Mapping[str, int]) -> None:
    """Note what counters are off by."""
    connection.info[_PENDING].update(changes)


def tried(connection: AsyncConnection, outcome: str) -> None:
    """Note that a webhook was posted, and what came of it."""
    connection.info[_PENDING][f"{TRIES}{outcome}"] += 1


async def tries(connection: AsyncConnection) -> dict[str, int]:
    """Return how often webhooks were posted, by what came of it."""
    found = await _values(connection)
    return {
        name.removeprefix(TRIES): value for name, value in found.items() if name.startswith(TRIES)
    }


def _note(connection: AsyncConnection, row: Mapping[str, Any] | RowMapping, change: int) -> None:
    pending = connection.info[_PENDING]
    pending[f"{MESSAGES}{row['channel']}"] += change
    pending[f"{BYTES}{row['channel']}"] += change * (row["size"] or 0)
    pending[f"{CLIENT}{row['client_id']}"] += change


async def settle(connection: AsyncConnection) -> None:
    """Write what a transaction noted; nothing follows but its commit."""
    pending: Counter[str] = connection.info.pop(_PENDING)
    await many.add(connection, counters, in_order(pending), otherwise=ADDED)


def in_order(pending: Mapping[str, int]) -> list[dict[str, Any]]:
    """Return the rows by which counters change, in the order in which everybody locks them."""
    return [{"name": name, "value": pending[name]} for name in sorted(pending) if pending[name]]


async def read(connection: AsyncConnection) -> Waiting:
    """Return how much waits."""
    found = await _values(connection)
    return Waiting(
        messages=sum(value for name, value in found.items() if name.startswith(MESSAGES)),
        size=sum(value for name, value in found.items() if name.startswith(BYTES)),
        clients={
            UUID(name.removeprefix(CLIENT)): value
            for name, value in found.items()
            if name.startswith(CLIENT)
        },
        left=found.get(LEFT, 0),
    )


async def _values(connection: AsyncConnection) -> dict[str, int]:
    found = await connection.execute(select(counters.c.name, counters.c.value))
    return {row.name: row.value for row in found}
