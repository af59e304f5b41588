"""Uncertain messages of every channel, settled end to end by what both providers can tell."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.journeys import samples
from tests.journeys.conftest import prepared
from tests.journeys.loopback import PATIENCE, call, wait_for
from tests.journeys.system import PROVIDERS, System
from tests.postgres import Postgres

# Five minutes between two reports are three seconds, and so is the lag that is waited for.
QUICKLY = {"MULTICANAL_PACE": "0.01", "MULTICANAL_SETTLE": "3", "MULTICANAL_FAX_RETRY_DELAYS": ""}
Sample = Callable[..., dict[str, Any]]
LOST: dict[str, tuple[Sample, str]] = {
    "emails": (samples.email, "lost"),
    "letters": (samples.letter, "99906"),
    "sms": (samples.sms, "0006"),
}
NOT_SENT: dict[str, tuple[Sample, str]] = {
    "emails": (samples.email, "notsent"),
    "letters": (samples.letter, "99907"),
    "sms": (samples.sms, "0007"),
}
AGAIN: dict[str, Sample] = {"emails": samples.email, "sms": samples.sms}
NO_ANSWER = "<html>502</html>"  # of a proxy: nothing that the document lists


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def quick(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[System]:
    """Return a system of its own, whose pauses are short."""
    folder: Path = tmp_path_factory.mktemp(f"reconcile-{request.param}")
    url = f"sqlite:///{folder / 'store.db'}"
    if request.param == "postgresql":
        server: Postgres = request.getfixturevalue("postgres")
        url = server.create(f"reconcile_{uuid4().hex}")
    with prepared(folder, url, *PROVIDERS) as system:
        system.settings |= QUICKLY
        system.up()
        yield system


@dataclass(frozen=True, slots=True)
class Sent:
    """Everything that is sent before the first look: ids and bodies, by case and path."""

    lost: dict[str, tuple[str, dict[str, Any]]]
    not_sent: dict[str, tuple[str, dict[str, Any]]]
    again: dict[str, tuple[str, dict[str, Any]]]


@pytest.fixture(scope="module")
def sent(quick: System) -> Sent:
    """Send what ends uncertain, and then one message a channel that shows how far a report goes."""
    bodies = {path: sample(on_uncertain="retry") for path, sample in AGAIN.items()}
    for body in bodies.values():
        recipient = body["to"] if isinstance(body["to"], str) else body["to"][0]["address"]
        quick.outcome("efidem", recipient.removeprefix("+"), answer=NO_ANSWER)
    found = Sent(
        {path: _send(quick, path, sample(how)) for path, (sample, how) in LOST.items()},
        {path: _send(quick, path, sample(how)) for path, (sample, how) in NOT_SENT.items()},
        {path: _send(quick, path, body) for path, body in bodies.items()},
    )
    for case in (found.lost, found.not_sent, found.again):
        for message_id, _ in case.values():
            quick.follow(
                message_id,
                lambda now: now["status"] not in {"queued", "submitting"},
                "uncertain, or further",
            )
    assert call("DELETE", f"{quick.url('efidem')}/outcomes").status == 204
    for path, (sample, _) in LOST.items():
        quick.until(quick.send(path, sample()), "delivered")
    return found


def _send(system: System, path: str, body: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    return system.send(path, body), body


def lines(system: System, body: dict[str, Any]) -> list[dict[str, Any]]:
    return system.ledger("efidem", billing_code=body["billing_code"])


def told(system: System, message_id: str, kind: str) -> dict[str, Any]:
    """Return the detail of a message's one event of a kind, as soon as it is there."""

    def found() -> list[dict[str, Any]]:
        return [one for one in system.events(message_id) if one["type"] == kind]

    system.follow(message_id, lambda _: len(found()) == 1, f"told {kind}")
    (event,) = found()
    detail: dict[str, Any] = event["detail"]
    return detail


