"""Write down with one statement that providers took messages, as they do nearly always.

What it writes is what `messages.move` and `attempts.close` write, one after the other, for whatever
came of a call. It writes only where the fence and the status stand, and the channel is in order:
what it leaves out goes that way. On PostgreSQL; SQLite's statements cost no round trips.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from operator import attrgetter
from typing import Final, NamedTuple
from uuid import UUID

from app.domain.identifiers import Identifiers
from app.store.arrays import Kind, kind_of
from app.store.channels import OUT_OF_ORDER, Name
from app.store.database import Database
from app.store.tables import attempts, events, messages


class Taken(NamedTuple):
    """A message that its provider took."""

    message_id: UUID
    fence: int
    attempt_id: UUID
    reference: str  # of the attempt
    function: str  # of the provider, that was called
    provider_id: str | None
    code: str | None
    words: str | None
    due_at: datetime | None  # when its status is asked first


_NAMES: Final = (*Taken._fields, "event_id")
_WRITTEN: Final = f"""
WITH new AS (
    SELECT * FROM unnest(
        $1::uuid[], $2::int4[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[],
        $8::text[], $9::timestamptz[], $10::uuid[]) AS new ({", ".join(_NAMES)})
), moved AS (
    UPDATE messages SET
        status = 'submitted', previous_status = 'submitting', status_at = $11::timestamptz,
        status_source = 'provider_response', failure = NULL, sequence = messages.sequence + 1,
        lease_until = NULL, due_at = new.due_at, blocked_reason = NULL, submitted_at = $11,
        attempt_reference = new.reference, provider_function = new.function,
        provider_message_id = new.provider_id,
        provider_code = coalesce(new.code, provider_code),
        provider_label =
            CASE WHEN new.code IS NULL THEN provider_label ELSE nullif(new.words, '') END,
        unmapped_code = CASE WHEN new.code IS NULL THEN unmapped_code END,
        unmapped_function = CASE WHEN new.code IS NULL THEN unmapped_function END
    FROM new
    -- In another collation than the index of all that are under way: it would be walked through
    -- for each of them.
    WHERE messages.id = new.message_id AND messages.fence = new.fence
        AND messages.status COLLATE "C" = 'submitting'
        AND NOT EXISTS (
            SELECT FROM channels
            WHERE provider = ANY($12::text[]) AND channel = ANY($13::text[]) AND {OUT_OF_ORDER})
    RETURNING messages.client_id, messages.mode, messages.sequence, new.*
), ended AS (
    UPDATE attempts SET
        ended_at = $11, outcome = 'accepted', provider_message_id = moved.provider_id,
        code = moved.code, words = moved.words, why = NULL, raw = NULL
    FROM moved WHERE attempts.id = moved.attempt_id AND ended_at IS NULL
), told AS (
    INSERT INTO events (
        id, client_id, mode, message_id, sequence, type, previous_status, status, at, source,
        provider_code, provider_label, applied)
    SELECT
        event_id, client_id, mode, message_id, sequence, 'message.submitted', 'submitting',
        'submitted', $11, 'provider_response', code, words, true
    FROM moved
)
SELECT message_id FROM new EXCEPT SELECT message_id FROM moved
"""  # noqa: S608 -- our own names


@cache
def _kinds() -> tuple[Kind, ...]:
    """Return how the arrays are written, in the order of their names."""
    c = messages.c
    return tuple(
        map(
            kind_of,
            (
                *(c.id, c.fence, attempts.c.id, attempts.c.reference, c.provider_function),
                *(c.provider_message_id, c.provider_code, c.provider_label, c.due_at, events.c.id),
            ),
        )
    )


async def write(
    database: Database, ids: Identifiers, taken: Sequence[Taken], channels: set[Name], now: datetime
) -> set[UUID]:
    """Commit what providers took, on some of their channels; return the messages left out.

    Their rows are locked in the order of their ids, as whoever locks many does. PostgreSQL's.
    """
    rows = sorted(taken, key=attrgetter("message_id.int"))
    columns = [*zip(*rows, strict=True), ids.many(len(rows))]
    given = [kind.content(column) for kind, column in zip(_kinds(), columns, strict=True)]
    text, time = kind_of(messages.c.channel), kind_of(messages.c.due_at)
    given += [time.value(now), *(text.content(list(one)) for one in zip(*channels, strict=True))]
    return {one for (one,) in await database.at_once(_WRITTEN, given)}
