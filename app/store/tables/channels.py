"""How each channel of a provider is, what may leave at what pace, and how much waits."""

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Uuid

from app.store.tables.declaring import column, metadata
from app.store.times import UtcDateTime

# Shared by every worker: whether messages may leave, and when the provider is looked at again.
channels = Table(
    "channels",
    metadata,
    Column("provider", String(32), primary_key=True),
    Column("channel", String(8), primary_key=True),
    column(
        "state", String(8)
    ),  # closed: messages leave; open: an outage; stopped: a person's matter
    Column("reason", String(64)),
    Column("why", String(200)),
    column("failures", Integer),  # calls in a row that the provider did not answer
    column("opens", Integer),  # how often in a row a look found it still away
    Column("probe_at", UtcDateTime),  # when it is looked at next
    Column("width", Integer),  # calls at once after an outage; NULL: as the settings say
    column("changed_at", UtcDateTime),
)

# The pace of calls to a provider, over all processes.
rates = Table(
    "rates",
    metadata,
    Column("provider", String(32), primary_key=True),
    column("free_at", UtcDateTime),  # when the next call may leave
)

# What waits to be sent, kept with each message instead of being counted.
counters = Table(
    "counters",
    metadata,
    Column("name", String(64), primary_key=True),
    column("value", BigInteger),
)

# Billing codes under which one text message at a time is under way (COMPTE_SOUMIS_CODE_FACTURATION).
slots = Table(
    "slots",
    metadata,
    Column("provider", String(32), primary_key=True),
    Column("code", String(100), primary_key=True),
    Column("attempt_id", Uuid),  # that holds it
    Column("expected", Integer),  # what the provider counts under it when nothing is under way
    column("changed_at", UtcDateTime),
    Index("ix_slots_attempt_id", "attempt_id"),
)
