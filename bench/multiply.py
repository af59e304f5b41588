"""Make a store large: what the gateway itself wrote for some messages is copied, again and again.

Whatever columns the tables have, a copy is like its original in all but what names it: identifiers
lie one step earlier in time for each copy, and so do times; references and digests are others; a
place in the feed follows the last. Of clients, keys and endpoints there stays one.
"""

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


def multiply(url: str, times: int) -> None:
    """Copy what a PostgreSQL store holds of messages so many times, the oldest copies first."""
    with psycopg.connect(url, autocommit=True) as connection:
        # Not what is measured: constraints and syncs would make this take hours.
        connection.execute("SET session_replication_role = replica")
        connection.execute("SET synchronous_commit = off")
        for table in TABLES:
            rows = _one(connection, sql.SQL("SELECT count(*) FROM {}"), table)
            if not rows:
                continue
            statement = _copying(connection, table)
            # The originals alone: what was copied is not copied again.
            name = sql.Identifier(f"original_{table}")
            connection.execute(
                sql.SQL("CREATE TEMPORARY TABLE {} AS TABLE {}").format(name, sql.Identifier(table))
            )
            some = max(1, AT_ONCE // rows)
            for last in range(times, 0, -some):
                connection.execute(statement, {"first": max(1, last - some + 1), "last": last})
        feeds = "UPDATE feeds SET position = (SELECT max(position) FROM events) WHERE position > 0"
        connection.execute(feeds)
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")


def _copying(connection: Connection[Any], table: str) -> sql.Composed:
    asked = (
        "SELECT column_name, data_type, coalesce(character_maximum_length, 0)"
        " FROM information_schema.columns"
        " WHERE table_schema = 'public' AND table_name = %s AND is_generated = 'NEVER'"
        " ORDER BY ordinal_position"
    )
    columns = connection.execute(asked, (table,)).fetchall()
    values = [_value(name, kind, length) for name, kind, length in columns]
    return sql.SQL(
        "INSERT INTO {} ({}) SELECT {} FROM {} AS o, generate_series(%(first)s::int, %(last)s::int) AS copy"
        " ORDER BY copy DESC"
    ).format(
        sql.Identifier(table),
        sql.SQL(", ").join(sql.Identifier(name) for name, _, _ in columns),
        sql.SQL(", ").join(values),
        sql.Identifier(f"original_{table}"),
    )


def _value(name: str, kind: str, length: int) -> sql.Composable:
    """Return the value of a copy's column."""
    column = sql.SQL("o.{}").format(sql.Identifier(name))
    if kind == "uuid" and name not in SAME:
        # The first 48 bits of an identifier are milliseconds.
        bits = "('x' || substr(replace({0}::text, '-', ''), 1, 12))::bit(48)::bigint"
        rest = "substr(replace({0}::text, '-', ''), 13)"
        moved = f"(lpad(to_hex({bits} - copy::bigint * {STEP}), 12, '0') || {rest})::uuid"
        return sql.SQL(moved).format(column)
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
