"""The tables. Times are UTC; JSON columns hold small values that no statement looks into."""

from app.store.tables.access import (
    api_keys,
    client_rates,
    client_references,
    clients,
    daily_usage,
    idempotency_keys,
    team_recipients,
)
from app.store.tables.channels import channels, counters, rates, slots
from app.store.tables.declaring import metadata
from app.store.tables.events import events, feeds
from app.store.tables.files import blobs, documents, grants
from app.store.tables.incarnation import incarnation
from app.store.tables.providers import acknowledgements, contracts, reports, unmapped_codes
from app.store.tables.retention import retention
from app.store.tables.sending import attempts, batches, messages, recipients
from app.store.tables.webhooks import webhook_deliveries, webhook_endpoints

__all__ = [
    "acknowledgements",
    "api_keys",
    "attempts",
    "batches",
    "blobs",
    "channels",
    "client_rates",
    "client_references",
    "clients",
    "contracts",
    "counters",
    "daily_usage",
    "documents",
    "events",
    "feeds",
    "grants",
    "idempotency_keys",
    "incarnation",
    "messages",
    "metadata",
    "rates",
    "recipients",
    "reports",
    "retention",
    "slots",
    "team_recipients",
    "unmapped_codes",
    "webhook_deliveries",
    "webhook_endpoints",
]
