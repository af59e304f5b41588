"""A plain message before it is kept: its own columns; the others say the same of every new one."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from app.domain.status import Status


class New(NamedTuple):
    """A plain message: the columns that it may have, and the key it came with."""

    id: UUID
    client_id: UUID
    mode: str
    channel: str
    provider: str
    created_at: datetime  # and since when it has its status, and is due
    send_at: datetime | None  # None: at once
    expires_at: datetime | None
    reference: str | None
    billing_code: str | None
    purpose: str
    tags: list[str]
    metadata: dict[str, str]
    warnings: list[str]
    on_uncertain: str | None
    content: str  # JSON
    size: int  # bytes
    recipient: str  # masked
    recipient_digest: str | None
    units: int | None
    encoding: str | None
    key: str | None
    fingerprint: str | None  # of the request that brought the key


def new_of(row: Mapping[str, Any], key: str | None, fingerprint: str | None) -> New:
    """Return what a new row of `messages` has of its own; it belongs to no batch."""
    return New._make([*[row[name] for name in New._fields[:-2]], key, fingerprint])


def row_of(new: New) -> dict[str, Any]:
    """Return the whole row of a message."""
    own = new._asdict()
    del own["key"], own["fingerprint"]
    waits = new.send_at is not None and new.send_at > new.created_at
    return own | {
        "batch_id": None,
        "campaign_id": None,
        "status": (Status.SCHEDULED if waits else Status.QUEUED).value,
        "status_at": new.created_at,
        "status_source": "client",
        "due_at": new.send_at if waits else new.created_at,
        "sequence": 1,
        "fence": 0,
        "attempts": 0,
        "checks": 0,
    }


def key_row_of(new: New) -> dict[str, Any]:
    """Return the row of the key that a message came with; its first answer is made again."""
    return {
        "client_id": new.client_id,
        "mode": new.mode,
        "key": new.key,
        "fingerprint": new.fingerprint,
        "object_id": new.id,
        "status": 202,
        "location": "",
        "body": "",
        "created_at": new.created_at,
    }
