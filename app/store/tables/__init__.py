"""The tables. Times are UTC; JSON columns hold small values that no statement looks into."""

from app.store.tables.access import api_keys, clients, idempotency_keys
from app.store.tables.channels import channels, counters, rates, slots
from app.store.tables.declaring import metadata
from app.store.tables.files import blobs, documents, grants
from app.store.tables.incarnation import incarnation
from app.store.tables.providers import acknowledgements, contracts, reports, unmapped_codes
from app.store.tables.sending import attempts, batches, events, messages, recipients

__all__ = [
    "acknowledgements",
    "api_keys",
    "attempts",
    "batches",
    "blobs",
    "channels",
    "clients",
    "contracts",
    "counters",
    "documents",
    "events",
    "grants",
    "idempotency_keys",
    "incarnation",
    "messages",
    "metadata",
    "rates",
    "recipients",
    "reports",
    "slots",
    "unmapped_codes",
]
