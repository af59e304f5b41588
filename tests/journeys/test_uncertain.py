"""Calls whose outcome is unknown: shown as `uncertain`, and settled by evidence or not at all."""

import time

import pytest

from tests.journeys import samples
from tests.journeys.system import System
from tests.journeys.unclear import CASES, Unclear

LONG_ENOUGH = 6.0  # seconds from the request: time-outs, and then eighty at these workers' pace
ONCE = ["queued", "submitting", "uncertain"]


@pytest.mark.parametrize("name", [name for name, (_, _, accepted) in CASES.items() if accepted])
def test_what_was_sent_is_found_and_followed_and_never_sent_again(
    system: System, unclear: Unclear, name: str
) -> None:
    message_id, body = unclear.sent[name]

    message = system.until(message_id, "delivered")

    assert system.timeline(message_id)[:4] == [*ONCE, "submitted"]
    assert message["attempts"] == 1
    (line,) = system.ledger("efidem", billing_code=body["billing_code"])
    assert message["provider"]["message_id"] == line["id"]


@pytest.mark.parametrize(
    "name",
    [name for name, (path, _, accepted) in CASES.items() if not accepted and path != "faxes"],
)
def test_what_may_have_been_sent_is_never_sent_again_without_a_proof(
    system: System, unclear: Unclear, name: str
) -> None:
    message_id, body = unclear.sent[name]
    system.until(message_id, "uncertain")

    time.sleep(max(0.0, unclear.at + LONG_ENOUGH - time.monotonic()))

    message = system.message(message_id)
    assert system.timeline(message_id) == ONCE
    assert message["attempts"] == 1
    assert message["failure"] is None
    assert message["next_check_at"] is not None
    assert not message["status_is_final"]
    assert system.ledger("efidem", billing_code=body["billing_code"]) == []


def test_a_fax_that_nobody_fetched_is_tried_three_times_and_then_left_to_a_person(
    system: System, unclear: Unclear
) -> None:
    message_id, body = unclear.sent["a fax that was not accepted before the connection broke"]

    system.follow(message_id, lambda now: bool(now["attempts"] == 3), "tried three times")
    message = system.follow(
        message_id,
        lambda _: "message.absence_proven" in [one["type"] for one in system.events(message_id)],
        "proven not to be sent",
    )

    assert system.timeline(message_id) == ["queued", *ONCE[1:], *ONCE, *ONCE]
    assert (message["status"], message["attempts"]) == ("uncertain", 3)
    assert system.ledger("fax123", fax=samples.dialled(body)) == []
