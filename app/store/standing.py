"""Messages and recipients that stand on a code that nobody has said the meaning of."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, RowMapping, and_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.tables import events, messages, recipients

MOST_CODES: Final = 1000  # of one function, that are taken up at once

Key = tuple[str, str, str]  # provider, function, code


def on_code(provider: Any, function: Any, code: Any) -> ColumnElement[bool]:  # noqa: ANN401
    """Return the condition for messages that stand on a code; values or columns."""
    c = messages.c
    # `is_not`: the words of the partial index.
    return and_(
        c.provider == provider,
        c.unmapped_code == code,
        c.unmapped_function == function,
        c.unmapped_code.is_not(None),
    )


def recipients_on_code(provider: Any, function: Any, code: Any) -> ColumnElement[bool]:  # noqa: ANN401
    """Return the same for recipients, joined with their messages."""
    c = recipients.c
    return and_(
        messages.c.provider == provider,
        c.unmapped_code == code,
        c.unmapped_function == function,
        c.unmapped_code.is_not(None),
    )


async def codes_of(connection: AsyncConnection, provider: str, function: str) -> list[str]:
    """Return the codes of a function that messages or recipients stand on."""
    c, r = messages.c, recipients.c
    own = (
        select(c.unmapped_code)
        .where(
            c.provider == provider, c.unmapped_function == function, c.unmapped_code.is_not(None)
        )
        .distinct()
        .limit(MOST_CODES)
    )
    several = (
        select(r.unmapped_code)
        .join(messages, c.id == r.message_id)
        .where(
            c.provider == provider, r.unmapped_function == function, r.unmapped_code.is_not(None)
        )
        .distinct()
        .limit(MOST_CODES)
    )
    found = {*(await connection.execute(own)).scalars()}
    return sorted(found | {*(await connection.execute(several)).scalars()})


async def take(connection: AsyncConnection, key: Key, limit: int) -> Sequence[RowMapping]:
    """Lock messages that stand on a code, oldest first; those in another's hands are passed over."""
    found = await connection.execute(
        select(messages)
        .where(on_code(*key))
        .order_by(messages.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return found.mappings().all()


async def take_shared(connection: AsyncConnection, key: Key, limit: int) -> Sequence[RowMapping]:
    """Lock messages of which some recipient stands on a code, in the same way."""
    which = (
        select(recipients.c.message_id)
        .join(messages, messages.c.id == recipients.c.message_id)
        .where(recipients_on_code(*key))
        .correlate(None)
    )
    found = await connection.execute(
        select(messages)
        .where(messages.c.id.in_(which))
        .order_by(messages.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return found.mappings().all()


async def news_of(
    connection: AsyncConnection, message_ids: Sequence[UUID], code: str
) -> Mapping[UUID, RowMapping]:
    """Return, by message, the last event that brought a code."""
    c = events.c
    found = await connection.execute(
        select(c.id, c.message_id, c.provider_time)
        .where(c.message_id.in_(message_ids), c.provider_code == code)
        .order_by(c.sequence)
    )
    return {row["message_id"]: row for row in found.mappings()}
