"""Cheaper rows and smaller indexes, and what deleting old messages needs.

On PostgreSQL nothing here locks a large table for long: indexes are built beside the work, outside a
transaction, and each other statement is a moment's. A migration that was cut short is simply run
again: each statement passes over what is done already.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)
_WAITING = "status IN ('queued', 'scheduled')"
_TRACKED = "status IN ('submitted', 'sent', 'delivered')"
_KEYS = "idempotency_keys"
_MESSAGE_ID = "provider_message_id"

# Constraints that cost a lookup and a lock with every row: table, column, and what it names.
FOREIGN_KEYS = (
    # On SQLite a table is written anew: each before those that it names.
    ("grants", "attempt_id", "attempts"),
    ("grants", "message_id", "messages"),
    ("grants", "sha256", "blobs"),
    ("acknowledgements", "attempt_id", "attempts"),
    ("attempts", "message_id", "messages"),
    ("recipients", "message_id", "messages"),
    ("events", "message_id", "messages"),
    ("webhook_deliveries", "endpoint_id", "webhook_endpoints"),
    ("client_references", "client_id", "clients"),
    (_KEYS, "client_id", "clients"),
    ("messages", "client_id", "clients"),
)
# Indexes by name: table, columns and condition before, and now.
INDEXES = {
    "ix_messages_reference": (
        "messages",
        ("client_id, reference", None),
        ("client_id, reference, id", "reference IS NOT NULL"),
    ),
    "ix_messages_recipient": (
        "messages",
        ("client_id, recipient_digest, id", "recipient_digest IS NOT NULL"),
        ("substr(recipient_digest, 49), id", "recipient_digest IS NOT NULL"),
    ),
    "ix_messages_billing_code": (
        "messages",
        ("client_id, billing_code", None),
        ("client_id, billing_code, id", "billing_code IS NOT NULL"),
    ),
    "ix_messages_provider_message_id": ("messages", (_MESSAGE_ID, None), None),
    "ix_messages_batch": ("messages", ("batch_id, id", None), ("batch_id, id", "batch_id IS NOT NULL")),
    "ix_messages_to_track": (
        "messages",
        ("due_at", _TRACKED),
        ("due_at", f"{_TRACKED} AND due_at IS NOT NULL"),
    ),
    "ix_messages_expiring": (
        "messages",
        ("expires_at", _WAITING),
        ("expires_at", f"{_WAITING} AND expires_at IS NOT NULL"),
    ),
    "ix_attempts_provider_message_id": (
        "attempts",
        (_MESSAGE_ID, None),
        (_MESSAGE_ID, f"{_MESSAGE_ID} IS NOT NULL"),
    ),
}  # fmt: skip
# By which files are found that nothing needs any more; none of these tables has a row a message.
_OF_FILES = (("blobs", "used_at"), ("documents", "sha256"), ("reports", "sha256"))
_KEY_BEFORE, _KEY_NOW = ("client_id", "mode", "key"), ("key", "client_id", "mode")
# How PostgreSQL keeps tables: rows that are written over and over have room beside them, and what
# is dead in a large table is removed before it is much.
STORAGE = {
    **dict.fromkeys(
        ("counters", "feeds", "client_rates", "daily_usage", "rates", "slots", "channels"),
        "fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000",
    ),
    **dict.fromkeys(
        ("messages", "events", "attempts", "webhook_deliveries"),
        "autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 10000,"
        " autovacuum_analyze_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.05",
    ),
}


def upgrade() -> None:
    op.add_column("blobs", sa.Column("used_at", _TIME, nullable=True))
    op.execute("UPDATE blobs SET used_at = created_at")
    for table, column in _OF_FILES:
        op.create_index(f"ix_{table}_{column}", table, [column])
    op.add_column(
        "feeds", sa.Column("forgotten", sa.BigInteger(), server_default="0", nullable=False)
    )
    op.create_table(
        "retention",
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("after", sa.Uuid(), nullable=True),
        sa.Column("due_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("kind", name=op.f("pk_retention")),
    )
    _reshape(now=True)


def downgrade() -> None:
    _reshape(now=False)
    op.drop_table("retention")
    for table, column in _OF_FILES:
        op.drop_index(f"ix_{table}_{column}", table_name=table)
    for table, column in (("feeds", "forgotten"), ("blobs", "used_at")):
        # Not Alembic's: on SQLite it would write the table anew, and break what points to it.
        op.execute(f"ALTER TABLE {table} DROP COLUMN {column}")


def _reshape(*, now: bool) -> None:
    if op.get_bind().dialect.name == "sqlite":
        _on_sqlite(now=now)
        return
    with op.get_context().autocommit_block():
        _on_postgresql(now=now)


def _on_postgresql(*, now: bool) -> None:
    for table, column, named in FOREIGN_KEYS:
        name = f"fk_{table}_{column}"
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}")
        if not now:
            op.execute(
                f"ALTER TABLE {table} ADD CONSTRAINT {name}"
                f" FOREIGN KEY ({column}) REFERENCES {named} ({_named(column)}) NOT VALID"
            )
            op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")
    for name, (table, before, after) in INDEXES.items():
        _exchange(name, table, after if now else before)
    key = ", ".join(_KEY_NOW if now else _KEY_BEFORE)
    op.execute("DROP INDEX CONCURRENTLY IF EXISTS pk_idempotency_keys_new")
    op.execute(f"CREATE UNIQUE INDEX CONCURRENTLY pk_idempotency_keys_new ON {_KEYS} ({key})")
    op.execute(
        f"ALTER TABLE {_KEYS} DROP CONSTRAINT pk_idempotency_keys,"
        " ADD CONSTRAINT pk_idempotency_keys PRIMARY KEY USING INDEX pk_idempotency_keys_new"
    )
    for table, storage in STORAGE.items():
        names = ", ".join(one.split(" = ")[0].strip() for one in storage.split(","))
        op.execute(f"ALTER TABLE {table} " + (f"SET ({storage})" if now else f"RESET ({names})"))


def _named(column: str) -> str:
    """Return what a column names in the other table."""
    return "sha256" if column == "sha256" else "id"


def _exchange(name: str, table: str, wanted: tuple[str, str | None] | None) -> None:
    """Build an index beside the one that has its name, and put it in that one's place."""
    op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}_new")
    if wanted is not None:
        op.execute(f"CREATE INDEX CONCURRENTLY {name}_new ON {table} {_shape(wanted)}")
    op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
    if wanted is not None:
        op.execute(f"ALTER INDEX {name}_new RENAME TO {name}")


