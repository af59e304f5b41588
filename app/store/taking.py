"""Take plain messages in with one round trip: keys, messages, their first events and the counters.

What is written is what `idempotency`, `messages` and `counters` write, one after the other, for
whatever is not plain. Round trips, and SQLAlchemy's care of each, are most of what a small commit
costs: here it is one statement on PostgreSQL, and one turn of the file's thread on SQLite.
"""

from collections.abc import Sequence
from functools import cache
from typing import Final

from sqlalchemy.exc import IntegrityError

from app.domain.identifiers import Identifiers
from app.store import counters, sqlite_taking
from app.store.arrays import Kind, kind_of
from app.store.database import Database
from app.store.news import New
from app.store.tables import counters as counted
from app.store.tables import events, idempotency_keys, messages

__all__ = ["New"]  # besides what stands here

_OWN: Final = New._fields[:-2]  # columns of `messages`
_WAITS: Final = "send_at > created_at"  # unknown, and so false, where it is to leave at once
_STATUS: Final = f"CASE WHEN {_WAITS} THEN 'scheduled' ELSE 'queued' END"


async def take(database: Database, ids: Identifiers, news: Sequence[New]) -> bool:
    """Commit new messages with the keys they came with; False: a key is taken, nothing was written.

    A key that another transaction holds open is waited for. Raises what a transaction raises.
    """
    # Always in the same order, or two commits with the same keys could wait for each other.
    news = sorted(news, key=lambda one: (one.key or "", one.client_id, one.mode))
    counts = counters.in_order(counters.of_news(news))  # locked last, as everywhere
    try:
        if database.is_sqlite:
            await sqlite_taking.take(database, news, ids.many(len(news)), counts)
        else:
            columns = [*zip(*news, strict=True), ids.many(len(news))]
            columns += zip(*[(one["name"], one["value"]) for one in counts], strict=True)
            values = [kind.content(one) for kind, one in zip(_kinds(), columns, strict=True)]
            await database.at_once(_statement(), values)
    except IntegrityError:
        return False
    return True


@cache
def _kinds() -> tuple[Kind, ...]:
    """Return how the statement's parameters are written."""
    own = [messages.c[name] for name in _OWN]
    keys = [idempotency_keys.c.key, idempotency_keys.c.fingerprint]
    return tuple(map(kind_of, (*own, *keys, events.c.id, counted.c.name, counted.c.value)))


@cache
def _statement() -> str:
    """Return PostgreSQL's one statement: what comes later waits for what comes before it."""
    names = (*New._fields, "event_id", "counter", "change")
    arrays = {
        name: f"unnest(${place}::{kind.name}) AS {name}"
        for place, (name, kind) in enumerate(zip(names, _kinds(), strict=True), 1)
    }

    def given(*columns: str) -> str:
        # Each table from its own arrays: what all share would be written down first, and each row
        # read three times. OFFSET keeps PostgreSQL from moving the conditions in: dearer.
        return f"(SELECT {', '.join(arrays[one] for one in columns)} OFFSET 0) AS new"

    own = ", ".join(_OWN)
    return f"""
WITH taken AS (
  INSERT INTO idempotency_keys
    (key, client_id, mode, fingerprint, object_id, status, location, body, created_at)
  SELECT key, client_id, mode, fingerprint, id, 202, '', '', created_at
  FROM {given("key", "client_id", "mode", "fingerprint", "id", "created_at")}
  WHERE key IS NOT NULL
  RETURNING 1
), kept AS (
  INSERT INTO messages ({own}, status, status_at, status_source, due_at,
    sequence, fence, attempts, checks)
  SELECT {own}, {_STATUS}, created_at, 'client', greatest(send_at, created_at), 1, 0, 0, 0
  FROM {given(*_OWN)} WHERE (SELECT count(*) FROM taken) >= 0
  RETURNING 1
), told AS (
  INSERT INTO events
    (id, client_id, mode, message_id, sequence, type, status, at, source, applied)
  SELECT event_id, client_id, mode, id, 1, 'message.' || {_STATUS}, {_STATUS}, created_at,
    'client', true
  FROM {given("event_id", "client_id", "mode", "id", "created_at", "send_at")}
  WHERE (SELECT count(*) FROM kept) >= 0
  RETURNING 1
)
INSERT INTO counters (name, value)
SELECT counter, change FROM {given("counter", "change")} WHERE (SELECT count(*) FROM told) >= 0
{counters.ADDED}
"""  # noqa: S608
