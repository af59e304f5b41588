"""Delete what is older than it is kept, some rows at a time, each with all that is its own.

No constraint holds the rows of a message together: whoever deletes one deletes them with it here,
in one transaction, and never one of which anything could still become.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, RowMapping, delete, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.identifiers import earliest, made_at
from app.domain.message import Channel
from app.domain.status import FINAL
from app.store.database import insert_new
from app.store.feed import Feed
from app.store.tables import (
    acknowledgements,
    attempts,
    batches,
    blobs,
    daily_usage,
    documents,
    events,
    feeds,
    grants,
    messages,
    recipients,
    reports,
    retention,
    webhook_deliveries,
    webhook_endpoints,
)
from app.store.uncertain import UNCERTAIN

MESSAGES: Final = "messages"
FILES: Final = "files"
_FINAL: Final = sorted(one.value for one in FINAL)
_DIGEST: Final = re.compile(r"\b[0-9a-f]{64}\b", re.ASCII)


@dataclass(frozen=True, slots=True)
class Walked:
    """How far a walk through old messages came."""

    last: UUID | None  # the last that was looked at; None: it was the end
    deleted: int


async def turn(connection: AsyncConnection, kind: str, now: datetime) -> RowMapping | None:
    """Take the turn to delete, until the transaction ends; None where it is not due, or another's."""
    new = {"kind": kind, "after": None, "due_at": now}
    await connection.execute(insert_new(connection, retention).values(new))
    r = retention.c
    found = await connection.execute(
        select(retention).where(r.kind == kind, r.due_at <= now).with_for_update(skip_locked=True)
    )
    return found.mappings().one_or_none()


async def leave(
    connection: AsyncConnection, kind: str, *, after: UUID | None, due_at: datetime
) -> None:
    """Say how far the turn came, and when the next one is due."""
    await connection.execute(
        update(retention).where(retention.c.kind == kind).values(after=after, due_at=due_at)
    )


async def walk(
    connection: AsyncConnection, after: UUID | None, before: datetime, most: int
) -> Walked:
    """Look at `most` messages from before a moment, oldest first, and delete those that are over."""
    c = messages.c
    query = select(c.id).where(c.id < earliest(before))
    if after is not None:
        query = query.where(c.id > after)
    found = await connection.execute(query.order_by(c.id).limit(most))
    looked_at = found.scalars().all()
    gone = await _over(connection, looked_at, before) if looked_at else []
    if gone:
        await _delete(connection, gone)
    return Walked(looked_at[-1] if len(looked_at) == most else None, len(gone))


async def _over(
    connection: AsyncConnection, ids: Sequence[UUID], before: datetime
) -> Sequence[RowMapping]:
    """Lock those of some messages of which nothing more becomes, and to which nothing happened since."""
    c = messages.c
    recent = exists().where(
        events.c.message_id == c.id,
        or_(events.c.position.is_(None), events.c.id >= earliest(before)),
    )
    conditions = [
        c.id.in_(ids),
        c.status.in_(_FINAL),
        c.due_at.is_(None),
        c.status_at < before,
        ~recent,
    ]
    doubtful = await _first_doubtful_text(connection)
    if doubtful is not None:
        # What is known to have been sent about then tells which lines of a report are none of it.
        conditions.append(or_(c.channel != Channel.SMS.value, c.status_at < made_at(doubtful)))
    found = await connection.execute(
        select(c.id, c.batch_id)
        .where(*conditions)
        .order_by(c.id)
        # What somebody is at work on is left for the next round.
        .with_for_update(skip_locked=True)
    )
    return found.mappings().all()


async def _first_doubtful_text(connection: AsyncConnection) -> UUID | None:
    """Return the first text message of which nobody knows whether it was sent."""
    c = messages.c
    found = await connection.execute(
        select(c.id).where(UNCERTAIN, c.channel == Channel.SMS.value).order_by(c.id).limit(1)
    )
    return found.scalar_one_or_none()


