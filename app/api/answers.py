"""Make what a client is told out of the store's rows (the shapes are in `shapes.py`)."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from pydantic_core import to_json
from sqlalchemy import RowMapping

from app.domain.identifiers import BATCH, DOCUMENT, EVENT, MESSAGE, read, shown
from app.domain.message import Channel, masked_address
from app.domain.moments import moment
from app.domain.status import FINAL, WAITING, Status
from app.domain.twins import public_name

Row = RowMapping | dict[str, Any]


def message(row: Row) -> dict[str, Any]:
    """Return a message row as its public object. A new row may lack columns that are still null."""
    value = row.get
    public, channel, status = shown(MESSAGE, row["id"]), row["channel"], row["status"]
    waits, is_final, units = status in WAITING, status in FINAL, value("units")
    path = f"/v1/messages/{public}"
    at, created_at = value("status_at"), value("created_at")
    created = moment(created_at)
    fax = {
        "pages": units,
        "pages_sent": value("pages_sent"),
        "document_fetched_at": moment(value("document_fetched_at")),
        "ack_overdue": value("ack_overdue_at") is not None and not is_final,
    }
    return {
        "id": public,
        "object": "message",
        "channel": channel,
        "mode": row["mode"],
        "status": status,
        "status_source": row["status_source"],
        "failure": value("failure"),
        "reference": value("reference"),
        "billing_code": value("billing_code"),
        "tags": value("tags"),
        "purpose": value("purpose"),
        "metadata": value("metadata"),
        "warnings": value("warnings"),
        "attempts": value("attempts"),
        # What it waits for besides its turn: its own reason, or its channel's.
        "blocked_reason": (value("blocked_reason") or value("channel_reason")) if waits else None,
        "status_at": created if at is created_at else moment(at),
        "status_checked_at": moment(value("status_checked_at")),
        "created_at": created,
        "submitted_at": moment(value("submitted_at")),
        "send_at": moment(value("send_at")),
        "expires_at": moment(value("expires_at")),
        "status_is_final": is_final,
        "next_check_at": moment(value("due_at")) if not waits else None,
        "recipient": {"masked": row["recipient"]},
        "provider": {
            "name": public_name(row["provider"]),
            "operation": value("provider_function"),
            "message_id": value("provider_message_id"),
            "attempt_ref": value("attempt_reference"),
            "code": value("provider_code"),
            "label": value("provider_label"),
        },
        "batch_id": shown(BATCH, row["batch_id"]) if value("batch_id") else None,
        "status_granularity": _granularity(row),
        "cost": {"estimated": None, "segments_or_pages": units, "final": False},
        "fax": fax if channel == Channel.FAX else None,
        "sms": {"encoding": value("encoding"), "segments": units}
        if channel == Channel.SMS
        else None,
        "links": {"self": path, "events": f"{path}/events", "recipients": f"{path}/recipients"},
    }


def written(content: object) -> str:
    """Return a content as the JSON text that is answered."""
    return to_json(content).decode()


def _granularity(row: Row) -> str:
    """Say whether a status is the message's own: Efidem tells one for a whole campaign of SMS."""
    shares = row.get("campaign_id") is not None and row["channel"] == Channel.SMS
    return "batch" if shares else "message"


def recipient(row: Row, of: Row) -> dict[str, Any]:
    """Return a recipient's row, and its message's row, as the public object."""
    told = row["provider_code"] is not None
    status = Status(row["status"] if told else of["status"])
    return {
        "index": row["place"],
        "kind": row["kind"],
        "recipient": {"masked": masked_address(row["address"])},
        "status": status,
        "status_is_final": status in FINAL,
        "status_at": moment(row["status_at"] if told else of["status_at"]),
        "failure": row["failure"] if told else of["failure"],
        "provider": {
            "name": public_name(of["provider"]),
            "code": row["provider_code"],
            "label": row["provider_label"],
            "time": row["provider_time"],
        },
    }


def only_recipient(of: Row) -> dict[str, Any]:
    """Return the recipient of a message that has one alone."""
    status = Status(of["status"])
    return {
        "index": 0,
        "kind": "to",
        "recipient": {"masked": of["recipient"]},
        "status": status,
        "status_is_final": status in FINAL,
        "status_at": moment(of["status_at"]),
        "failure": of["failure"],
        "provider": {
            "name": public_name(of["provider"]),
            "code": of["provider_code"],
            "label": of["provider_label"],
            "time": None,
        },
    }


def batch(
    row: Row, counts: Mapping[str, int], members: Sequence[dict[str, Any]] | None = None
) -> dict[str, Any]:
    """Return a batch's row as the public object, with its messages where they were just made."""
    public = shown(BATCH, row["id"])
    shares = row["sending"] == "provider_multi" and row["channel"] == Channel.SMS
    return {
        "id": public,
        "object": "batch",
        "channel": row["channel"],
        "mode": row["sending"],
        "key_mode": row["mode"],
        "status_granularity": "batch" if shares else "message",
        "size": row["size"],
        "counts": dict(counts),
        "is_final": all(Status(one) in FINAL for one in counts),
        "messages": members,
        "created_at": moment(row["created_at"]),
        "links": {"self": f"/v1/batches/{public}", "messages": f"/v1/batches/{public}/messages"},
    }


def member(place: int, row: Row) -> dict[str, Any]:
    """Return a new message of a batch as the public object shows it."""
    public = shown(MESSAGE, row["id"])
    return {
        "index": place,
        "id": public,
        "status": row["status"],
        "reference": row["reference"],
        "recipient": {"masked": row["recipient"]},
        "links": {"self": f"/v1/messages/{public}"},
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
            "name": public_name(of["provider"]),
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


def message_location(message_id: UUID) -> str:
    """Return where a message is read."""
    return f"/v1/messages/{shown(MESSAGE, message_id)}"


def message_id_of(location: str) -> UUID:
    """Return the message that an address of ours names."""
    found = read(MESSAGE, location.rpartition("/")[2])
    if found is None:
        raise ValueError(location)
    return found
