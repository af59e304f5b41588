"""Files, and the rights to fetch them."""

from sqlalchemy import Column, ForeignKey, Integer, LargeBinary, String, Table, Uuid

from app.store.tables.declaring import column, metadata
from app.store.times import UtcDateTime

blobs = Table(
    "blobs",
    metadata,
    Column("sha256", String(64), primary_key=True),
    column("size", Integer),
    column("content", LargeBinary),
    column("created_at", UtcDateTime),
    # When something was last taken in that has it, to within a day.
    Column("used_at", UtcDateTime, index=True),
)

documents = Table(
    "documents",
    metadata,
    Column("id", Uuid, primary_key=True),
    column("client_id", Uuid, ForeignKey("clients.id")),
    column("sha256", String(64), ForeignKey("blobs.sha256"), index=True),
    column("filename", String(255)),
    column("media_type", String(100)),
    column("size", Integer),
    Column("pages", Integer),
    column("created_at", UtcDateTime),
)

# The right to fetch one attempt's document, once its token is known.
grants = Table(
    "grants",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    column("attempt_id", Uuid, index=True),
    column("message_id", Uuid),
    column("sha256", String(64)),
    column("expires_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
    Column("fetched_at", UtcDateTime),
    column("fetches", Integer),
)
