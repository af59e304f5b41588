"""What happened, and how far each client's feed of it goes."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
    Uuid,
    text,
)

from app.store.tables.declaring import column, metadata, small_json
from app.store.times import UtcDateTime

# What happened to messages, and to what else a client has (then without a message). A row that has
# no position yet is the outbox: whatever is told to clients is made of it, in one transaction with
# the position that it then gets in its client's feed.
events = Table(
    "events",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("client_id", Uuid),
    Column("mode", String(8)),
    Column("position", BigInteger),  # in the feed of its client and mode: 1, 2, 3, without a gap
    Column("message_id", Uuid),
    column("sequence", Integer),  # of its message: 1, 2, 3
    column("type", String(40)),
    Column("previous_status", String(20)),
    Column("status", String(20)),
    column("at", UtcDateTime),
    column("source", String(32)),
    Column("provider_code", String(100)),
    Column("provider_label", String(500)),
    Column("provider_time", String(64)),  # as the provider wrote it
    column("applied", Boolean),
    Column("failure", small_json()),
    Column("detail", small_json()),
    UniqueConstraint("message_id", "sequence"),
    Index(
        "ix_events_unpublished",
        "client_id",
        "mode",
        "id",
        postgresql_where=text("position IS NULL"),
        sqlite_where=text("position IS NULL"),
    ),
    Index(
        "ix_events_feed",
        "client_id",
        "mode",
        "position",
        unique=True,
        postgresql_where=text("position IS NOT NULL"),
        sqlite_where=text("position IS NOT NULL"),
    ),
)

# How far the feed of a client and mode goes. Whoever publishes holds the row.
feeds = Table(
    "feeds",
    metadata,
    Column("client_id", Uuid, ForeignKey("clients.id"), primary_key=True),
    Column("mode", String(8), primary_key=True),
    column("position", BigInteger),  # of its last event
    # Up to where events were deleted with their messages: who has read less has missed some.
    column("forgotten", BigInteger, server_default="0"),
)
