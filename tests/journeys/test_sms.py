"""Text messages, from the request to what the provider says became of them."""

import hashlib
from typing import Any

import pytest

from tests.journeys import samples
from tests.journeys.system import System


def test_an_sms_is_delivered(system: System) -> None:
    body = samples.sms(sender="MASOCIETE")
    written = "0" + body["to"].removeprefix("+33")

    message_id = system.send("sms", body | {"to": written})
    message = system.until(message_id, "delivered")

    assert system.timeline(message_id)[:3] == ["queued", "submitting", "submitted"]
    (line,) = system.ledger("efidem", billing_code=body["billing_code"])
    assert line["function"] == "ENVOYER_SMS"
    assert line["recipient"] == body["to"].removeprefix("+")
    assert line["content_sha256"] == hashlib.sha256(body["text"].encode()).hexdigest()
    assert message["provider"]["message_id"] == line["id"]
    assert message["provider"]["code"] == "102"
    assert message["provider"]["label"] == "Reçu par le mobile"
    assert message["recipient"] == {"masked": f"{body['to'][:4]}****0001"}
    assert message["attempts"] == 1


def test_a_refused_sms_fails_with_the_providers_code_and_words(system: System) -> None:
    body = samples.sms("0004")

    message_id = system.send("sms", body)
    message = system.until(message_id, "failed")

    assert message["failure"] == {
        "type": "permanent",
        "reason": "number_too_long",
        "retryable": False,
        "provider_code": "-9",
        "label": "Numéro de destination trop long",
    }
    assert system.timeline(message_id) == ["queued", "submitting", "failed"]
    assert message["attempts"] == 1
    assert system.ledger("efidem", billing_code=body["billing_code"]) == []


@pytest.mark.parametrize(
    ("behaviour", "failure"),
    [
        ("0002", ("temporary", "unreachable", True, "112", "Mobile éteint ou hors réseau")),
        ("0003", ("permanent", "invalid_recipient", False, "111", "Numéro non attribué")),
    ],
)
def test_an_sms_that_does_not_arrive_says_why(
    system: System, behaviour: str, failure: tuple[Any, ...]
) -> None:
    body = samples.sms(behaviour)

    message = system.until(system.send("sms", body), "failed")

    assert tuple(message["failure"].values()) == failure
    assert len(system.ledger("efidem", billing_code=body["billing_code"])) == 1
