"""Tell clients what happened: the event object, one for the feed and for webhooks.

It holds nothing personal: names, addresses, numbers and texts are read with the message.
"""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import RowMapping

from app.domain.identifiers import BATCH, EVENT, MESSAGE, shown
from app.domain.message import Channel
from app.domain.moments import moment
from app.domain.status import FINAL, Status
from app.domain.twins import public_name

Row = Mapping[str, Any] | RowMapping

# News that changed nothing, such as a report that contradicts a final status: kept, and told as
# what they are. Whoever waits for `message.failed` must not take one for a failure.
IGNORED: Final = "message.report_ignored"

# Every type that a client may be told, and may ask for.
TYPES: Final = (
    *(f"message.{status}" for status in Status),
    "message.retrying",  # queued again: nothing of the attempt before arrived
    "message.absence_proven",  # uncertain: nothing was sent, and a person decides
    "message.evidence_missing",  # uncertain: nothing can show what became of it
    "message.ack_overdue",  # the provider's acknowledgement is late
    "message.status_detail",  # the provider says more, and the status stays
    "message.status_unmapped",  # the provider says something that nobody gave a meaning to
    IGNORED,
    "endpoint.failing",
    "endpoint.disabled",
    "webhook.test",
)


def told(event: Row, message: Row | None) -> dict[str, Any]:
    """Return an event row, and its message's row where it has one, as clients are told it.

    The same event is always told the same way, but for the pages of a fax, which may be corrected.
    """
    data = {
        "event_id": shown(EVENT, event["id"]),
        "position": event.get("position"),
        "sequence": event["sequence"],
    }
    return {
        "type": type_of(event),
        "timestamp": moment(event["at"]),
        "data": data | (_other(event) if message is None else _of_message(event, message)),
    }


def type_of(event: Row) -> str:
    """Return the type that an event is told, and chosen, by."""
    kind: str = event["type"] if event["applied"] else IGNORED
    return kind


def _other(event: Row) -> dict[str, Any]:
    """Return what is told of an event that is no message's, such as of an endpoint."""
    return {"source": event["source"], "detail": event["detail"]}


def _of_message(event: Row, message: Row) -> dict[str, Any]:
    # What moved nothing found the message where it stayed.
    status = Status(event["status"] if event["applied"] else event["previous_status"])
    fax = {"pages": message["units"], "pages_sent": message["pages_sent"]}
    return {
        "message_id": shown(MESSAGE, message["id"]),
        "channel": message["channel"],
        "reference": message["reference"],
        "batch_id": shown(BATCH, message["batch_id"]) if message["batch_id"] else None,
        "previous_status": event["previous_status"],
        "status": status.value,
        "status_is_final": status in FINAL,
        "applied": event["applied"],
        "reported_status": None if event["applied"] else event["status"],
        "failure": _failure(event, message),
        "source": event["source"],
        "provider": {
            "name": public_name(message["provider"]),
            "code": event["provider_code"],
            "label": event["provider_label"],
            "time": event["provider_time"],
        },
        "fax": fax if message["channel"] == Channel.FAX else None,
        "detail": event["detail"],
    }


def _failure(event: Row, message: Row) -> Any:  # noqa: ANN401 -- JSON of the store
    """Return why it failed: the event's own words; older rows have them with the message only."""
    if event["failure"] is not None or event["status"] != Status.FAILED or not event["applied"]:
        return event["failure"]
    return message["failure"]
