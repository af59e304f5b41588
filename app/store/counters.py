"""How much waits to be sent: counts in rows, changed by each transaction that changes what waits.

They are never found by COUNT(*). A transaction notes what it changes, and writes it as its very
last statement (`settle`): these are the last rows that it locks, always in the order of their
names, so that no two transactions can wait for each other; and it holds them for its commit only.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, RowMapping, func, literal_column, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.status import WAITING, Status
from app.store import many
from app.store.news import New
from app.store.tables import counters, messages

# The words of the partial index `ix_messages_to_submit`.
_WAITING: Final[ColumnElement[bool]] = literal_column("status IN ('queued', 'scheduled')")
_PENDING: Final = "multicanal_counters"
ADDED: Final = (
    "ON CONFLICT (name) DO UPDATE SET value = counters.value + excluded.value"  # to what stands
)
_MESSAGES: Final = "unsent:"  # with the channel
_BYTES: Final = "unsent_bytes:"  # with the channel
_CLIENT: Final = "unsent_client:"  # with the client's id
_TRIES: Final = "webhook_tries:"  # with what came of them; ever
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
    alike: dict[tuple[str, UUID], list[int]] = defaultdict(list)
    for channel, client_id, size in waiting:
        alike[channel, client_id].append(size)
    for (channel, client_id), sizes in alike.items():
        _put(pending, channel, client_id, sizes)
    return pending


def _put(pending: Counter[str], channel: str, client_id: UUID, sizes: Sequence[int]) -> None:
    pending[f"{_MESSAGES}{channel}"] += len(sizes)
    pending[f"{_BYTES}{channel}"] += sum(sizes)
    pending[f"{_CLIENT}{client_id}"] += len(sizes)


def claimed(connection: AsyncConnection, rows: Iterable[RowMapping]) -> None:
    """Note messages that waited and do not wait any more."""
    pending = connection.info[_PENDING]
    for name, change in of_claimed(rows).items():
        pending[name] += change


def of_claimed(rows: Iterable[RowMapping | Mapping[str, Any]]) -> Counter[str]:
    """Return by how much messages that wait no more change which counters."""
    pending: Counter[str] = Counter()
    for (channel, client_id), some in groupby(rows, itemgetter("channel", "client_id")):
        sizes = [row["size"] or 0 for row in some]
        pending[f"{_MESSAGES}{channel}"] -= len(sizes)
        pending[f"{_BYTES}{channel}"] -= sum(sizes)
        pending[f"{_CLIENT}{client_id}"] -= len(sizes)
        pending[LEFT] += len(sizes)
    return pending


def moved(connection: AsyncConnection, row: Mapping[str, Any], to: Status) -> None:
    """Note a message that moves from where its row says to another status."""
    change = (to in WAITING) - (row["status"] in WAITING)
    if change:
        _note(connection, row, change)
        connection.info[_PENDING][LEFT] -= change


def tried(connection: AsyncConnection, outcome: str) -> None:
    """Note that a webhook was posted, and what came of it."""
    connection.info[_PENDING][f"{_TRIES}{outcome}"] += 1


async def tries(connection: AsyncConnection) -> dict[str, int]:
    """Return how often webhooks were posted, by what came of it."""
    found = await _values(connection)
    return {
        name.removeprefix(_TRIES): value for name, value in found.items() if name.startswith(_TRIES)
    }


def _note(connection: AsyncConnection, row: Mapping[str, Any] | RowMapping, change: int) -> None:
    pending = connection.info[_PENDING]
    pending[f"{_MESSAGES}{row['channel']}"] += change
    pending[f"{_BYTES}{row['channel']}"] += change * (row["size"] or 0)
    pending[f"{_CLIENT}{row['client_id']}"] += change


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
        messages=sum(value for name, value in found.items() if name.startswith(_MESSAGES)),
        size=sum(value for name, value in found.items() if name.startswith(_BYTES)),
        clients={
            UUID(name.removeprefix(_CLIENT)): value
            for name, value in found.items()
            if name.startswith(_CLIENT)
        },
        left=found.get(LEFT, 0),
    )


async def recount(connection: AsyncConnection) -> dict[str, int]:
    """Count what waits, by its index, and mend the counters; return what they were off by.

    Other transactions wait with their last statement meanwhile: what they changed is either
    committed with its counters, or not seen at all.
    """
    if connection.dialect.name == "postgresql":
        await connection.execute(text("LOCK TABLE counters IN EXCLUSIVE MODE"))
    c = messages.c
    found = await connection.execute(
        select(c.channel, c.client_id, func.count(), func.coalesce(func.sum(c.size), 0))
        .where(_WAITING)
        .group_by(c.channel, c.client_id)
    )
    truth: Counter[str] = Counter()
    for channel, client_id, count, size in found:
        truth[f"{_MESSAGES}{channel}"] += count
        truth[f"{_BYTES}{channel}"] += int(size)
        truth[f"{_CLIENT}{client_id}"] += count
    found_rows = await _values(connection)
    ever = (LEFT, _TRIES)  # what only grows is no count of what waits
    standing = {name: value for name, value in found_rows.items() if not name.startswith(ever)}
    names = truth.keys() | standing.keys()
    drift = {name: truth[name] - standing.get(name, 0) for name in names}
    wrong = {name: change for name, change in sorted(drift.items()) if change}
    connection.info[_PENDING].update(wrong)
    return wrong


async def _values(connection: AsyncConnection) -> dict[str, int]:
    found = await connection.execute(select(counters.c.name, counters.c.value))
    return {row.name: row.value for row in found}
