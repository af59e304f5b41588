"""Step 1: take messages in. A message, its files, its key and its first event are one commit.

What arrives while one commit runs is written by the next, all of it together.
"""

import hmac
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.delivery import quota
from app.delivery.arrival import (
    Answer,
    Arrival,
    Item,
    Key,
    Obstacle,
    ReferencesTaken,
    arrival_of,
    plain_of,
)
from app.delivery.ascertain import until_known
from app.delivery.fault_points import Point
from app.delivery.gateway import Gateway
from app.delivery.refuse import refused_of, take_references
from app.domain.errors import IdempotencyInProgress, IdempotencyKeyReused
from app.domain.message import Channel
from app.store import (
    batches,
    documents,
    existing,
    idempotency,
    messages,
    recipients,
    reports,
    taking,
)
from app.store.database import CommitUnknown, is_locked
from app.store.news import New
from app.store.packed import unpacked
from app.store.tables import idempotency_keys

__all__ = [
    "Answer",
    "Arrival",
    "Item",
    "Key",
    "Obstacle",
    "ReferencesTaken",
]  # besides what stands here


async def accept(gateway: Gateway, items: Sequence[Item]) -> list[Obstacle]:
    """Commit what arrived; return what stood in the way of each, None where nothing did.

    A commit whose answer never came is looked for, and made again where it did not take place.
    Raises CommitUnknown where nobody can say.
    """
    try:
        news = [new for one in items if (new := plain_of(one)) is not None]
        if len(news) == len(items) and await _take(gateway, news):
            return [None] * len(items)
        return await _commit(gateway, [arrival_of(one) for one in items])
    except CommitUnknown:
        arrivals = [arrival_of(one) for one in items]
        return await until_known(lambda: _look(gateway, arrivals))


async def _take(gateway: Gateway, news: Sequence[New]) -> bool:
    """Commit plain messages; False where a key of theirs is taken: nothing was written."""
    await gateway.fault_points.reached(Point.ACCEPTING)
    with _waiting_for_keys():
        is_taken_in = await taking.take(gateway.database, gateway.ids, news)
    if is_taken_in:
        await gateway.fault_points.reached(Point.ACCEPTED)
        _wake(gateway, {one.channel for one in news})
    return is_taken_in


async def _look(gateway: Gateway, arrivals: Sequence[Arrival]) -> list[Obstacle]:
    """Return what `accept` returns where its commit took place; otherwise make it again."""
    async with gateway.database.reading() as connection:
        standing = await existing.objects(connection, [one.object_id for one in arrivals])
        records = await first_answers(connection, [one.key for one in arrivals if one.key])
        refused = await refused_of(connection, arrivals) if standing else {}
    if not standing:
        # Whose commit is still under way holds our ids: the same rows wait for it, and give way.
        found = await _commit(gateway, arrivals)
    else:
        wake(gateway, arrivals)
        by_key = dict(zip([one.key for one in arrivals if one.key], records, strict=True))
        found = [
            refused.get(one.object_id) or (by_key[one.key] if one.key else None) for one in arrivals
        ]
    return [of_another(one, in_the_way) for one, in_the_way in zip(arrivals, found, strict=True)]


def of_another(arrival: Arrival, found: Obstacle) -> Obstacle:
    """Return what stands in the way of an arrival, None where it is its own."""
    if found is None or isinstance(found, ReferencesTaken):
        return found
    return None if found["object_id"] == arrival.object_id else found


def wake(gateway: Gateway, arrivals: Sequence[Arrival]) -> None:
    """Tell the worker of this process what there is to send."""
    # What arrives together is of one channel.
    _wake(gateway, {one.messages[0]["channel"] for one in arrivals if one.messages})


def _wake(gateway: Gateway, channels: AbstractSet[str]) -> None:
    for channel in channels:
        gateway.wake.call(Channel(channel))


async def _commit(gateway: Gateway, arrivals: Sequence[Arrival]) -> list[Obstacle]:
    async with gateway.database.transaction() as connection:
        free = await take_keys(gateway, connection, arrivals)
        new = [arrival for arrival in arrivals if arrival.key is None or arrival.object_id in free]
        refused = await take_references(connection, new)
        new = [arrival for arrival in new if arrival.object_id not in refused]
        await write_shared(gateway, connection, new)
        rows = [row for arrival in new for row in arrival.messages]
        if rows:
            await messages.add(connection, gateway.ids, rows)
        await recipients.add(connection, [row for arrival in new for row in arrival.recipients])
        spent = await quota.spend(connection, new, gateway.local_time(), gateway.usage)
        in_the_way = await _in_the_way(connection, arrivals, free, refused)
        await gateway.fault_points.reached(Point.ACCEPTING)
    await gateway.fault_points.reached(Point.ACCEPTED)
    gateway.usage.learn(spent)
    wake(gateway, new)
    return [in_the_way.get(one.object_id) for one in arrivals]