async def _delete(connection: AsyncConnection, rows: Sequence[RowMapping]) -> None:
    ids = [row["id"] for row in rows]
    tried = await connection.execute(
        delete(attempts)
        .where(attempts.c.message_id.in_(ids))
        .returning(attempts.c.id, attempts.c.reference, attempts.c.provider_message_id)
    )
    calls = tried.all()
    called = [row.id for row in calls]
    await connection.execute(delete(grants).where(grants.c.attempt_id.in_(called)))
    a = acknowledgements.c
    names = {name for row in calls for name in (row.reference, row.provider_message_id) if name}
    await connection.execute(
        delete(acknowledgements).where(a.reference.in_(names), a.attempt_id.in_(called))
    )
    await connection.execute(delete(recipients).where(recipients.c.message_id.in_(ids)))
    await _delete_events(connection, events.c.message_id.in_(ids))
    await connection.execute(delete(messages).where(messages.c.id.in_(ids)))
    batched = {row["batch_id"] for row in rows} - {None}
    if batched:
        b = batches.c
        rest = exists().where(messages.c.batch_id == b.id)
        await connection.execute(delete(batches).where(b.id.in_(batched), ~rest))


async def _delete_events(connection: AsyncConnection, which: ColumnElement[bool]) -> int:
    """Delete events with their deliveries, and keep in their feeds up to where some are gone."""
    e, f, d = events.c, feeds.c, webhook_deliveries.c
    found = await connection.execute(
        delete(events).where(which).returning(e.id, e.client_id, e.mode, e.position)
    )
    gone = found.all()
    await connection.execute(
        delete(webhook_deliveries).where(d.event_id.in_([row.id for row in gone]))
    )
    last: dict[Feed, int] = defaultdict(int)
    for row in gone:
        feed = (row.client_id, row.mode)
        last[feed] = max(last[feed], row.position or 0)
    # Always in the same order, and at the end: whoever publishes holds the row too.
    for (client_id, mode), position in sorted(last.items()):
        await connection.execute(
            update(feeds)
            .where(f.client_id == client_id, f.mode == mode, f.forgotten < position)
            .values(forgotten=position)
        )
    return len(gone)


async def delete_besides(connection: AsyncConnection, before: datetime, most: int) -> None:
    """Delete what is old and of no message: events of endpoints, deleted endpoints, counts of days."""
    e, w, d = events.c, webhook_endpoints.c, webhook_deliveries.c
    few = (
        select(e.id)
        .where(e.message_id.is_(None), e.position.is_not(None), e.id < earliest(before))
        .limit(most)
    )
    old = (await connection.execute(few)).scalars().all()
    if old:
        await _delete_events(connection, e.id.in_(old))
    waits = exists().where(d.endpoint_id == w.id)
    await connection.execute(delete(webhook_endpoints).where(w.deleted_at < before, ~waits))
    await connection.execute(delete(daily_usage).where(daily_usage.c.day < before.date()))


async def files_of_standing(
    connection: AsyncConnection, before: datetime, most: int
) -> set[str] | None:
    """Return the digests of all files of messages from before a moment; None: there are too many."""
    c = messages.c
    found = await connection.execute(
        select(c.content)
        .where(c.id < earliest(before), c.content.contains('"sha256"', autoescape=True))
        .limit(most + 1)
    )
    contents = found.scalars().all()
    if len(contents) > most:
        return None
    return {digest for text in contents for digest in _DIGEST.findall(text)}


async def delete_files(
    connection: AsyncConnection,
    before: datetime,
    standing: Collection[str],
    *,
    now: datetime,
    most: int,
) -> tuple[int, bool]:
    """Delete bytes that nothing was taken in with since a moment, but those of `standing`.

    Returns how many are gone, and whether there may be more.
    """
    c = blobs.c
    found = await connection.execute(
        select(c.sha256)
        .where(c.used_at < before)
        .order_by(c.used_at)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    old = found.scalars().all()
    used = set(standing).intersection(old)
    for table in (documents, reports):
        named = await connection.execute(select(table.c.sha256).where(table.c.sha256.in_(old)))
        used |= set(named.scalars())
    # Looked at again when it is as old once more.
    await connection.execute(update(blobs).where(c.sha256.in_(used)).values(used_at=now))
    gone = set(old) - used
    await connection.execute(delete(blobs).where(c.sha256.in_(gone)))
    return len(gone), len(old) == most
