"""Step 1: take messages in. A message, its files, its key and its first event are one commit.

What arrives while one commit runs is written by the next, all of it together.
"""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from app.delivery.ascertain import until_known
from app.delivery.fault_points import Point
from app.delivery.gateway import Gateway
from app.domain.errors import IdempotencyKeyReused
from app.domain.message import Channel
from app.store import batches, documents, existing, idempotency, messages, recipients, reports
from app.store.database import CommitUnknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """An Idempotency-Key, and the fingerprint of the request that brought it."""

    client_id: UUID
    mode: str
    key: str
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a client is told."""

    status: int
    location: str
    body: str  # JSON
    replayed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """Messages or a document to take in, and the answer that will then be true."""

    object_id: UUID
    answer: Answer
    key: Key | None = None
    messages: Sequence[Mapping[str, Any]] = ()  # rows of `messages`
    recipients: Sequence[Mapping[str, Any]] = ()  # rows of `recipients`
    batch: Mapping[str, Any] | None = None  # a row of `batches`
    document: Mapping[str, Any] | None = None  # a row of `documents`
    report: Mapping[str, Any] | None = None  # a row of `reports`
    files: Mapping[str, bytes] = field(default_factory=dict)  # new bytes, by SHA-256


async def accept(gateway: Gateway, arrivals: Sequence[Arrival]) -> list[RowMapping | None]:
    """Commit what arrived; return, for each whose key was taken, the record of the first answer.

    A commit whose answer never came is looked for, and made again where it did not take place.
    Raises CommitUnknown where nobody can say.
    """
    try:
        return await _commit(gateway, arrivals)
    except CommitUnknown:
        return await until_known(lambda: _look(gateway, arrivals))


async def _look(gateway: Gateway, arrivals: Sequence[Arrival]) -> list[RowMapping | None]:
    """Return what `accept` returns where its commit took place; otherwise make it again."""
    async with gateway.database.reading() as connection:
        standing = await existing.objects(connection, [one.object_id for one in arrivals])
        records = await first_answers(connection, [one.key for one in arrivals if one.key])
    if not standing:
        # Whose commit is still under way holds our ids: the same rows wait for it, and give way.
        found = await _commit(gateway, arrivals)
    else:
        _wake(gateway, arrivals)
        by_key = dict(zip([one.key for one in arrivals if one.key], records, strict=True))
        found = [by_key[one.key] if one.key else None for one in arrivals]
    return [_of_another(one, record) for one, record in zip(arrivals, found, strict=True)]


def _of_another(arrival: Arrival, record: RowMapping | None) -> RowMapping | None:
    return None if record is None or record["object_id"] == arrival.object_id else record


def _wake(gateway: Gateway, arrivals: Sequence[Arrival]) -> None:
    for channel in {row["channel"] for arrival in arrivals for row in arrival.messages}:
        gateway.wake.call(Channel(channel))


async def _commit(gateway: Gateway, arrivals: Sequence[Arrival]) -> list[RowMapping | None]:
    async with gateway.database.transaction() as connection:
        free = await _take_keys(gateway, connection, arrivals)
        new = [arrival for arrival in arrivals if arrival.key is None or arrival.object_id in free]
        await _write(gateway, connection, new)
        taken = [one.key for one in arrivals if one.key and one.object_id not in free]
        records = await first_answers(connection, taken) if taken else []
        await gateway.fault_points.reached(Point.ACCEPTING)
    await gateway.fault_points.reached(Point.ACCEPTED)
    by_key = dict(zip(taken, records, strict=True))
    _wake(gateway, new)
    return [by_key[one.key] if one.key and one.object_id not in free else None for one in arrivals]


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
    return Answer(
        status=record["status"], location=record["location"], body=record["body"], replayed=True
    )


async def _take_keys(
    gateway: Gateway, connection: AsyncConnection, arrivals: Sequence[Arrival]
) -> set[UUID]:
    rows = [
        {
            "client_id": arrival.key.client_id,
            "mode": arrival.key.mode,
            "key": arrival.key.key,
            "fingerprint": arrival.key.fingerprint,
            "object_id": arrival.object_id,
            "status": arrival.answer.status,
            "location": arrival.answer.location,
            "body": arrival.answer.body,
            "created_at": gateway.now(),
        }
        for arrival in arrivals
        if arrival.key is not None
    ]
    # Always in the same order, or two batches with the same keys could wait for each other.
    rows.sort(key=lambda row: (row["client_id"], row["mode"], row["key"]))
    return await idempotency.take(connection, rows) if rows else set()


async def _write(gateway: Gateway, connection: AsyncConnection, new: Sequence[Arrival]) -> None:
    files = {digest: content for arrival in new for digest, content in arrival.files.items()}
    await documents.keep(connection, dict(sorted(files.items())), gateway.now())
    for arrival in new:
        if arrival.document is not None:
            await documents.add(connection, arrival.document)
        if arrival.report is not None:
            await reports.add(connection, arrival.report)
    await batches.add(connection, [one.batch for one in new if one.batch is not None])
    rows = [row for arrival in new for row in arrival.messages]
    if rows:
        await messages.add(connection, gateway.ids, rows)
    await recipients.add(connection, [row for arrival in new for row in arrival.recipients])
