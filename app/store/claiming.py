"""Claim with one statement what is plain, as nearly all is: each message by itself, and no slots.

What it writes is what `queue.claim` writes, statement after statement, for whatever is due. It
takes nothing where that would do something else besides: for a campaign, for a provider that it is
not given as plain, for a channel that is out of order. On PostgreSQL, where round trips cost most.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Final

from app.domain.identifiers import Identifiers
from app.domain.message import Channel
from app.domain.status import Status
from app.store.alone import Run
from app.store.arrays import Kind, kind_of
from app.store.channels import OUT_OF_ORDER
from app.store.counters import ADDED, in_order, of_claimed
from app.store.incarnation import SHUT
from app.store.queue import Claim
from app.store.tables import counters, messages

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
), told AS (
    INSERT INTO events (
        id, client_id, mode, message_id, sequence, type, previous_status, status, at, source,
        applied, detail)
    SELECT
        event_id, client_id, mode, id, sequence, 'message.submitting', previous_status,
        'submitting', $2, 'worker', true,
        format('{{"attempt": %s, "attempt_reference": "%s"}}', attempts, reference)::json
    FROM claimed
)
SELECT {", ".join(_READ)} FROM claimed ORDER BY place
"""  # noqa: S608 -- our own names
_COUNTED: Final = (
    "INSERT INTO counters (name, value) SELECT * FROM unnest($1::text[], $2::int8[])"  # noqa: S608
    f" {ADDED}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    """What may be claimed so."""

    channel: Channel
    limit: int  # more than 0
    of: Collection[str]  # the providers whose messages are looked at
    plain: Collection[str]  # of those, whose messages may be taken


@cache
def _kinds() -> tuple[Kind, ...]:
    """Return how a text, a time, an identifier and a number are written."""
    c = messages.c
    return tuple(map(kind_of, (c.channel, c.due_at, c.id, counters.c.value)))


async def claim(
    run: Run, ids: Identifiers, wanted: Plain, *, now: datetime, lease: timedelta
) -> list[Claim]:
    """Take due messages of a channel, each with a new attempt.

    Nothing where one that is due is not plain, or a channel is out of order: what then is to be
    done, `queue.claim` does. PostgreSQL's.
    """
    text, time, uuid, number = _kinds()
    channel, many = wanted.channel.value, wanted.limit
    attempt_ids, references = ids.many(many), ids.references(many)
    given = [
        text.value(channel),
        time.value(now),
        text.content(list(wanted.of)),
        number.value(many),
        time.value(now + lease),
        text.content(list(wanted.plain)),
        uuid.content(attempt_ids),
        uuid.content(ids.many(many)),
        text.content(references),
    ]
    found = await run(_CLAIMED, given)
    return [
        Claim(dict(zip(_NAMES, (channel, None, _STATUS, *row), strict=True)), attempt_id, reference)
        for row, attempt_id, reference in zip(found, attempt_ids, references, strict=False)
    ]


async def count(run: Run, claims: Sequence[Claim]) -> None:
    """Count claims among what waits no more; nothing follows but the commit, as everywhere."""
    text, _, _, number = _kinds()
    changes = in_order(of_claimed([one.row for one in claims]))
    names = text.content([one["name"] for one in changes])
    await run(_COUNTED, [names, number.content([one["value"] for one in changes])])
