"""Who calls, what it may do, and what it was told before."""

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Integer,
    String,
    Table,
    Text,
    Uuid,
    false,
)

from app.store.tables.declaring import column, metadata, small_json
from app.store.times import UtcDateTime

clients = Table(
    "clients",
    metadata,
    Column("id", Uuid, primary_key=True),
    column("name", String(200), unique=True),
    column("created_at", UtcDateTime),
    # A second message with a reference that the client used before is refused.
    column("unique_references", Boolean, server_default=false()),
    Column("idempotency", String(8)),  # required, optional; None: as the deployment says
    Column("rate", Integer),  # requests a second; None: as the deployment says
    Column("daily_quotas", small_json()),  # messages a day, by channel
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
    Column("label", String(100)),
    Column("expires_at", UtcDateTime),  # such as the end of a rotation's overlap
    Column("last_used_at", UtcDateTime),  # to within some minutes
    Column("networks", small_json()),  # from which it is taken; None: from everywhere
)

# Whom a client's keys of the mode team may send to, normalised as a message's recipient is.
team_recipients = Table(
    "team_recipients",
    metadata,
    Column("client_id", Uuid, ForeignKey("clients.id"), primary_key=True),
    Column("address", String(320), primary_key=True),
    column("created_at", UtcDateTime),
)

# What a client called a message, where it may call but one so.
client_references = Table(
    "client_references",
    metadata,
    Column("client_id", Uuid, primary_key=True),
    Column("mode", String(8), primary_key=True),
    Column("reference", String(200), primary_key=True),
    column("message_id", Uuid),
)

# How fast a client may ask (GCRA): from when on its next request is within its rate.
client_rates = Table(
    "client_rates",
    metadata,
    Column("client_id", Uuid, ForeignKey("clients.id"), primary_key=True),
    Column("mode", String(8), primary_key=True),
    column("free_at", UtcDateTime),
)

# How many messages a client had taken in on a day, in the deployment's time zone.
daily_usage = Table(
    "daily_usage",
    metadata,
    Column("client_id", Uuid, ForeignKey("clients.id"), primary_key=True),
    Column("mode", String(8), primary_key=True),
    Column("channel", String(8), primary_key=True),
    Column("day", Date, primary_key=True),
    column("messages", Integer),
)

# The key comes first in its index: a comparison ends there, and not behind what is alike in all.
# Location and body are empty where they are made again from what the key made.
idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("key", String(255), primary_key=True),
    Column("client_id", Uuid, primary_key=True),
    Column("mode", String(8), primary_key=True),
    column("fingerprint", String(64)),
    column("object_id", Uuid),
    column("status", Integer),  # the first answer: HTTP status, Location, body
    column("location", String(200)),
    column("body", Text),
    column("created_at", UtcDateTime, index=True),
)