def _shape(wanted: tuple[str, str | None]) -> str:
    columns, where = wanted
    return f"({columns})" + (f" WHERE {where}" if where else "")


def _on_sqlite(*, now: bool) -> None:
    for name in INDEXES:
        op.execute(f"DROP INDEX IF EXISTS {name}")
    tables = list(dict.fromkeys(table for table, _, _ in FOREIGN_KEYS))
    for table in tables if now else reversed(tables):
        _write_anew(table, now=now)
    for name, (table, before, after) in INDEXES.items():
        wanted = after if now else before
        if wanted is not None:
            op.execute(f"CREATE INDEX {name} ON {table} {_shape(wanted)}")


def _write_anew(table: str, *, now: bool) -> None:
    with op.batch_alter_table(table, recreate="always") as batch:
        for one, column, named in FOREIGN_KEYS:
            if one == table and now:
                batch.drop_constraint(f"fk_{table}_{column}", type_="foreignkey")
            elif one == table:
                batch.create_foreign_key(f"fk_{table}_{column}", named, [column], [_named(column)])
        if table == _KEYS:
            batch.drop_constraint("pk_idempotency_keys", type_="primary")
            batch.create_primary_key("pk_idempotency_keys", list(_KEY_NOW if now else _KEY_BEFORE))
