"""The checks find what they are for: each violation is planted once."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from app.domain.identifiers import MESSAGE, shown
from tests.crash.checks import Evidence, Store, judge

ID = UUID("01932e4a-0000-7000-8000-000000000001")
BEGAN = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
MARK = "sms-000001"


def event(sequence: int, previous: str | None, status: str, source: str) -> dict[str, Any]:
    return {
        "sequence": sequence,
        "previous_status": previous,
        "status": status,
        "source": source,
        "applied": True,
        "detail": None,
        "client_id": ID,
        "mode": "live",
        "position": sequence,
    }


def sound() -> Evidence:
    """Return what one message leaves behind that was sent and delivered."""
    message_id = shown(MESSAGE, ID)
    return Evidence(
        store=Store(
            messages={ID: {"id": ID, "billing_code": MARK, "status": "delivered"}},
            events={
                ID: [
                    event(1, None, "queued", "client"),
                    event(2, "queued", "submitting", "worker"),
                    event(3, "submitting", "submitted", "provider_response"),
                    event(4, "submitted", "delivered", "provider_status"),
                ]
            },
            attempts={
                ID: [
                    {
                        "message_id": ID,
                        "reference": "R",
                        "started_at": BEGAN,
                        "ended_at": BEGAN,
                        "outcome": "accepted",
                        "late": None,
                    }
                ]
            },
        ),
        journal=[
            {"event": "ask", "key": "k", "mark": MARK, "behaviour": "delivered"},
            {"event": "told", "key": "k", "mark": MARK, "id": message_id},
        ],
        efidem=[line()],
        fax123=[],
        listed={message_id: "delivered"},
    )


def line(**more: Any) -> dict[str, Any]:
    usual = {"reference": None, "billing_code": MARK, "at": BEGAN.timestamp() + 1}
    return usual | more


def stands(evidence: Evidence, status: str) -> None:
    """Have a message stand somewhere, by an event of its own."""
    evidence.store.messages[ID]["status"] = status
    evidence.listed = {shown(MESSAGE, ID): status}
    evidence.store.events[ID][2:] = [event(3, "submitting", status, "provider_response")]


def lost(evidence: Evidence) -> None:
    evidence.listed = {}


def never_sent(evidence: Evidence) -> None:
    evidence.efidem = []


def twice(evidence: Evidence) -> None:
    evidence.efidem = [line(), line()]


def sent_late(evidence: Evidence) -> None:
    evidence.efidem = [line(at=(BEGAN + timedelta(seconds=9)).timestamp())]


def from_nowhere(evidence: Evidence) -> None:
    evidence.efidem = [line(), line(reference="X")]


def two_ids(evidence: Evidence) -> None:
    evidence.journal = [*evidence.journal, {**evidence.journal[1], "id": "msg_other"}]


def unasked(evidence: Evidence) -> None:
    evidence.journal = evidence.journal[:1]


def waits_though_sent(evidence: Evidence) -> None:
    stands(evidence, "queued")


def failed_though_delivered(evidence: Evidence) -> None:
    stands(evidence, "held")


def unsettled(evidence: Evidence) -> None:
    stands(evidence, "uncertain")


def delivered_though_refused(evidence: Evidence) -> None:
    evidence.journal[0]["behaviour"] = "rejected"  # type: ignore[index]


def open_attempt(evidence: Evidence) -> None:
    evidence.store.attempts[ID][0]["ended_at"] = None


def jumped(evidence: Evidence) -> None:
    evidence.store.events[ID][2:3] = [event(3, "submitting", "cancelled", "client")]


def missing_event(evidence: Evidence) -> None:
    del evidence.store.events[ID][1]


def wrote_over_a_lost_lease(evidence: Evidence) -> None:
    gone = event(3, "submitting", "uncertain", "worker") | {"detail": {"why": "lease_expired"}}
    events = evidence.store.events[ID]
    events[2:] = [gone, event(4, "uncertain", "submitted", "provider_response")]
    events.append(event(5, "submitted", "delivered", "provider_status"))


def skipped_in_the_feed(evidence: Evidence) -> None:
    evidence.store.events[ID][3]["position"] = 5


def never_told(evidence: Evidence) -> None:
    for place, one in enumerate(evidence.store.events[ID]):
        one["position"] = place or None


def turned_in_the_feed(evidence: Evidence) -> None:
    first, second, *_ = evidence.store.events[ID]
    first["position"], second["position"] = second["position"], first["position"]


PLANTED: list[tuple[Callable[[Evidence], None], str]] = [
    (lost, "lost"),
    (never_sent, "lost"),
    (twice, "twice"),
    (sent_late, "sent_late"),
    (from_nowhere, "from_nowhere"),
    (two_ids, "two_ids"),
    (unasked, "unasked"),
    (waits_though_sent, "stuck"),
    (failed_though_delivered, "untrue"),
    (unsettled, "unsettled"),
    (delivered_though_refused, "untrue"),
    (open_attempt, "open_attempt"),
    (jumped, "illegal"),
    (missing_event, "illegal"),
    (wrote_over_a_lost_lease, "unfenced"),
    (skipped_in_the_feed, "feed_gap"),
    (never_told, "feed_gap"),
    (turned_in_the_feed, "feed_turned"),
]


def test_what_is_right_is_found_right() -> None:
    found = judge(sound(), longest=5.0, settled=True)

    assert found.violations == []
    assert (found.figures["messages"], found.figures["ledger_lines"]) == (1, 1)


@pytest.mark.parametrize(("plant", "which"), PLANTED, ids=lambda one: getattr(one, "__name__", ""))
def test_what_is_wrong_is_found(plant: Callable[[Evidence], None], which: str) -> None:
    evidence = sound()
    plant(evidence)

    found = judge(evidence, longest=5.0, settled=True)

    assert which in {one.partition(":")[0] for one in found.violations}
