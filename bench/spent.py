"""What some work cost a PostgreSQL database: CPU, WAL, commits and rows, as the server counts them."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

import psycopg

from bench.asked import Asked
from bench.measured import cpu
from tests.postgres import Postgres

# What is told of each message.
DATABASE: Final = ("database", "wal", "pages", "commits", "inserted", "updated", "deleted")
TABLES: Final = (
    "messages",
    "idempotency_keys",
    "attempts",
    "events",
    "webhook_deliveries",
)  # those that grow with every message that a webhook tells of
_COUNTED: Final = """
SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0'), (SELECT wal_fpi FROM pg_stat_wal),
  (SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()),
  sum(n_tup_ins), sum(n_tup_upd), sum(n_tup_del), sum(n_dead_tup),
  sum(autovacuum_count), pg_database_size(current_database())
FROM pg_stat_user_tables
"""
_SIZES: Final = """
SELECT ARRAY[(SELECT count(*) FROM {0}), pg_relation_size('{0}'), pg_indexes_size('{0}')]::float[]
"""


@dataclass(frozen=True, slots=True)
class Ledger:
    """What a server has spent on a database, or spent in between."""

    database: float  # seconds of CPU
    wal: float  # bytes
    pages: float  # written to WAL whole: at their first change after a checkpoint
    commits: float
    inserted: float  # rows
    updated: float
    deleted: float
    dead: float  # rows that nobody sees any more, and that are not vacuumed yet
    vacuums: float  # that the server began by itself
    size: float  # bytes on disk

    def since(self, before: "Ledger") -> "Ledger":
        """Return what was spent since an earlier look."""
        return Ledger(*(_of(self, one) - _of(before, one) for one in _NAMES))

    def each(self, many: float) -> dict[str, float]:
        """Return the figures of one of so many messages: microseconds, kilobytes, counts."""
        found = {one: _of(self, one) / many for one in _NAMES}
        return found | {
            "database": found["database"] * 1e6,
            "wal": found["wal"] / 1000,
            "size": found["size"] / 1000,
            "vacuums": self.vacuums,
        }


_NAMES: Final = tuple(one.name for one in fields(Ledger))


def _of(ledger: Ledger, name: str) -> float:
    return float(getattr(ledger, name))


class Account:
    """A database whose spending is looked at, over one connection that is kept."""

    def __init__(self, asked: Asked, server: Postgres, url: str) -> None:
        self._settles = asked.settles
        self._server = server
        self._connection = psycopg.connect(url, autocommit=True)

    @property
    def database(self) -> float:
        """Seconds of CPU that the server spent until now."""
        return cpu(self._server.pid)

    def look(self) -> Ledger:
        """Return what was spent until now, by processes that have ended or rest."""
        time.sleep(self._settles)
        row = self._connection.execute(_COUNTED).fetchone()
        assert row is not None
        return Ledger(self.database, *(float(one or 0) for one in row))

    def ask(self, question: str) -> Any:
        """Return the one value that a question has for an answer."""
        row = self._connection.execute(question.encode()).fetchone()
        assert row is not None
        return row[0]

    def do(self, statement: str) -> None:
        """Run a statement that stands alone, such as VACUUM."""
        self._connection.execute(statement.encode())

    def never_vacuum(self) -> None:
        """Have the server vacuum nothing by itself: what that costs is asked apart."""
        for table in TABLES:
            self.do(f"ALTER TABLE {table} SET (autovacuum_enabled = off)")

    def close(self) -> None:
        """End the connection."""
        self._connection.close()


def packed(
    asked: Asked, server: Postgres, url: str, many: int
) -> Mapping[str, Mapping[str, float]]:
    """Return, by table, what each of so many messages keeps on disk: as VACUUM FULL leaves it."""
    name = url.rpartition("/")[2]
    copy = Account(asked, server, server.create(f"{name}_packed", name))
    found = {}
    for table in TABLES:
        copy.do(f"VACUUM FULL {table}")
        rows, heap, indexes = (one / many for one in copy.ask(_SIZES.format(table)))
        found[table] = {"rows": rows, "heap": heap, "indexes": indexes}
    copy.close()
    return found
