"""Where clients are told of what happens, and what they were told."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, Uuid, text

from app.store.tables.declaring import column, metadata, small_json
from app.store.times import UtcDateTime

webhook_endpoints = Table(
    "webhook_endpoints",
    metadata,
    Column("id", Uuid, primary_key=True),
    column("client_id", Uuid, ForeignKey("clients.id")),
    column("mode", String(8)),
    column("url", String(2000)),
    Column("description", String(200)),
    Column("events", small_json()),  # types; None: all
    Column("channels", small_json()),  # None: all
    # Signing keys, encrypted under one that is derived from the settings' secret.
    column("secret", String(300)),
    Column("previous_secret", String(300)),  # signs too, until then
    Column("previous_until", UtcDateTime),
    column("enabled", Boolean),
    Column("disabled_reason", String(32)),  # gone, failing, client
    Column("failing_since", UtcDateTime),  # since when no delivery succeeded
    Column("failing_told_at", UtcDateTime),  # when its client was told so
    column("created_at", UtcDateTime),
    column("changed_at", UtcDateTime),
    Column("deleted_at", UtcDateTime),
    Index("ix_webhook_endpoints_client", "client_id", "mode", "id"),
)

# One event for one endpoint; it is its own place in the queue.
webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("id", Uuid, primary_key=True),
    column("endpoint_id", Uuid),
    Column("event_id", Uuid),  # whose shown id is the `webhook-id`; None: a test ping
    Column("message_id", Uuid),
    column("type", String(40)),
    Column("payload", Text),  # of what is no event; otherwise it is made from the event
    column("state", String(12)),  # pending, delivered, failed
    Column("due_at", UtcDateTime),
    Column("lease_until", UtcDateTime),
    column("fence", Integer),  # rises with every claim: who holds an older one writes nothing
    column("attempts", Integer),
    Column("tries", small_json()),  # of each: when, how long, the answer's code or what went wrong
    Column("response", String(1024)),  # the beginning of the last answer
    column("created_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Index("ix_webhook_deliveries_endpoint", "endpoint_id", "id"),
    Index("ix_webhook_deliveries_event", "event_id"),
    Index(
        "ix_webhook_deliveries_due",
        "endpoint_id",
        "due_at",
        postgresql_where=text("state = 'pending'"),
        sqlite_where=text("state = 'pending'"),
    ),
)
