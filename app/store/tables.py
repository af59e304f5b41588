"""The tables. Times are UTC; JSON columns hold small values that no statement looks into."""

from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from app.store.times import UtcDateTime

metadata = MetaData(
    # Alembic can only drop on SQLite what has a name.
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _small_json() -> JSON:
    return JSON(none_as_null=True)


def _column(name: str, kind: Any, *rest: Any, **options: Any) -> Column[Any]:  # noqa: ANN401
    return Column(name, kind, *rest, nullable=False, **options)


clients = Table(
    "clients",
    metadata,
    Column("id", Uuid, primary_key=True),
    _column("name", String(200), unique=True),
    _column("created_at", UtcDateTime),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(16), primary_key=True),  # the visible part of the key
    _column("client_id", Uuid, ForeignKey("clients.id")),
    _column("digest", String(64)),  # HMAC-SHA-256 of the whole key, hexadecimal
    _column("mode", String(8)),
    _column("scopes", JSON),
    _column("created_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
)

blobs = Table(
    "blobs",
    metadata,
    Column("sha256", String(64), primary_key=True),
    _column("size", Integer),
    _column("content", LargeBinary),
    _column("created_at", UtcDateTime),
)

documents = Table(
    "documents",
    metadata,
    Column("id", Uuid, primary_key=True),
    _column("client_id", Uuid, ForeignKey("clients.id")),
    _column("sha256", String(64), ForeignKey("blobs.sha256")),
    _column("filename", String(255)),
    _column("media_type", String(100)),
    _column("size", Integer),
    Column("pages", Integer),
    _column("created_at", UtcDateTime),
)

# A message is its own place in the queue: `status` and `due_at` say what is to be done and when.
messages = Table(
    "messages",
    metadata,
    Column("id", Uuid, primary_key=True),
    _column("client_id", Uuid, ForeignKey("clients.id")),
    _column("mode", String(8)),
    _column("channel", String(8)),
    _column("provider", String(32)),
    _column("created_at", UtcDateTime),
    Column("send_at", UtcDateTime),
    Column("expires_at", UtcDateTime),
    Column("reference", String(200)),  # the client's own
    Column("billing_code", String(100)),
    _column("purpose", String(32)),
    _column("tags", JSON),
    _column("metadata", JSON),
    _column("warnings", JSON),
    _column("content", Text),  # JSON of the channel's content
    _column("recipient", String(200)),  # masked
    Column("units", Integer),  # what is paid for: parts of a text message, pages
    # Where it stands.
    _column("status", String(20)),
    Column("previous_status", String(20)),
    _column("status_at", UtcDateTime),
    _column("status_source", String(32)),
    Column("status_checked_at", UtcDateTime),
    Column("due_at", UtcDateTime),  # when the next step is due: submit, or ask for the status
    Column("blocked_reason", String(64)),
    Column("failure", _small_json()),
    _column("sequence", Integer),  # of its last event
    # The attempt under way, or the last one.
    _column("fence", Integer),  # rises with every claim: who holds an older one writes nothing
    Column("lease_until", UtcDateTime),
    _column("attempts", Integer),
    _column("checks", Integer),  # how often its status was asked
    Column("attempt_reference", String(20)),
    Column("submitted_at", UtcDateTime),
    # What the provider said.
    Column("provider_function", String(64)),
    Column("provider_message_id", String(100)),
    Column("provider_code", String(100)),
    Column("provider_label", String(500)),
    Column("pages_sent", Integer),
    Column("document_fetched_at", UtcDateTime),
    Index("ix_messages_list", "client_id", "mode", "id"),
    Index("ix_messages_reference", "client_id", "reference"),
    Index("ix_messages_billing_code", "client_id", "billing_code"),
    Index("ix_messages_provider_message_id", "provider_message_id"),
    Index(
        "ix_messages_to_submit",
        "channel",
        "due_at",
        postgresql_where=text("status IN ('queued', 'scheduled')"),
        sqlite_where=text("status IN ('queued', 'scheduled')"),
    ),
    Index(
        "ix_messages_to_track",
        "due_at",
        postgresql_where=text("status IN ('submitted', 'sent', 'delivered')"),
        sqlite_where=text("status IN ('submitted', 'sent', 'delivered')"),
    ),
    Index(
        "ix_messages_leased",
        "lease_until",
        postgresql_where=text("status = 'submitting'"),
        sqlite_where=text("status = 'submitting'"),
    ),
    Index(
        "ix_messages_expiring",
        "expires_at",
        postgresql_where=text("status IN ('queued', 'scheduled')"),
        sqlite_where=text("status IN ('queued', 'scheduled')"),
    ),
)

# One call that may have sent something; the row is committed before any byte leaves.
attempts = Table(
    "attempts",
    metadata,
    Column("id", Uuid, primary_key=True),
    _column("message_id", Uuid, ForeignKey("messages.id")),
    _column("number", Integer),
    _column("reference", String(20), unique=True),
    _column("provider", String(32)),
    _column("fence", Integer),
    _column("started_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("outcome", String(16)),  # accepted, refused, deferred, blocked, unclear
    Column("provider_message_id", String(100), index=True),
    Column("code", String(100)),
    Column("words", String(500)),
    Column("why", String(200)),
    Column("raw", String(500)),
    Column("late", _small_json()),  # an outcome that came after the lease: evidence, no move
    UniqueConstraint("message_id", "number"),
)

events = Table(
    "events",
    metadata,
    Column("id", Uuid, primary_key=True),
    _column("message_id", Uuid, ForeignKey("messages.id")),
    _column("sequence", Integer),
    _column("type", String(40)),
    Column("previous_status", String(20)),
    _column("status", String(20)),
    _column("at", UtcDateTime),
    _column("source", String(32)),
    Column("provider_code", String(100)),
    Column("provider_label", String(500)),
    Column("provider_time", String(64)),  # as the provider wrote it
    _column("applied", Boolean),
    Column("detail", _small_json()),
    UniqueConstraint("message_id", "sequence"),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("client_id", Uuid, ForeignKey("clients.id"), primary_key=True),
    Column("mode", String(8), primary_key=True),
    Column("key", String(255), primary_key=True),
    _column("fingerprint", String(64)),
    _column("object_id", Uuid),
    _column("status", Integer),  # the first answer: HTTP status, Location, body
    _column("location", String(200)),
    _column("body", Text),
    _column("created_at", UtcDateTime),
)

# The right to fetch one attempt's document, once its token is known.
grants = Table(
    "grants",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    _column("attempt_id", Uuid, ForeignKey("attempts.id"), index=True),
    _column("message_id", Uuid, ForeignKey("messages.id")),
    _column("sha256", String(64), ForeignKey("blobs.sha256")),
    _column("expires_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
    Column("fetched_at", UtcDateTime),
    _column("fetches", Integer),
)

# What 123-fax's callback brought, matched or not.
acknowledgements = Table(
    "acknowledgements",
    metadata,
    Column("id", Uuid, primary_key=True),
    _column("fingerprint", String(64), unique=True),
    _column("provider", String(32)),
    _column("reference", String(100), index=True),
    _column("code", String(32)),
    _column("number", String(64)),
    Column("pages", Integer),
    Column("provider_time", String(64)),
    _column("received_at", UtcDateTime),
    _column("times", Integer),
    Column("attempt_id", Uuid, ForeignKey("attempts.id")),
    Column("applied_at", UtcDateTime),
    Column("note", String(64)),  # why it moved nothing
)
