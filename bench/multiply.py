"""Make a store large: what the gateway itself wrote for some messages is copied, again and again.

Whatever columns the tables have, a copy is like its original in all but what names it: identifiers
lie one step earlier in time for each copy, and so do times; references and digests are others; a
place in the feed follows the last. Of clients, keys and endpoints there stays one.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import psycopg
from psycopg import Connection, sql

TABLES: Final = (
    "batches",
    "messages",
    "recipients",
    "attempts",
    "events",
    "idempotency_keys",
    "acknowledgements",
    "webhook_deliveries",
)
# Who asks and who is told are the same for every copy.
SAME: Final = frozenset({"client_id", "endpoint_id"})
HEX: Final = frozenset({"recipient_digest", "digest", "fingerprint"})
NAMES: Final = frozenset({"reference", "attempt_reference", "provider_message_id", "key"})
STEP: Final = 60_000  # milliseconds between two copies
AT_ONCE: Final = 200_000  # rows of one statement, about
COPIES: Final = sql.SQL(
    ", generate_series(%(first)s::int, %(last)s::int) AS copy ORDER BY copy DESC"
)


def multiply(url: str, times: int) -> None:
    """Copy what a PostgreSQL store holds of messages so many times, the oldest copies first."""
    with ThreadPoolExecutor() as threads:
        list(threads.map(lambda table: _multiplied(url, table, times), TABLES))
    with psycopg.connect(url, autocommit=True) as connection:
        feeds = "UPDATE feeds SET position = (SELECT max(position) FROM events) WHERE position > 0"
        connection.execute(feeds)
        connection.execute("CHECKPOINT")


def _multiplied(url: str, table: str, times: int) -> None:
    _write_anew(url, table, times)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("VACUUM (ANALYZE, FREEZE) {}").format(sql.Identifier(table)))


def _write_anew(url: str, table: str, times: int) -> None:
    """Write a table anew, all in one transaction: where nobody follows the log, it has no log."""
    with psycopg.connect(url) as connection:
        # Not what is measured: constraints and syncs would make this take hours.
        connection.execute("SET session_replication_role = replica")
        connection.execute("SET synchronous_commit = off")
        rows = _one(connection, sql.SQL("SELECT count(*) FROM {}"), table)
        if not rows:
            return
        columns = _columns(connection, table)
        connection.execute(_keeping(table, columns))
        connection.execute(sql.SQL("TRUNCATE {}").format(sql.Identifier(table)))
        copying = _writing(table, columns, [_value(*one) for one in columns], COPIES)
        some = max(1, AT_ONCE // rows)
        for last in range(times, 0, -some):
            connection.execute(copying, {"first": max(1, last - some + 1), "last": last})
        originals = [sql.Identifier("o", name) for name, _, _ in columns]
        connection.execute(_writing(table, columns, originals, sql.SQL("")))


def _columns(connection: Connection[Any], table: str) -> list[tuple[str, str, int]]:
    asked = (
        "SELECT column_name, data_type, coalesce(character_maximum_length, 0)"
        " FROM information_schema.columns"
        " WHERE table_schema = 'public' AND table_name = %s AND is_generated = 'NEVER'"
        " ORDER BY ordinal_position"
    )
    return connection.execute(asked, (table,)).fetchall()


def _keeping(table: str, columns: Sequence[tuple[str, str, int]]) -> sql.Composed:
    """Return what keeps the originals, with the parts of their identifiers beside them."""
    parts = [
        # The first 48 bits of an identifier are milliseconds.
        sql.SQL(
            ", ('x' || substr(replace({0}::text, '-', ''), 1, 12))::bit(48)::bigint AS {1},"
            " substr(replace({0}::text, '-', ''), 13) AS {2}"
        ).format(*map(sql.Identifier, (name, f"{name}_at", f"{name}_rest")))
        for name, kind, _ in columns
        if kind == "uuid" and name not in SAME
    ]
    return sql.SQL("CREATE TEMPORARY TABLE {} AS SELECT *{} FROM {}").format(
        sql.Identifier(f"original_{table}"), sql.Composed(parts), sql.Identifier(table)
    )


def _writing(
    table: str,
    columns: Sequence[tuple[str, str, int]],
    values: Sequence[sql.Composable],
    copies: sql.SQL,
) -> sql.Composed:
    return sql.SQL("INSERT INTO {} ({}) SELECT {} FROM {} AS o {}").format(
        sql.Identifier(table),
        sql.SQL(", ").join(sql.Identifier(name) for name, _, _ in columns),
        sql.SQL(", ").join(values),
        sql.Identifier(f"original_{table}"),
        copies,
    )


def _value(name: str, kind: str, length: int) -> sql.Composable:
    """Return the value of a copy's column."""
    column = sql.SQL("o.{}").format(sql.Identifier(name))
    if kind == "uuid" and name not in SAME:
        moved = f"(lpad(to_hex({{}} - copy::bigint * {STEP}), 12, '0') || {{}})::uuid"
        parts = (sql.Identifier("o", f"{name}_{part}") for part in ("at", "rest"))
        return sql.SQL(moved).format(*parts)
    if kind.startswith("timestamp"):
        return sql.SQL(f"{{}} - copy * interval '{STEP} milliseconds'").format(column)
    if name == "position" and kind == "bigint":
        return sql.SQL("{} + copy * (SELECT max(position) FROM original_events)").format(column)
    if name in HEX:
        return sql.SQL("md5({0} || copy) || md5(copy || {0})").format(column)
    if name in NAMES:
        text = "upper(md5({0} || copy))"
        return sql.SQL(f"substr({text}, 1, {min(length, 32) or 32})").format(column)
    return column


def _one(connection: Connection[Any], statement: sql.SQL, table: str) -> Any:
    row = connection.execute(statement.format(sql.Identifier(table))).fetchone()
    assert row is not None
    return row[0]
