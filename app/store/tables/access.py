"""Who calls, and what they were told before."""

from sqlalchemy import (
    JSON,
    Column,
    ForeignKey,
    Integer,
    String,
    Table,
    Text,
    Uuid,
)

from app.store.tables.declaring import column, metadata
from app.store.times import UtcDateTime

clients = Table(
    "clients",
    metadata,
    Column("id", Uuid, primary_key=True),
    column("name", String(200), unique=True),
    column("created_at", UtcDateTime),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(16), primary_key=True),  # the visible part of the key
    column("client_id", Uuid, ForeignKey("clients.id")),
    column("digest", String(64)),  # HMAC-SHA-256 of the whole key, hexadecimal
    column("mode", String(8)),
    column("scopes", JSON),
    column("created_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("client_id", Uuid, ForeignKey("clients.id"), primary_key=True),
    Column("mode", String(8), primary_key=True),
    Column("key", String(255), primary_key=True),
    column("fingerprint", String(64)),
    column("object_id", Uuid),
    column("status", Integer),  # the first answer: HTTP status, Location, body
    column("location", String(200)),
    column("body", Text),
    column("created_at", UtcDateTime),
)
