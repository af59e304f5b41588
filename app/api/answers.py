"""Make what a client is told out of the store's rows (the shapes are in `shapes.py`)."""

from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping

from app.domain.identifiers import DOCUMENT, EVENT, MESSAGE, read, shown
from app.domain.message import Channel
from app.domain.status import FINAL, WAITING, Status

Row = RowMapping | dict[str, Any]

_SAME: Final = (
    "channel",
    "mode",
    "status",
    "status_source",
    "blocked_reason",
    "failure",
    "reference",
    "billing_code",
    "tags",
    "purpose",
    "metadata",
    "warnings",
    "attempts",
)
_TIMES: Final = (
    "status_at",
    "status_checked_at",
    "created_at",
    "submitted_at",
    "send_at",
    "expires_at",
)


def message(row: Row) -> dict[str, Any]:
    """Return a message row as its public object. A new row may lack columns that are still null."""
    public = shown(MESSAGE, row["id"])
    status = Status(row["status"])
    waits = row.get("due_at") if status not in WAITING else None
    fax = {
        "pages": row.get("units"),
        "pages_sent": row.get("pages_sent"),
        "document_fetched_at": moment(row.get("document_fetched_at")),
        "ack_overdue": False,
    }
    return {
        "id": public,
        "object": "message",
        **{name: row.get(name) for name in _SAME},
        **{name: moment(row.get(name)) for name in _TIMES},
        "status_is_final": status in FINAL,
        "next_check_at": moment(waits),
        "recipient": {"masked": row["recipient"]},
        "provider": {
            "name": row["provider"],
            "operation": row.get("provider_function"),
            "message_id": row.get("provider_message_id"),
            "attempt_ref": row.get("attempt_reference"),
            "code": row.get("provider_code"),
            "label": row.get("provider_label"),
        },
        "batch_id": None,
        "cost": {"estimated": None, "segments_or_pages": row.get("units"), "final": False},
        "fax": fax if row["channel"] == Channel.FAX else None,
        "links": {
            "self": f"/v1/messages/{public}",
            "events": f"/v1/messages/{public}/events",
        },
    }


def event(row: Row, of: Row) -> dict[str, Any]:
    """Return an event row, and its message's row, as the public object."""
    return {
        "id": shown(EVENT, row["id"]),
        "type": row["type"],
        "timestamp": moment(row["at"]),
        "sequence": row["sequence"],
        "message_id": shown(MESSAGE, of["id"]),
        "channel": of["channel"],
        "previous_status": row["previous_status"],
        "status": row["status"],
        "status_is_final": Status(row["status"]) in FINAL,
        "source": row["source"],
        "applied": row["applied"],
        "provider": {
            "name": of["provider"],
            "code": row["provider_code"],
            "label": row["provider_label"],
            "time": row["provider_time"],
        },
        "detail": row["detail"],
    }


def document(row: Row) -> dict[str, Any]:
    """Return a document row as its public object."""
    same = ("filename", "media_type", "size", "sha256", "pages")
    return {
        "id": shown(DOCUMENT, row["id"]),
        "object": "document",
        **{name: row[name] for name in same},
        "checks": ["opens", "not_encrypted", "pages_counted"] if row["pages"] else [],
        "created_at": moment(row["created_at"]),
    }


def moment(value: datetime | None) -> str | None:
    """Return a time as RFC 3339 in UTC, to the millisecond."""
    if value is None:
        return None
    text = value.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def message_location(message_id: UUID) -> str:
    """Return where a message is read."""
    return f"/v1/messages/{shown(MESSAGE, message_id)}"


def message_id_of(location: str) -> UUID:
    """Return the message that an address of ours names."""
    found = read(MESSAGE, location.rpartition("/")[2])
    if found is None:
        raise ValueError(location)
    return found
