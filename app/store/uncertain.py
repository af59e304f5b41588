"""Uncertain messages: taken when they are due, and what the store knows that may settle them."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    RowMapping,
    and_,
    func,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.message import Channel
from app.store.database import insert_new
from app.store.tables import attempts, grants, messages, rates

# The words of the partial indexes, as literals: a prepared plan could not use them otherwise.
UNCERTAIN: Final[ColumnElement[bool]] = literal_column("status = 'uncertain'")
_LEASED: Final[ColumnElement[bool]] = literal_column("status = 'submitting'")
_LONG_AGO: Final = datetime(2000, 1, 1, tzinfo=UTC)
# `blocked_reason` of a message that was proven not to have been sent, and waits for a person.
PROVEN: Final = "absence_proven"
_TAKEN: Final = ("accepted", "found")  # outcomes of attempts that a provider took


async def claim(
    connection: AsyncConnection,
    *,
    due_by: datetime,
    leased_until: datetime,
    limit: int,
    providers: Collection[str] | None = None,
    besides: Collection[UUID] = (),
) -> Sequence[RowMapping]:
    """Take messages that are due by a time; other workers leave them alone until another.

    `besides`: those that are taken already.
    """
    c = messages.c
    due = (
        select(c.id)
        .where(
            UNCERTAIN,
            or_(c.due_at.is_(None), c.due_at <= due_by),
            *([c.provider.in_(providers)] if providers is not None else []),
            *([c.id.not_in(besides)] if besides else []),
        )
        .order_by(c.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    taken = await connection.execute(
        update(messages)
        .where(c.id.in_(select(due.c.id)))
        .values(due_at=leased_until)
        .returning(messages)
    )
    rows: Sequence[RowMapping] = taken.mappings().all()
    return rows


async def take_turn(
    connection: AsyncConnection, name: str, now: datetime, every: timedelta
) -> datetime | None:
    """Take a turn that all workers share, one in so long a time.

    Returns None, or when there is one again.
    """
    await connection.execute(insert_new(connection, rates).values(provider=name, free_at=now))
    taken = await connection.execute(
        update(rates)
        .where(rates.c.provider == name, rates.c.free_at <= now)
        .values(free_at=now + every)
    )
    if taken.rowcount:
        return None
    found = await connection.execute(select(rates.c.free_at).where(rates.c.provider == name))
    free_at: datetime = found.scalar_one()
    return free_at


async def hurry(connection: AsyncConnection, message_id: UUID, now: datetime) -> None:
    """Have a message looked at now, if it is uncertain: there is news of it."""
    await connection.execute(
        update(messages).where(messages.c.id == message_id, UNCERTAIN).values(due_at=now)
    )


async def channels_of(
    connection: AsyncConnection, message_ids: Collection[UUID]
) -> set[tuple[str, str]]:
    """Return the providers and channels of those messages that are uncertain."""
    c = messages.c
    found = await connection.execute(
        select(c.provider, c.channel).where(c.id.in_(message_ids), UNCERTAIN).distinct()
    )
    return {(row.provider, row.channel) for row in found}


async def tries(
    connection: AsyncConnection, message_ids: Collection[UUID]
) -> Mapping[UUID, Sequence[RowMapping]]:
    """Return the attempts of messages, first to last."""
    found = await connection.execute(
        select(attempts)
        .where(attempts.c.message_id.in_(message_ids))
        .order_by(attempts.c.message_id, attempts.c.number)
    )
    by_message: dict[UUID, list[RowMapping]] = defaultdict(list)
    for row in found.mappings():
        by_message[row["message_id"]].append(row)
    return by_message


async def change(connection: AsyncConnection, attempt_id: UUID, **columns: Any) -> None:  # noqa: ANN401
    """Write what evidence says of an attempt."""
    await connection.execute(update(attempts).where(attempts.c.id == attempt_id).values(**columns))


async def revoke_unfetched(connection: AsyncConnection, attempt_id: UUID, at: datetime) -> bool:
    """Take back the right to an attempt's document; say whether nobody ever had it.

    The message is locked. The row's condition decides between a fetch and this: one comes first.
    """
    of_attempt = grants.c.attempt_id == attempt_id
    await connection.execute(
        update(grants)
        .where(of_attempt, grants.c.fetched_at.is_(None), grants.c.revoked_at.is_(None))
        .values(revoked_at=at)
    )
    found = await connection.execute(
        select(grants.c.fetched_at, grants.c.revoked_at).where(of_attempt)
    )
    rows = found.all()
    # Without a grant there is nothing to prove it by.
    return bool(rows) and all(row.fetched_at is None and row.revoked_at for row in rows)


async def count(connection: AsyncConnection, provider: str, channel: str, most: int) -> int:
    """Count the uncertain messages of a channel, `most` at most, without those proven unsent."""
    c = messages.c
    few = (
        select(c.id)
        .where(UNCERTAIN, c.channel == channel, c.provider == provider, c.blocked_reason.is_(None))
        .limit(most)
        .subquery()
    )
    return (await connection.execute(select(func.count()).select_from(few))).scalar_one()


async def taken_by_reference(
    connection: AsyncConnection, provider: str, references: Collection[str]
) -> Sequence[RowMapping]:
    """Return those of our references that a provider took: channel, and when they were handed over."""
    found = await connection.execute(
        select(messages.c.channel, attempts.c.started_at)
        .join(messages, messages.c.id == attempts.c.message_id)
        .where(
            attempts.c.reference.in_(references),
            attempts.c.provider == provider,
            attempts.c.outcome.in_(_TAKEN),
        )
    )
    return found.mappings().all()


async def texts_taken(
    connection: AsyncConnection, provider: str, provider_message_ids: Collection[str]
) -> Sequence[RowMapping]:
    """Return the text messages that a provider took, by its own ids for them."""
    found = await connection.execute(
        select(
            attempts.c.provider_message_id,
            attempts.c.started_at,
            attempts.c.ended_at,
            messages.c.content,
        )
        .join(messages, messages.c.id == attempts.c.message_id)
        .where(
            attempts.c.provider_message_id.in_(provider_message_ids),
            attempts.c.provider == provider,
            attempts.c.outcome.in_(_TAKEN),
            messages.c.channel == Channel.SMS.value,
        )
    )
    return found.mappings().all()


async def texts_in_doubt(connection: AsyncConnection, provider: str) -> Sequence[RowMapping]:
    """Return the text messages that a provider may have taken without our knowing it."""
    c = messages.c
    found: list[RowMapping] = []
    # Each has a lease: it is named because SQLite would not take its index otherwise.
    leased = and_(_LEASED, c.lease_until > _LONG_AGO)
    for which in (UNCERTAIN, leased):
        rows = await connection.execute(
            select(c.id, c.content, func.min(attempts.c.started_at).label("started_at"))
            .join(attempts, attempts.c.message_id == c.id)
            .where(which, c.channel == Channel.SMS.value, c.provider == provider)
            .group_by(c.id, c.content)
        )
        found += rows.mappings()
    return found
