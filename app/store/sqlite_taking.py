"""Take plain messages in on SQLite: what `taking` does, in one turn of a thread."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any, Final
from uuid import UUID

from app.domain.status import Status
from app.store import counters
from app.store.database import CommitUnknown, Database
from app.store.many import tuples_of
from app.store.news import New
from app.store.sqlite import Step
from app.store.tables import messages

MOST: Final = 64  # rows of a statement, and a power of two: each number is a statement of its own

_OWN: Final = New._fields[:-2]  # columns of `messages`
_KEYS: Final = (
    (
        "idempotency_keys"
        " (key, client_id, mode, fingerprint, object_id, created_at, status, location, body)"
    ),
    "?, ?, ?, ?, ?, ?, 202, '', ''",
)
_MESSAGES: Final = (
    (
        f"messages ({', '.join(_OWN)}, status, status_at, due_at,"
        " status_source, sequence, fence, attempts, checks)"
    ),
    f"{'?, ' * len(_OWN)}?, ?, ?, 'client', 1, 0, 0, 0",
)
_EVENTS: Final = (
    "events (id, client_id, mode, message_id, type, status, at, sequence, source, applied)",
    "?, ?, ?, ?, ?, ?, ?, 1, 'client', 1",
)
_COUNTERS: Final = ("counters (name, value)", "?, ?", counters.ADDED)


async def take(
    database: Database,
    news: Sequence[New],
    event_ids: Sequence[UUID],
    counts: Sequence[Mapping[str, Any]],
) -> None:
    """Commit new messages with their keys and first events; raises what a transaction raises."""
    assert database.lane is not None
    fault = await database.lane.write(_steps(news, event_ids, counts))
    if fault is not None:
        raise CommitUnknown(type(fault).__name__) from fault


def _steps(
    news: Sequence[New], event_ids: Sequence[UUID], counts: Sequence[Mapping[str, Any]]
) -> list[Step]:
    *own, names, prints = zip(*news, strict=True)
    rows = tuples_of(messages, _OWN, own)
    keys, kept, events = [], [], []
    for row, event_id, name, digest in zip(rows, event_ids, names, prints, strict=True):
        message_id, client_id, mode, _, _, created_at, send_at, *_ = row
        waits = send_at is not None and send_at > created_at
        status = (Status.SCHEDULED if waits else Status.QUEUED).value
        kept.append((*row, status, created_at, send_at if waits else created_at))
        events.append(
            (event_id.hex, client_id, mode, message_id, f"message.{status}", status, created_at)
        )
        if name is not None:
            keys.append((name, client_id, mode, digest, message_id, created_at))
    changes = [(one["name"], one["value"]) for one in counts]
    steps = [*_inserts(_KEYS, keys), *_inserts(_MESSAGES, kept), *_inserts(_EVENTS, events)]
    return [*steps, *_inserts(_COUNTERS, changes)]


def _inserts(form: tuple[str, ...], rows: Sequence[tuple[Any, ...]]) -> list[Step]:
    """Return statements of as many rows as possible."""
    steps: list[Step] = []
    place = 0
    while left := len(rows) - place:
        count = min(MOST, 1 << (left.bit_length() - 1))
        some = rows[place : place + count]
        steps.append((_insert(*form, count=count), tuple(chain.from_iterable(some))))
        place += count
    return steps


@lru_cache(maxsize=64)
def _insert(into: str, values: str, end: str = "", *, count: int) -> str:
    return f"INSERT INTO {into} VALUES {', '.join([f'({values})'] * count)} {end}"  # noqa: S608
