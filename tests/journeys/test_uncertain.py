"""Calls whose outcome is unknown: shown as `uncertain`, and never made again."""

import time

import pytest

from tests.journeys import samples
from tests.journeys.system import System
from tests.journeys.unclear import CASES, Unclear

LONG_ENOUGH = 6.0  # seconds from the request: time-outs, and then eighty at these workers' pace


@pytest.mark.parametrize("name", CASES)
def test_what_may_have_been_sent_is_never_sent_again(
    system: System, unclear: Unclear, name: str
) -> None:
    path, _, accepted = CASES[name]
    message_id, body = unclear.sent[name]
    system.until(message_id, "uncertain")

    time.sleep(max(0.0, unclear.at + LONG_ENOUGH - time.monotonic()))

    message = system.message(message_id)
    assert system.timeline(message_id) == ["queued", "submitting", "uncertain"]
    assert message["attempts"] == 1
    assert message["failure"] is None
    assert not message["status_is_final"]
    if path == "faxes":
        lines = system.ledger("fax123", fax=samples.dialled(body))
    else:
        lines = system.ledger("efidem", billing_code=body["billing_code"])
    assert len(lines) == accepted
