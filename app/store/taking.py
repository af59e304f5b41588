"""Take plain messages in with one round trip: keys, messages, their first events and the counters.

What is written is what `idempotency`, `messages` and `counters` write, one after the other, for
whatever is not plain. Round trips, and SQLAlchemy's care of each, are most of what a small commit
costs: here it is one statement on PostgreSQL, and one turn of the file's thread on SQLite.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Table
from sqlalchemy.exc import IntegrityError

from app.domain.identifiers import Identifiers
from app.store import counters, driver
from app.store.database import Database
from app.store.events import first_rows
from app.store.many import arrays, from_arrays, row_by_row, tuples
from app.store.tables import counters as counted
from app.store.tables import events, idempotency_keys, messages

Rows = Sequence[Mapping[str, Any]]
_Steps = tuple[tuple[Table, tuple[str, ...]], ...]


async def take(database: Database, ids: Identifiers, keys: Rows, rows: Rows) -> bool:
    """Commit new messages with the keys they came with; False: a key is taken, nothing was written.

    A key that another transaction holds open is waited for. Raises what a transaction raises.
    """
    written: list[tuple[Table, Rows]] = [
        (idempotency_keys, keys),
        (messages, rows),
        (events, first_rows(ids, rows)),
        (counted, counters.in_order(counters.of_new(rows))),  # locked last, as everywhere
    ]
    given = [(table, new) for table, new in written if new]
    steps = tuple((table, tuple(new[0])) for table, new in given)
    try:
        if database.is_sqlite:
            async with database.transaction() as connection:
                kept = [tuples(*step, new) for step, (_, new) in zip(steps, given, strict=True)]
                await driver.execute_many(connection, list(zip(_each(steps), kept, strict=True)))
        else:
            values = [
                value
                for step, (_, new) in zip(steps, given, strict=True)
                for value in arrays(*step, new)
            ]
            await database.alone(_whole(steps), values)
    except IntegrityError:
        return False
    return True


def _end(table: Table) -> str:
    return counters.ADDED if table is counted else ""


@lru_cache(maxsize=64)
def _each(steps: _Steps) -> tuple[str, ...]:
    """Return SQLite's statements, for row after row."""
    return tuple(f"{row_by_row(table, names)} {_end(table)}" for table, names in steps)


@lru_cache(maxsize=64)
def _whole(steps: _Steps) -> str:
    """Return PostgreSQL's one statement: what comes later waits for what comes before it."""
    before, parts = "", []
    for place, (table, names) in enumerate(steps):
        made = f"{from_arrays(table, names)}{before} {_end(table)} RETURNING 1"
        parts.append(f"step{place} AS ({made})")
        before = f" WHERE (SELECT count(*) FROM step{place}) > 0"  # noqa: S608
    return f"WITH {', '.join(parts)} SELECT count(*) FROM step{len(steps) - 1}"  # noqa: S608
