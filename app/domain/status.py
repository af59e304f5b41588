"""Where a message stands, and the one table of moves that are allowed."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from enum import StrEnum
from typing import Final


class Status(StrEnum):
    """The last known status of a message."""

    SCHEDULED = "scheduled"  # waits for `send_at`
    QUEUED = "queued"  # ready for a worker
    HELD = "held"  # waits for a person
    SUBMITTING = "submitting"  # the attempt is committed, the call may be in flight
    UNCERTAIN = "uncertain"  # a call was made and its outcome is unknown: never sent again blindly
    SUBMITTED = "submitted"  # the provider accepted it
    SENT = "sent"  # the provider handed it to the network or the post
    DELIVERED = "delivered"  # the provider says that it arrived
    PARTIALLY_DELIVERED = "partially_delivered"  # some pages or recipients are missing
    FAILED = "failed"  # it did not arrive, `failure` says why
    RETURNED = "returned"  # a letter came back
    CANCELLED = "cancelled"  # stopped before it left
    EXPIRED = "expired"  # out of time before it left, or no final status in time


_S = Status
_BEFORE_SENDING: Final = frozenset({_S.SUBMITTING, _S.HELD, _S.CANCELLED, _S.EXPIRED, _S.FAILED})
ARRIVED: Final = frozenset({_S.DELIVERED, _S.PARTIALLY_DELIVERED})
_AFTER_SENDING: Final = ARRIVED | {_S.FAILED, _S.RETURNED, _S.EXPIRED}

NEXT: Final[Mapping[Status, AbstractSet[Status]]] = {
    _S.SCHEDULED: _BEFORE_SENDING | {_S.QUEUED},
    # A fax that was sent before and waits to be sent again may have arrived the first time.
    _S.QUEUED: _BEFORE_SENDING | ARRIVED,
    _S.HELD: {_S.QUEUED, _S.CANCELLED, _S.EXPIRED, _S.FAILED},
    _S.SUBMITTING: {_S.QUEUED, _S.SUBMITTED, _S.FAILED, _S.UNCERTAIN, _S.HELD},
    # Held where each attempt ends with the death of its process.
    _S.UNCERTAIN: {_S.QUEUED, _S.SUBMITTED, _S.FAILED, _S.EXPIRED, _S.HELD},
    # Queued again only where its provider says that nothing of it arrived (`BY_REPORT`).
    _S.SUBMITTED: _AFTER_SENDING | {_S.SENT, _S.QUEUED},
    _S.SENT: _AFTER_SENDING,
    # A letter may come back after it was counted as delivered.
    _S.DELIVERED: {_S.RETURNED},
    _S.PARTIALLY_DELIVERED: {_S.DELIVERED},
    # A later positive report corrects a failure or an expiry; a negative one never corrects.
    _S.FAILED: ARRIVED,
    _S.EXPIRED: ARRIVED,
    _S.RETURNED: frozenset(),
    _S.CANCELLED: frozenset(),
}

# Of these, the moves that only a provider's definite report on an attempt allows: that nothing of
# it arrived, so that it may be sent again, or that it did, so that nothing is sent again.
BY_REPORT: Final = frozenset(
    {
        (_S.SUBMITTED, _S.QUEUED),
        (_S.QUEUED, _S.DELIVERED),
        (_S.QUEUED, _S.PARTIALLY_DELIVERED),
    }
)

FINAL: Final = frozenset(
    {
        _S.DELIVERED,
        _S.PARTIALLY_DELIVERED,
        _S.FAILED,
        _S.RETURNED,
        _S.CANCELLED,
        _S.EXPIRED,
    }
)

WAITING: Final = frozenset({_S.SCHEDULED, _S.QUEUED})  # a worker may claim it when it is due
TRACKED: Final = frozenset({_S.SUBMITTED, _S.SENT})  # its provider may know more


def allowed(previous: Status, following: Status) -> bool:
    """Say whether a message may move from one status to another."""
    return following in NEXT[previous]