@pytest.mark.parametrize("path", LOST)
def test_what_was_accepted_unseen_is_found_in_the_report_and_delivered(
    quick: System, sent: Sent, path: str
) -> None:
    message_id, body = sent.lost[path]

    message = quick.until(message_id, "delivered")

    (line,) = lines(quick, body)
    assert message["provider"]["message_id"] == line["id"]
    assert message["attempts"] == 1
    assert quick.timeline(message_id)[:4] == ["queued", "submitting", "uncertain", "submitted"]
    found = next(one for one in quick.events(message_id) if one["status"] == "submitted")
    assert (found["source"], found["detail"]["evidence"]) == ("reconciliation", "report")


@pytest.mark.parametrize("path", NOT_SENT)
def test_what_was_not_sent_is_held_with_the_proof(quick: System, sent: Sent, path: str) -> None:
    message_id, body = sent.not_sent[path]

    assert told(quick, message_id, "message.absence_proven")["evidence"] == "report"

    message = quick.message(message_id)
    assert (message["status"], message["attempts"]) == ("uncertain", 1)
    assert lines(quick, body) == []


@pytest.mark.parametrize("path", AGAIN)
def test_what_was_not_sent_is_sent_once_where_its_client_asked_for_that(
    quick: System, sent: Sent, path: str
) -> None:
    message_id, body = sent.again[path]

    message = quick.until(message_id, "delivered")

    assert message["attempts"] == 2
    assert len(lines(quick, body)) == 1
    assert told(quick, message_id, "message.retrying")["evidence"] == "report"


def test_a_letter_cannot_be_asked_to_be_sent_again_by_itself(quick: System) -> None:
    answer = quick.post("/v1/letters", samples.letter(on_uncertain="retry"))

    assert answer.status == 422
    assert [one["pointer"] for one in answer.json["errors"]] == ["/on_uncertain"]


def test_a_fax_that_was_fetched_unseen_waits_for_its_acknowledgement(quick: System) -> None:
    body = samples.fax("0006")

    message_id = quick.send("faxes", body)
    quick.until(message_id, "delivered")

    steps = ["queued", "submitting", "uncertain", "submitted", "delivered"]
    assert quick.timeline(message_id) == steps
    assert len(quick.ledger("fax123", fax=samples.dialled(body))) == 1


def test_a_fax_that_nobody_fetched_is_sent_again_by_itself_and_once(quick: System) -> None:
    body = samples.fax("0007")
    number = samples.dialled(body)

    def look(_: str) -> None:
        if len(quick.relay.urls_of.get(number, ())) == 2:  # before it is called again
            quick.outcome("fax123", number, answer="113", accepted=True)

    quick.relay.look = look
    try:
        message_id = quick.send("faxes", body)
        message = quick.until(message_id, "delivered")
    finally:
        quick.relay.look = None

    assert message["attempts"] == 2
    assert told(quick, message_id, "message.retrying")["evidence"] == "document_never_fetched"
    assert len(quick.ledger("fax123", fax=samples.dialled(body))) == 1


def seen_uncertain(system: System, message_id: str) -> int:
    """Return how often a worker looked at a message, and learnt nothing."""
    logged = system.said("worker").splitlines()
    return sum("still_uncertain" in line and message_id in line for line in logged)


def test_a_report_that_lags_proves_nothing_too_early(quick: System) -> None:
    """A message that the provider has, and its report not yet, is not taken for absent."""
    url = f"{quick.url('efidem')}/report"
    assert call("PUT", url, b'{"lag": 3600}').status == 204
    try:
        body = samples.email("lost", on_uncertain="retry")
        message_id = quick.send("emails", body)
        quick.until(message_id, "uncertain")
        quick.until(quick.send("emails", samples.email()), "delivered")
        wait_for(
            lambda: seen_uncertain(quick, message_id) > 1,
            lambda: quick.explain(message_id, "was not looked at"),
            PATIENCE,
        )
    finally:
        assert call("PUT", url, b'{"lag": 0}').status == 204
    message = quick.until(message_id, "delivered")

    assert message["attempts"] == 1
    assert len(lines(quick, body)) == 1
