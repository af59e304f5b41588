"""What became of attempts, and the rights to fetch their documents."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.change_many import change
from app.store.pick import Pick
from app.store.tables import attempts, blobs, grants, messages


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A document that a grant allows to fetch."""

    message_id: UUID
    content: bytes


@dataclass(frozen=True, slots=True)
class Named:
    """An attempt that somebody named, and its message, which is locked."""

    message: Mapping[str, Any]
    attempt: Mapping[str, Any]


# What a move of a message goes by, and what an acknowledgement of it.
_MOVED: Final = (
    *("id", "client_id", "mode", "channel", "provider", "size", "status", "fence", "sequence"),
    *("attempts", "content", "units", "due_at", "expires_at"),
)
_NAMED: Final = Pick(
    "SELECT {columns} FROM attempts JOIN messages ON messages.id = attempts.message_id"
    " WHERE (attempts.reference {any} OR attempts.provider_message_id {any})"
    " AND attempts.provider = {mark} ORDER BY messages.id",
    {name: messages.c[name] for name in _MOVED} | {"attempt_id": attempts.c.id},
    of=attempts.c.reference,
    lock="FOR UPDATE OF messages",
)
_ATTEMPT: Final = ("id", "number", "reference", "provider", "provider_message_id", "ended_at")
_AGAIN: Final = Pick(
    "SELECT {columns} FROM attempts WHERE attempts.id {any}",
    {name: attempts.c[name] for name in _ATTEMPT},
    of=attempts.c.id,
)


async def close(
    connection: AsyncConnection, outcomes: Mapping[UUID, Mapping[str, Any]], at: datetime
) -> None:
    """Write attempts' outcomes; all name the same columns. A closed attempt stays as it is."""
    rows = [{"id": key, "ended_at": at, **outcome} for key, outcome in outcomes.items()]
    await change(connection, attempts, rows, only="ended_at IS NULL")


async def keep_late(
    connection: AsyncConnection, attempt_id: UUID, outcome: Mapping[str, Any]
) -> None:
    """Keep an outcome that came after its lease was lost: evidence, and no move."""
    await connection.execute(
        update(attempts).where(attempts.c.id == attempt_id).values(late=dict(outcome))
    )


async def find(connection: AsyncConnection, attempt_id: UUID) -> RowMapping:
    """Return an attempt."""
    found = await connection.execute(select(attempts).where(attempts.c.id == attempt_id))
    return found.mappings().one()


async def of_reference(
    connection: AsyncConnection, provider: str, reference: str
) -> RowMapping | None:
    """Return the attempt that a provider names by our reference, or by its own for it."""
    found = await connection.execute(
        select(attempts)
        .where(
            attempts.c.provider == provider,
            or_(
                attempts.c.reference == reference,
                attempts.c.provider_message_id == reference,
            ),
        )
        .order_by(attempts.c.id.desc())
        .limit(1)
    )
    return found.mappings().one_or_none()


async def lock_named(
    connection: AsyncConnection, provider: str, references: Collection[str]
) -> dict[str, Named]:
    """Return the attempts that a provider names by references, ours or its own; lock their messages.

    Of several that have a name, it is the newest one's. Their messages are locked in the order of
    their ids, as whoever moves many does.
    """
    found = await _NAMED.rows(connection, references, provider)
    if not found:
        return {}
    # Read once more: an outcome may have been written while we waited for a lock.
    read = await _AGAIN.rows(connection, [row["attempt_id"] for row in found])
    fresh = {row["id"]: row for row in read}
    named = {}
    for row in sorted(found, key=itemgetter("attempt_id")):
        attempt = fresh[row["attempt_id"]]
        for name in (attempt["reference"], attempt["provider_message_id"]):
            named[name] = Named(row, attempt)
    return {name: named[name] for name in references if name in named}


async def names_of(connection: AsyncConnection, message_id: UUID) -> set[str]:
    """Return by what a provider may name the attempts of a message: our references, and its own."""
    found = await connection.execute(
        select(attempts.c.reference, attempts.c.provider_message_id).where(
            attempts.c.message_id == message_id
        )
    )
    return {name for row in found for name in row if name is not None}


async def transmitted(connection: AsyncConnection, message_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Return how many attempts of each message the provider took, or may have taken."""
    c = attempts.c
    found = await connection.execute(
        select(c.message_id, func.count())
        .where(c.message_id.in_(message_ids), c.outcome.in_(["accepted", "found", "unclear"]))
        .group_by(c.message_id)
    )
    return {row.message_id: row[1] for row in found}


def hashed(token: str) -> str:
    """Return what the store keeps of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


async def grant(connection: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rights to fetch documents."""
    await connection.execute(insert(grants), [{"fetches": 0, **row} for row in rows])


async def revoke(connection: AsyncConnection, attempt_ids: Sequence[UUID], at: datetime) -> None:
    """Take back the rights of attempts whose document nobody may fetch any more."""
    await connection.execute(
        update(grants)
        .where(grants.c.attempt_id.in_(attempt_ids), grants.c.revoked_at.is_(None))
        .values(revoked_at=at)
    )


async def revoke_all(connection: AsyncConnection, message_id: UUID, at: datetime) -> None:
    """Take back the rights to fetch a message's document, whichever attempt they are of."""
    await connection.execute(
        update(grants)
        .where(
            grants.c.attempt_id.in_(
                select(attempts.c.id).where(attempts.c.message_id == message_id)
            ),
            grants.c.revoked_at.is_(None),
        )
        .values(revoked_at=at)
    )


async def was_fetched(connection: AsyncConnection, attempt_id: UUID) -> bool:
    """Say whether an attempt's document was ever fetched."""
    found = await connection.execute(
        select(grants.c.fetched_at).where(
            grants.c.attempt_id == attempt_id, grants.c.fetched_at.is_not(None)
        )
    )
    return found.first() is not None


async def look(connection: AsyncConnection, token: str, now: datetime) -> int | None:
    """Return the size of a document that a token allows to fetch, and record nothing."""
    found = await connection.execute(
        select(blobs.c.size)
        .join(grants, grants.c.sha256 == blobs.c.sha256)
        .where(grants.c.token_hash == hashed(token), *_open(now))
    )
    return found.scalar_one_or_none()


async def fetch(connection: AsyncConnection, token: str, now: datetime) -> Served | None:
    """Record a fetch and return the document; None where the token opens nothing (any more)."""
    # The message first, then the grant: the order of whoever writes an outcome down.
    found = await connection.execute(
        select(messages.c.id)
        .join(grants, grants.c.message_id == messages.c.id)
        .where(grants.c.token_hash == hashed(token))
        .with_for_update(of=messages)
    )
    if found.first() is None:
        return None
    # The row's condition decides between a fetch and a revocation: one of them comes first.
    taken = await connection.execute(
        update(grants)
        .where(grants.c.token_hash == hashed(token), *_open(now))
        .values(fetches=grants.c.fetches + 1, fetched_at=now)
        .returning(grants.c.message_id, grants.c.sha256)
    )
    row = taken.one_or_none()
    if row is None:
        return None
    await connection.execute(
        update(messages).where(messages.c.id == row.message_id).values(document_fetched_at=now)
    )
    content = await connection.execute(select(blobs.c.content).where(blobs.c.sha256 == row.sha256))
    return Served(message_id=row.message_id, content=content.scalar_one())


def _open(now: datetime) -> tuple[Any, Any]:
    return grants.c.revoked_at.is_(None), grants.c.expires_at > now
