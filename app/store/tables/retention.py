"""How far what is old was removed, by all workers together."""

from sqlalchemy import Column, String, Table, Uuid

from app.store.tables.declaring import column, metadata
from app.store.times import UtcDateTime

# One row for each kind of removal. Whoever walks holds the row's turn for a while.
retention = Table(
    "retention",
    metadata,
    Column("kind", String(16), primary_key=True),  # messages, files
    Column("after", Uuid),  # the last message that was looked at; None: none yet in this round
    column("due_at", UtcDateTime),  # when the next slice, or the next round, may be begun
)
