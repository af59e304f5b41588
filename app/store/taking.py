"""Take plain messages in with one round trip: keys, messages, their first events and the counters.

What is written is what `idempotency`, `messages` and `counters` write, one after the other, for
whatever is not plain. Round trips, and SQLAlchemy's care of each, are most of what a small commit
costs: here it is one statement on PostgreSQL, and one turn of the file's thread on SQLite.
"""

from collections.abc import Mapping, Sequence
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
# What most messages have not. Where none of a round has any of it, it is said once, in SQL: seven
# columns fewer to write, to read, and to make rows of.
_SELDOM: Final[Mapping[str, tuple[object, str]]] = {
    "send_at": (None, "NULL::timestamptz"),
    "expires_at": (None, "NULL::timestamptz"),
    "billing_code": (None, "NULL::text"),
    "tags": ([], "'[]'::json"),
    "metadata": ({}, "'{}'::json"),
    "warnings": ([], "'[]'::json"),
    "on_uncertain": (None, "NULL::text"),
}
_NAMES: Final = (*New._fields, "event_id", "counter", "change")  # of the statement's columns


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
            rows = [*zip(*news, strict=True), ids.many(len(news))]
            rows += zip(*[one.values() for one in counts], strict=True)
            columns = dict(zip(_NAMES, rows, strict=True))
            is_short = all(
                columns[name].count(nothing) == len(news) for name, (nothing, _) in _SELDOM.items()
            )
            values = [kind.content(columns[name]) for name, kind in _written(is_short=is_short)]
            await database.at_once(_statement(is_short=is_short), values)
    except IntegrityError:
        return False
    return True


@cache
def _written(*, is_short: bool) -> Sequence[tuple[str, Kind]]:
    """Return the columns that are the statement's parameters, and how they are written."""
    own = [messages.c[name] for name in _OWN]
    keys = [idempotency_keys.c.key, idempotency_keys.c.fingerprint]
    kinds = map(kind_of, (*own, *keys, events.c.id, counted.c.name, counted.c.value))
    all_ = zip(_NAMES, kinds, strict=True)
    return [(name, kind) for name, kind in all_ if not (is_short and name in _SELDOM)]


@cache
def _statement(*, is_short: bool) -> str:
    """Return PostgreSQL's one statement: what comes later waits for what comes before it."""
    arrays = {name: f"{text} AS {name}" for name, (_, text) in _SELDOM.items()}
    for place, (name, kind) in enumerate(_written(is_short=is_short), 1):
        arrays[name] = f"unnest(${place}::{kind.name}) AS {name}"

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
