"""Messages that are cancelled, and calls with an unknown outcome that a person resolves."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.journeys import samples
from tests.journeys.conftest import prepared
from tests.journeys.loopback import Answer
from tests.journeys.system import PROVIDERS, System
from tests.postgres import Postgres

SOON = 3.0  # seconds
UNLISTED = "-77"  # a code that the provider's document does not list
WHY = "seen in the provider's console"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def own(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[System]:
    """A system in which nothing else is uncertain: too much of it would stop the channels."""
    folder = tmp_path_factory.mktemp(f"cancel-{request.param}")
    if request.param == "sqlite":
        database_url = f"sqlite:///{folder / 'store.db'}"
    else:
        server: Postgres = request.getfixturevalue("postgres")
        database_url = server.create(f"cancel_{uuid4().hex}")
    with prepared(folder, database_url, *PROVIDERS) as system:
        system.up()
        yield system


@pytest.fixture(scope="module")
def operators(own: System) -> list[str]:
    """The keys of two operators."""
    found = []
    for name in ("operator", "second operator"):
        made = own.run("keys", "create", "--name", name, "--scopes", "admin")
        assert made.returncode == 0, made.stderr
        found.append(made.stdout.splitlines()[-1])
    return found


def cancel(system: System, message_id: str) -> Answer:
    return system.post(f"/v1/messages/{message_id}/cancel", {})


def resolve(system: System, message_id: str, key: str, outcome: str, **more: Any) -> Answer:
    said = {"outcome": outcome, "reason": WHY, **more}
    authorization = {"Authorization": f"Bearer {key}"}
    return system.post(f"/v1/messages/{message_id}/resolve", said, **authorization)


def soon() -> str:
    return (datetime.now(UTC) + timedelta(seconds=SOON)).isoformat()


def code_of(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.json["code"]


def test_a_scheduled_message_that_is_cancelled_never_leaves_and_another_does(own: System) -> None:
    gone, goes = samples.sms(send_at=soon()), samples.sms(send_at=soon())
    cancelled, sent = own.send("sms", gone), own.send("sms", goes)
    assert own.message(cancelled)["status"] == "scheduled"

    answer = cancel(own, cancelled)

    assert (answer.status, answer.json["status"]) == (200, "cancelled")
    own.until(sent, "delivered")
    assert len(own.ledger("efidem", billing_code=goes["billing_code"])) == 1
    assert own.ledger("efidem", billing_code=gone["billing_code"]) == []
    assert own.timeline(cancelled) == ["scheduled", "cancelled"]
    left = datetime.fromisoformat(own.message(sent)["submitted_at"])
    assert left >= datetime.fromisoformat(goes["send_at"])


def test_a_letter_is_cancelled_in_its_window_and_not_after(own: System) -> None:
    gone, goes = (samples.letter(cancel_window_seconds=int(SOON)) for _ in range(2))
    cancelled, sent = own.send("letters", gone), own.send("letters", goes)

    assert cancel(own, cancelled).json["status"] == "cancelled"

    own.follow(sent, lambda now: bool(now["submitted_at"]), "submitted")
    late = code_of(cancel(own, sent))
    assert late in {(409, "already_submitted"), (409, "already_final")}
    assert own.ledger("efidem", billing_code=gone["billing_code"]) == []
    assert len(own.ledger("efidem", billing_code=goes["billing_code"])) == 1


def test_what_was_submitted_is_not_cancelled_and_a_second_cancel_changes_nothing(
    own: System,
) -> None:
    submitted = own.send("faxes", samples.fax("0012"))
    own.follow(submitted, lambda now: now["submitted_at"] is not None, "submitted")
    assert code_of(cancel(own, submitted)) == (409, "already_submitted")

    waiting = own.send("emails", samples.email(send_at=soon()))
    assert [cancel(own, waiting).status for _ in range(2)] == [200, 200]
    assert own.timeline(waiting) == ["scheduled", "cancelled"]


def test_a_batch_is_cancelled_as_far_as_it_has_not_left(own: System) -> None:
    rows = [samples.sms(send_at=soon()) for _ in range(6)]
    shared = {"text": "Bonjour", "send_at": rows[0]["send_at"], "billing_code": "batch-cancelled"}
    messages = [{"to": row["to"]} for row in rows]
    body = {"mode": "provider_multi", "defaults": shared, "messages": messages}
    batch = own.post("/v1/sms/batch", body).json
    one = batch["messages"][0]["id"]
    # The one that was due for all: the others still leave together.
    assert cancel(own, one).status == 200

    rest = [member["id"] for member in batch["messages"][1:]]
    own.follow(rest[0], lambda now: now["submitted_at"] is not None, "submitted")
    answer = own.post(f"/v1/batches/{batch['id']}/cancel", {})

    assert (answer.status, answer.json["cancelled"]) == (200, 0)
    assert answer.json["counts"]["cancelled"] == 1
    lines = own.ledger("efidem", billing_code="batch-cancelled")
    assert len(lines) == 5
    assert {own.message(member)["provider"]["message_id"] for member in rest} == {lines[0]["id"]}


def uncertain(system: System, *, accepted: bool) -> tuple[str, dict[str, Any]]:
    """Send a text message that the provider answers with a code that nobody knows."""
    body = samples.sms()
    system.outcome("efidem", body["to"], answer=UNLISTED, accepted=accepted)
    message_id = system.send("sms", body)
    system.until(message_id, "uncertain")
    system.outcome("efidem", body["to"])
    return message_id, body


def test_what_is_assumed_to_be_sent_is_followed_to_its_end(
    own: System, operators: list[str]
) -> None:
    message_id, body = uncertain(own, accepted=True)
    (line,) = own.ledger("efidem", billing_code=body["billing_code"])

    answer = resolve(own, message_id, operators[0], "assume_sent", provider_message_id=line["id"])

    assert (answer.status, answer.json["status"]) == (200, "submitted")
    own.until(message_id, "delivered")
    assert len(own.ledger("efidem", billing_code=body["billing_code"])) == 1


@pytest.mark.parametrize(
    ("outcome", "more"), [("not_sent", {}), ("retry", {"accept_duplicate_risk": True})]
)
def test_what_is_sent_by_a_persons_word_is_sent_once_more(
    own: System, operators: list[str], outcome: str, more: dict[str, bool]
) -> None:
    message_id, body = uncertain(own, accepted=False)
    if outcome == "retry":
        refused = resolve(own, message_id, operators[0], outcome)
        assert code_of(refused) == (422, "validation_failed")

    answer = resolve(own, message_id, operators[0], outcome, **more)

    assert answer.status == 200
    message = own.until(message_id, "delivered")
    (line,) = own.ledger("efidem", billing_code=body["billing_code"])
    assert line["id"] == message["provider"]["message_id"]
    assert message["attempts"] == 2
    said = [one for one in own.events(message_id) if one["source"] == "operator"]
    assert [one["detail"]["why"] for one in said] == [WHY]
    assert said[0]["detail"]["by"]["key"] in operators[0]


def test_what_is_abandoned_fails_and_is_never_sent(own: System, operators: list[str]) -> None:
    message_id, body = uncertain(own, accepted=False)

    answer = resolve(own, message_id, operators[0], "abandon")
    time.sleep(0.5)

    assert answer.json["failure"]["reason"] == "resolved_abandoned"
    assert own.message(message_id)["status"] == "failed"
    assert own.ledger("efidem", billing_code=body["billing_code"]) == []
    assert code_of(resolve(own, message_id, operators[0], "abandon")) == (409, "already_final")


def test_a_letter_is_sent_again_by_the_word_of_two(own: System, operators: list[str]) -> None:
    body = samples.letter("75012")
    own.outcome("efidem", "75012", answer=UNLISTED, accepted=False)
    message_id = own.send("letters", body)
    own.until(message_id, "uncertain")
    own.outcome("efidem", "75012")

    first = resolve(own, message_id, operators[0], "not_sent")
    assert (first.status, first.json["status"]) == (202, "uncertain")
    second = resolve(own, message_id, operators[1], "not_sent")

    assert second.status == 200
    own.until(message_id, "delivered")
    assert len(own.ledger("efidem", billing_code=body["billing_code"])) == 1


def test_all_that_a_dry_run_counted_is_resolved(own: System, operators: list[str]) -> None:
    ids = [uncertain(own, accepted=False)[0] for _ in range(3)]
    given = {"filter": {"channel": "sms"}, "outcome": "abandon", "reason": WHY}
    key = {"Authorization": f"Bearer {operators[0]}"}

    dry = own.post("/v1/messages/resolve-batch", given, **key).json
    confirmed = given | {"dry_run": False, "confirmation": dry["confirmation"]}
    real = own.post("/v1/messages/resolve-batch", confirmed, **key)

    assert (dry["count"], set(dry["message_ids"])) == (3, set(ids))
    assert (real.json["resolved"], real.json["skipped"]) == (3, 0)
    assert {own.message(one)["status"] for one in ids} == {"failed"}


def test_a_provider_is_asked_when_its_client_wants_to_know(own: System) -> None:
    message_id = own.send("sms", samples.sms())
    own.follow(message_id, lambda now: bool(now["submitted_at"]), "submitted")
    fax = own.send("faxes", samples.fax("0012"))

    asked = own.post(f"/v1/messages/{message_id}/refresh", {})

    assert asked.status in {202, 409}
    if asked.status == 409:  # it was delivered in the meantime
        assert code_of(asked) == (409, "already_final")
    own.until(message_id, "delivered")
    refused = own.post(f"/v1/messages/{fax}/refresh", {})
    assert code_of(refused) == (409, "status_query_not_supported")
