"""Uncertain text messages, settled end to end by what the provider counts under slots' codes."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.journeys import samples
from tests.journeys.conftest import prepared
from tests.journeys.loopback import call
from tests.journeys.system import PROVIDERS, System

QUICKLY = {
    "MULTICANAL_EFIDEM_SLOTS": "4",
    "MULTICANAL_PACE": "0.01",
    "MULTICANAL_SETTLE": "3",
}
NO_ANSWER = "<html>502</html>"  # of a proxy: nothing that the document lists
CODE = "relations-clients"


@pytest.fixture
def slotted(tmp_path: Path) -> Iterator[System]:
    """Return a system with four slots a billing code, whose report knows nothing for an hour."""
    with prepared(tmp_path, f"sqlite:///{tmp_path / 'store.db'}", *PROVIDERS) as system:
        system.settings |= QUICKLY
        system.up()
        assert call("PUT", f"{system.url('efidem')}/report", b'{"lag": 3600}').status == 204
        yield system


def sms(behaviour: str) -> dict[str, Any]:
    return samples.sms(behaviour) | {"billing_code": CODE, "on_uncertain": "retry"}


def evidence(system: System, message_id: str) -> list[str]:
    """Return what settled a message, each time that it was uncertain."""
    events = system.events(message_id)
    return [one["detail"]["evidence"] for one in events if one["source"] == "reconciliation"]


def test_lost_and_unsent_text_messages_are_each_sent_exactly_once(slotted: System) -> None:
    usual = [sms("0001") for _ in range(6)]
    lost = [sms("0006") for _ in range(3)]
    unsent = [sms("0001") for _ in range(3)]
    for body in unsent:
        slotted.outcome("efidem", body["to"].removeprefix("+"), answer=NO_ANSWER)
    bodies = [*usual[:3], *lost, *unsent, *usual[3:]]
    sent = {body["to"]: slotted.send("sms", body) for body in bodies}
    for body in (*unsent, *lost):
        slotted.follow(
            sent[body["to"]], lambda now: now["status"] not in {"queued", "submitting"}, "sent"
        )
        slotted.outcome("efidem", body["to"].removeprefix("+"))  # the usual one, if it goes again

    for body in (*usual, *unsent):
        slotted.until(sent[body["to"]], "delivered")
    for body in lost:
        slotted.until(sent[body["to"]], "submitted")

    for body in bodies:
        recipient = body["to"].removeprefix("+")
        lines = [one for one in slotted.ledger("efidem") if recipient in str(one)]
        assert len(lines) == 1, lines
        assert re.fullmatch(rf"{CODE}-[1-4]", lines[0]["billing_code"])
        assert slotted.message(sent[body["to"]])["billing_code"] == CODE
    for body in (*lost, *unsent):
        assert evidence(slotted, sent[body["to"]]) == ["count"]
    attempts = [slotted.message(sent[body["to"]])["attempts"] for body in bodies]
    assert sum(attempts) == len(bodies) + len(unsent)
    detail = slotted.events(sent[lost[0]["to"]])[-1]["detail"]
    assert detail["why"] == "without the provider's id nobody can ask what becomes of it"
