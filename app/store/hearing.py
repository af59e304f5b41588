"""Apply plain acknowledgements with one round trip: looked up, weighed and written together.

Whoever calls says what an acknowledgement would come to if its fax stood as nearly all of them do,
and the statement takes those whose fax does. What it does not take goes the general way, which
locks. What it writes is what `messages.move` and `acknowledgements.keep` write. PostgreSQL's alone:
a file has one writer.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from app.store.arrays import kind_of
from app.store.database import Database
from app.store.tables import acknowledgements, events, messages


class Heard(NamedTuple):
    """An acknowledgement, and what is written where its fax stands as nearly all do."""

    event_id: UUID
    kept_id: UUID  # of the acknowledgement's own row
    fingerprint: str
    reference: str
    code: str
    number: str
    pages: int | None  # that were sent
    provider_time: str | None
    status: str  # that the message gets; a delivered one has no more pages than were sent
    label: str | None
    failure: dict[str, Any] | None
    ending: str  # of the number that the fax went to
    again: str | None  # a reason for which a fax may be sent once more: this one must not


_KINDS: Final = tuple(
    kind_of(column)
    for column in (
        *(events.c.id, acknowledgements.c.id),
        *(acknowledgements.c[name] for name in Heard._fields[2:8]),
        *(messages.c.status, messages.c.provider_label, messages.c.failure),
        *(acknowledgements.c.number, acknowledgements.c.note),
    )
)
_GIVEN: Final = ", ".join(f"${place}::{kind.name}" for place, kind in enumerate(_KINDS, 3))
# Messages are locked before acknowledgements are written, each in the order of who else does it.
_APPLY: Final = f"""
WITH named AS (
  SELECT one.*, attempts.id AS attempt_id, attempts.message_id, attempts.number AS attempt,
    attempts.ended_at, count(*) OVER (PARTITION BY one.place) AS of_name
  FROM unnest({_GIVEN}) WITH ORDINALITY AS one({", ".join(Heard._fields)}, place)
    JOIN attempts ON (attempts.reference = one.reference
      OR attempts.provider_message_id = one.reference) AND attempts.provider = $2::text
), heard AS (
  SELECT *, count(*) OVER (PARTITION BY message_id) AS of_message FROM named WHERE of_name = 1
  ORDER BY message_id
), moved AS (
  UPDATE messages SET status = heard.status, previous_status = messages.status,
    status_at = $1::timestamptz, status_source = 'acknowledgement',
    status_checked_at = $1::timestamptz, failure = heard.failure,
    sequence = messages.sequence + 1, due_at = NULL, ack_overdue_at = NULL,
    blocked_reason = NULL, pages_sent = heard.pages, provider_code = heard.code,
    provider_label = heard.label, unmapped_code = NULL, unmapped_function = NULL
  FROM heard
  WHERE messages.id = heard.message_id AND heard.of_message = 1
    AND messages.status = 'submitted' AND messages.attempts = heard.attempt
    AND heard.ended_at IS NOT NULL AND messages.channel = 'fax'
    AND right(messages.content::json ->> 'to', length(heard.ending)) = heard.ending
    AND (heard.status <> 'delivered' OR heard.pages IS NULL OR messages.units IS NULL
      OR heard.pages >= messages.units)
    AND (heard.again IS NULL OR NOT messages.content::jsonb -> 'retry_on' ? heard.again)
  RETURNING messages.id, messages.client_id, messages.mode, messages.sequence, heard.place,
    heard.event_id, heard.kept_id, heard.fingerprint, heard.reference, heard.code, heard.number, heard.pages,
    heard.provider_time, heard.status, heard.label, heard.failure, heard.attempt_id
), kept AS (
  INSERT INTO acknowledgements (id, fingerprint, provider, reference, code, number, pages,
    provider_time, received_at, times, attempt_id, applied_at)
  SELECT kept_id, fingerprint, $2::text, reference, code, number, pages,
    provider_time, $1::timestamptz, 1, attempt_id, $1::timestamptz
  FROM moved ORDER BY fingerprint
), told AS (
  INSERT INTO events (id, client_id, mode, message_id, sequence, type, previous_status, status,
    at, source, provider_code, provider_label, provider_time, applied, failure)
  SELECT event_id, client_id, mode, id, sequence, 'message.' || status, 'submitted',
    status, $1::timestamptz, 'acknowledgement', code, label, provider_time, true, failure
  FROM moved
)
SELECT place, id FROM moved
"""  # noqa: S608 -- our own names
_AT: Final = kind_of(messages.c.status_at)


async def apply(
    database: Database, provider: str, heard: Sequence[Heard], at: datetime
) -> list[UUID | None]:
    """Commit the acknowledgements whose faxes stand as was thought; return the message of each.

    None: it is left, such as where no attempt has its name or several have, or where another one
    is about the same message. Where one is known already, all are left. Raises what a transaction
    raises.
    """
    columns = zip(*heard, strict=True)
    values = [kind.content(one) for kind, one in zip(_KINDS, columns, strict=True)]
    try:
        moved = await database.at_once(_APPLY, [_AT.value(at), provider.encode(), *values])
    except IntegrityError:
        moved = ()
    found: list[UUID | None] = [None] * len(heard)
    for place, message_id in moved:
        found[place - 1] = message_id
    return found
