"""Apply plain acknowledgements with two round trips: what they name is read, then all is written.

Nothing is locked in between. The statement that writes takes a message only where it stands as it
was read; what it does not take goes the general way, which locks. What it writes is what
`messages.move` and `acknowledgements.keep` write. PostgreSQL's alone: a file has one writer.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from app.store.arrays import kind_of
from app.store.attempts import Named
from app.store.database import Database
from app.store.tables import acknowledgements, attempts, events, messages

# What a message and its attempt stand at, and what is acknowledged goes by.
_MESSAGE: Final = ("id", "channel", "status", "fence", "sequence", "attempts", "content", "units")
_ATTEMPT: Final = ("id", "number", "reference", "provider", "provider_message_id", "ended_at")
_NAMES: Final = kind_of(attempts.c.reference)
_STANDING: Final = f"""
SELECT {", ".join([*(f"messages.{one}" for one in _MESSAGE), *(f"attempts.{one}" for one in _ATTEMPT)])}
FROM attempts JOIN messages ON messages.id = attempts.message_id
WHERE (attempts.reference = ANY($1::{_NAMES.name})
    OR attempts.provider_message_id = ANY($1::{_NAMES.name}))
  AND attempts.provider = $2::text
"""  # noqa: S608 -- our own names


class Heard(NamedTuple):
    """A plain acknowledgement: where its message was read to stand, and what is written of it."""

    message_id: UUID
    fence: int
    sequence: int
    attempt_id: UUID
    event_id: UUID
    kept_id: UUID  # of the acknowledgement's own row
    fingerprint: str
    reference: str
    code: str
    number: str
    pages: int | None  # that were sent
    provider_time: str | None
    status: str  # that the message gets
    label: str | None
    failure: dict[str, Any] | None


_KINDS: Final = tuple(
    kind_of(column)
    for column in (
        *(messages.c.id, messages.c.fence, messages.c.sequence),
        *(attempts.c.id, events.c.id, acknowledgements.c.id),
        *(acknowledgements.c[name] for name in Heard._fields[6:12]),
        *(messages.c.status, messages.c.provider_label, messages.c.failure),
    )
)
_GIVEN: Final = ", ".join(f"${place}::{kind.name}" for place, kind in enumerate(_KINDS, 3))
# Messages are locked before acknowledgements are written, each in the order of who else does it.
_APPLY: Final = f"""
WITH heard AS (
  SELECT $1::text::timestamptz AS at, $2::text AS provider, one.*
  FROM unnest({_GIVEN}) AS one({", ".join(Heard._fields)})
), moved AS (
  UPDATE messages SET status = heard.status, previous_status = messages.status,
    status_at = heard.at, status_source = 'acknowledgement', status_checked_at = heard.at,
    failure = heard.failure, sequence = messages.sequence + 1, due_at = NULL,
    ack_overdue_at = NULL, blocked_reason = NULL, pages_sent = heard.pages,
    provider_code = heard.code, provider_label = heard.label,
    unmapped_code = NULL, unmapped_function = NULL
  FROM heard
  WHERE messages.id = heard.message_id AND messages.status = 'submitted'
    AND messages.sequence = heard.sequence AND messages.fence = heard.fence
  RETURNING messages.id, messages.client_id, messages.mode
), kept AS (
  INSERT INTO acknowledgements (id, fingerprint, provider, reference, code, number, pages,
    provider_time, received_at, times, attempt_id, applied_at)
  SELECT kept_id, fingerprint, provider, reference, code, number, pages,
    provider_time, at, 1, attempt_id, at
  FROM heard JOIN moved ON moved.id = heard.message_id ORDER BY fingerprint
), told AS (
  INSERT INTO events (id, client_id, mode, message_id, sequence, type, previous_status, status,
    at, source, provider_code, provider_label, provider_time, applied, failure)
  SELECT event_id, client_id, mode, message_id, sequence + 1, 'message.' || status, 'submitted',
    status, at, 'acknowledgement', code, label, provider_time, true, failure
  FROM heard JOIN moved ON moved.id = heard.message_id
)
SELECT id FROM moved
"""  # noqa: S608 -- our own names


async def standing(
    database: Database, provider: str, references: Collection[str]
) -> dict[str, Named]:
    """Return the attempts that a provider names by references, and where their messages stand.

    What several attempts have for a name is not among them. Nothing is locked.
    """
    names = _NAMES.content(list(references))
    found: dict[str, Named] = {}
    twice = set()
    for row in await database.at_once(_STANDING, [names, provider.encode()]):
        message = dict(zip(_MESSAGE, row, strict=False))
        attempt = dict(zip(_ATTEMPT, row[len(_MESSAGE) :], strict=True))
        for name in {attempt["reference"], attempt["provider_message_id"]}:
            if name in found:
                twice.add(name)
            found[name] = Named(message, attempt)
    return {name: found[name] for name in references if name in found and name not in twice}


async def apply(
    database: Database, provider: str, heard: Sequence[Heard], at: datetime
) -> set[UUID]:
    """Commit what is acknowledged of different messages; return the messages that were moved.

    The others stand elsewhere by now; where one acknowledgement is known already, nothing is
    written at all. Raises what a transaction raises.
    """
    columns = zip(*sorted(heard), strict=True)
    values = [kind.content(one) for kind, one in zip(_KINDS, columns, strict=True)]
    try:
        moved = await database.at_once(
            _APPLY, [at.isoformat().encode(), provider.encode(), *values]
        )
    except IntegrityError:
        return set()
    return {one for (one,) in moved}