async def _in_the_way(
    connection: AsyncConnection,
    arrivals: Sequence[Arrival],
    free: set[UUID],
    refused: Mapping[UUID, ReferencesTaken],
) -> dict[UUID, Obstacle]:
    """Return what stood in the way of arrivals, by their objects."""
    found: dict[UUID, Obstacle] = dict(refused)
    late = {one.object_id: one.key for one in arrivals if one.key and one.object_id not in free}
    if not late:
        return found
    # A repeat of a request that this very commit refuses is refused alike.
    twins = {one.key: refused[one.object_id] for one in arrivals if one.object_id in refused}
    records = await first_answers(connection, list(late.values()))
    for (object_id, key), record in zip(late.items(), records, strict=True):
        found[object_id] = record or twins.get(key)
        if found[object_id] is None:
            raise IdempotencyInProgress  # it was there a moment ago
    return found


async def remember(gateway: Gateway, keys: Sequence[Key]) -> list[RowMapping | None]:
    """Return the record of each key's first answer, None where the key is new."""
    async with gateway.database.reading() as connection:
        return await first_answers(connection, keys)


async def first_answers(
    connection: AsyncConnection, keys: Sequence[Key]
) -> list[RowMapping | None]:
    """Return the record of each key's first answer, None where the key is new."""
    names = [(key.client_id, key.mode, key.key) for key in keys]
    found = await idempotency.find(connection, names)
    return [found.get(name) for name in names]


def replay(record: RowMapping, key: Key) -> Answer:
    """Return the first answer to a key; refuse a key that came with another request."""
    if not hmac.compare_digest(record["fingerprint"], key.fingerprint):
        raise IdempotencyKeyReused
    body = unpacked(record["body"])
    return Answer(status=record["status"], location=record["location"], body=body, replayed=True)


async def take_keys(
    gateway: Gateway, connection: AsyncConnection, arrivals: Sequence[Arrival]
) -> set[UUID]:
    """Write the keys of arrivals with their answers; return the objects whose key was free.

    Raises IdempotencyInProgress where another transaction holds one of them for too long.
    """
    rows = key_rows(gateway, arrivals)
    with _waiting_for_keys():
        return await idempotency.take(connection, rows) if rows else set()


def key_rows(gateway: Gateway, arrivals: Sequence[Arrival]) -> list[dict[str, Any]]:
    """Return the rows of the keys that arrivals came with, in the order in which they are taken."""
    now = gateway.now()
    rows: list[dict[str, Any]] = [
        {
            "client_id": arrival.key.client_id,
            "mode": arrival.key.mode,
            "key": arrival.key.key,
            "fingerprint": arrival.key.fingerprint,
            "object_id": arrival.object_id,
            "status": arrival.answer.status,
            "location": arrival.answer.location if arrival.answer.kept else "",
            "body": arrival.answer.body if arrival.answer.kept else "",
            "created_at": now,
        }
        for arrival in arrivals
        if arrival.key is not None
    ]
    # Always in the same order, or two batches with the same keys could wait for each other.
    rows.sort(key=lambda row: (row["key"], row["client_id"], row["mode"]))
    return rows


@contextmanager
def _waiting_for_keys() -> Iterator[None]:
    try:
        yield
    except OperationalError as fault:
        # The counters may be what a plain message waits for: that is everybody's fault.
        if is_locked(fault, idempotency_keys):
            raise IdempotencyInProgress from None
        raise


async def write_shared(
    gateway: Gateway, connection: AsyncConnection, new: Sequence[Arrival]
) -> None:
    """Write what arrivals have besides their messages."""
    files = {digest: content for arrival in new for digest, content in arrival.files.items()}
    await documents.keep(connection, dict(sorted(files.items())), gateway.now())
    for arrival in new:
        if arrival.document is not None:
            await documents.add(connection, arrival.document)
        if arrival.report is not None:
            await reports.add(connection, arrival.report)
    await batches.add(connection, [one.batch for one in new if one.batch is not None])
