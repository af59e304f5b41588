"""What providers told us, and what we know about them."""

from sqlalchemy import (
    JSON,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    Uuid,
    text,
)

from app.store.tables.declaring import column, metadata, small_json
from app.store.times import UtcDateTime

# What 123-fax's callback brought, matched or not.
acknowledgements = Table(
    "acknowledgements",
    metadata,
    Column("id", Uuid, primary_key=True),
    column("fingerprint", String(64), unique=True),
    column("provider", String(32)),
    column("reference", String(100), index=True),
    column("code", String(32)),
    column("number", String(64)),
    Column("pages", Integer),
    Column("provider_time", String(64)),
    column("received_at", UtcDateTime),
    column("times", Integer),
    Column("attempt_id", Uuid),
    Column("applied_at", UtcDateTime),
    Column("note", String(64)),  # why it moved nothing
    Column("detail", String(200)),  # of one that cannot be read: why
    Index(
        "ix_acknowledgements_unmatched",
        "provider",
        "id",
        postgresql_where=text("note IN ('unknown_reference', 'other_number', 'unreadable')"),
        sqlite_where=text("note IN ('unknown_reference', 'other_number', 'unreadable')"),
    ),
)

# What a provider's contract looks like, and the documents that it was read from.
contracts = Table(
    "contracts",
    metadata,
    Column("provider", String(32), primary_key=True),
    Column("state", String(10), primary_key=True),  # accepted, pending
    column("location", Text),
    column("fingerprint", String(64)),
    column("shape", JSON),  # what the fingerprint is taken of
    column("documents", JSON),  # their bytes by address, in base 64
    column("differences", JSON),  # of a pending one from the accepted one
    column("read_at", UtcDateTime),
)

# Codes that no table and no file of the operator's says the meaning of.
unmapped_codes = Table(
    "unmapped_codes",
    metadata,
    Column("provider", String(32), primary_key=True),
    Column("function", String(64), primary_key=True),
    Column("code", String(100), primary_key=True),
    Column("label", String(500)),
    column("times", Integer),
    column("first_at", UtcDateTime),
    column("last_at", UtcDateTime),
    Column("mapped_at", UtcDateTime),
)

# Files that a provider makes for us on demand.
reports = Table(
    "reports",
    metadata,
    Column("id", Uuid, primary_key=True),
    column("client_id", Uuid, ForeignKey("clients.id")),
    column("mode", String(8)),
    column("kind", String(32)),
    column("first_day", String(10)),  # ISO 8601
    column("last_day", String(10)),
    column("status", String(10)),  # queued, running, ready, failed
    column("created_at", UtcDateTime),
    Column("due_at", UtcDateTime),  # when a worker may take it, again
    column("attempts", Integer),
    Column("ended_at", UtcDateTime),
    Column("sha256", String(64), ForeignKey("blobs.sha256"), index=True),
    Column("size", Integer),
    Column("failure", small_json()),
    Index(
        "ix_reports_due",
        "due_at",
        postgresql_where=text("status IN ('queued', 'running')"),
        sqlite_where=text("status IN ('queued', 'running')"),
    ),
)
