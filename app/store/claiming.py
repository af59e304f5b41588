"""Claim with one statement what is plain, as nearly all is: each message by itself, and no slots.

What it writes is what `queue.claim` writes, statement after statement, for whatever is due. It
takes nothing where that would do something else besides: for a campaign, for a provider that it is
not given as plain, for a channel that is out of order. On PostgreSQL, where round trips cost most:
and a process that stands still between two would have everybody wait for the counters.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.identifiers import Identifiers
from app.domain.message import Channel
from app.domain.status import Status
from app.store.arrays import Kind, kind_of
from app.store.channels import OUT_OF_ORDER
from app.store.counters import ADDED, BYTES, CLIENT, LEFT, MESSAGES
from app.store.database import Database
from app.store.incarnation import SHUT
from app.store.queue import Claim
from app.store.tables import attempts, counters, messages

_READ: Final = (
    *("id", "client_id", "mode", "provider", "billing_code", "content", "size"),
    *("previous_status", "fence", "sequence", "attempts"),
)
_STATUS: Final = Status.SUBMITTING.value
_NAMES: Final = ("channel", "campaign_id", "status", *_READ)
_CLAIMED: Final = f"""
WITH due AS (
    SELECT id, provider, campaign_id FROM messages
    WHERE status IN ('queued', 'scheduled') AND channel = $1::text AND due_at <= $2::timestamptz
        AND (expires_at IS NULL OR expires_at > $2) AND provider = ANY($3::text[]) AND NOT {SHUT}
        AND NOT EXISTS (
            SELECT FROM channels WHERE channel = $1 AND provider = ANY($3) AND {OUT_OF_ORDER})
    ORDER BY due_at LIMIT $4::int8 FOR UPDATE SKIP LOCKED
), taken AS (
    UPDATE messages SET
        status = 'submitting', previous_status = status, status_at = $2, status_source = 'worker',
        fence = fence + 1, attempts = attempts + 1, sequence = sequence + 1,
        lease_until = $5::timestamptz, due_at = NULL, blocked_reason = NULL
    -- An array: a join might read all messages by their index, for as many as it expects.
    WHERE id = ANY(ARRAY(SELECT id FROM due)) AND NOT EXISTS (
        SELECT FROM due WHERE campaign_id IS NOT NULL OR provider <> ALL($6::text[]))
    RETURNING {", ".join(_READ)}
), new AS (
    SELECT * FROM unnest($7::uuid[], $8::uuid[], $9::text[])
    WITH ORDINALITY AS new (attempt_id, event_id, reference, place)
), claimed AS (
    SELECT * FROM (SELECT row_number() OVER (ORDER BY id) AS place, * FROM taken) AS numbered
    JOIN new USING (place)
), tried AS (
    INSERT INTO attempts (id, message_id, number, reference, provider, fence, started_at)
    SELECT attempt_id, id, attempts, reference, provider, fence, $2 FROM claimed
    RETURNING 1
), told AS (
    INSERT INTO events (
        id, client_id, mode, message_id, sequence, type, previous_status, status, at, source,
        applied, detail)
    SELECT
        event_id, client_id, mode, id, sequence, 'message.submitting', previous_status,
        'submitting', $2, 'worker', true,
        format('{{"attempt": %s, "attempt_reference": "%s"}}', attempts, reference)::json
    FROM claimed
    RETURNING 1
), counted AS (
    -- Last, and in the order of their names, as everywhere.
    INSERT INTO counters (name, value)
    SELECT name, value FROM (
        SELECT client_id, count(*) AS messages, coalesce(sum(size), 0)::int8 AS bytes
        FROM claimed GROUP BY ROLLUP (client_id)
    ) AS sums CROSS JOIN LATERAL (
        VALUES ('{CLIENT}' || client_id, client_id IS NOT NULL, -messages),
            ('{MESSAGES}' || $1, client_id IS NULL, -messages),
            ('{BYTES}' || $1, client_id IS NULL, -bytes), ('{LEFT}', client_id IS NULL, messages)
    ) AS change (name, is_meant, value)
    WHERE is_meant AND value <> 0
        AND (SELECT count(*) FROM tried) + (SELECT count(*) FROM told) >= 0
    ORDER BY name COLLATE "C" {ADDED}
)
SELECT {", ".join(_READ)}, reference, attempt_id FROM claimed ORDER BY place
"""  # noqa: S608 -- our own names


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    """What may be claimed so."""

    channel: Channel
    of: Collection[str]  # the providers whose messages are looked at
    plain: Collection[str]  # of those, whose messages may be taken


@cache
def _kinds() -> tuple[Kind, ...]:
    """Return how a text, a time, a number and an identifier are written."""
    c = messages.c
    return kind_of(c.channel), kind_of(c.due_at), kind_of(counters.c.value), kind_of(c.id)


async def claim(
    database: Database,
    ids: Identifiers,
    wanted: Plain,
    attempt_ids: Sequence[UUID],
    *,
    now: datetime,
    lease: timedelta,
) -> list[Claim]:
    """Commit that due messages of a channel are taken, each with one of the new attempts.

    Nothing where one that is due is not plain, or a channel is out of order: what then is to be
    done, `queue.claim` does. Where CommitUnknown is raised, `standing` tells. PostgreSQL's.
    """
    text, time, number, uuid = _kinds()
    channel, many = wanted.channel.value, len(attempt_ids)
    given = [
        text.value(channel),
        time.value(now),
        text.content(list(wanted.of)),
        number.value(many),
        time.value(now + lease),
        text.content(list(wanted.plain)),
        uuid.content(attempt_ids),
        uuid.content(ids.many(many)),
        text.content(ids.references(many)),
    ]
    return [_claim(channel, row) for row in await database.at_once(_CLAIMED, given)]


async def standing(
    connection: AsyncConnection, channel: Channel, attempt_ids: Sequence[UUID]
) -> list[Claim]:
    """Return the claims that were committed of those that such attempts were made for."""
    m, a = messages.c, attempts.c
    found = await connection.execute(
        select(*(m[name] for name in _READ), a.reference, a.id)
        .join_from(attempts, messages, m.id == a.message_id)
        .where(a.id.in_(attempt_ids), a.ended_at.is_(None), a.fence == m.fence)
    )
    return [_claim(channel.value, row) for row in found]


def _claim(channel: str, row: Sequence[Any]) -> Claim:
    *read, reference, attempt_id = row
    return Claim(
        dict(zip(_NAMES, (channel, None, _STATUS, *read), strict=True)), attempt_id, reference
    )
