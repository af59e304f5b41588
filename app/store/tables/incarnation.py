"""Which life of the store this is: a store that was restored has forgotten what was sent since."""

from sqlalchemy import BigInteger, Column, Integer, String, Table, Uuid

from app.store.tables.declaring import column, metadata, small_json
from app.store.times import UtcDateTime

incarnation = Table(
    "incarnation",
    metadata,
    Column("place", Integer, primary_key=True, autoincrement=False),  # 1: there is one row
    column("store_id", Uuid),
    column("made_at", UtcDateTime),
    Column("timeline", String(8)),  # PostgreSQL's; each claim compares it
    Column("origin", small_json()),  # what else a restored PostgreSQL has otherwise
    column("claims", BigInteger),  # rounds of claims so far, on SQLite
    Column("restore_since", UtcDateTime),  # set: nothing is claimed before a person accepts it
    Column("restore_why", String(200)),
    Column("known_until", UtcDateTime),  # when the last thing happened that it still knows
)
