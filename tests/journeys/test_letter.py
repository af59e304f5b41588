"""Letters, from the request to what the provider says became of them."""

import hashlib
from typing import Any

import pytest

from tests.journeys import samples
from tests.journeys.system import System


def test_a_letter_is_delivered_with_all_its_documents(system: System) -> None:
    documents = [samples.pdf(1), samples.pdf(3)]
    names = ("facture.pdf", "conditions.pdf")
    body = samples.letter(
        subject="Relance",
        documents=[
            samples.inline(content, filename=name)
            for content, name in zip(documents, names, strict=True)
        ],
    )

    message_id = system.send("letters", body)
    message = system.until(message_id, "delivered")

    assert system.timeline(message_id)[:3] == ["queued", "submitting", "submitted"]
    (line,) = system.ledger("efidem", billing_code=body["billing_code"])
    assert line["function"] == "COURRIER_ENVOYER"
    assert line["subject"] == "Relance"
    assert line["reference"] == message["provider"]["attempt_ref"]
    assert line["files"] == [
        {"name": name, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for content, name in zip(documents, names, strict=True)
    ]
    assert message["provider"]["message_id"] == line["id"]
    assert message["provider"]["code"] == "620"
    assert message["cost"]["segments_or_pages"] == 4


def test_a_delivered_letter_may_come_back(system: System) -> None:
    # Held at "Distribué" until that was seen; then the postcode decides again.
    system.outcome("efidem", "99901", status="620")

    message_id = system.send("letters", samples.letter("99901"))
    system.until(message_id, "delivered")
    system.outcome("efidem", "99901")
    message = system.until(message_id, "returned")

    assert system.timeline(message_id)[-2:] == ["delivered", "returned"]
    assert message["provider"]["code"] == "640"
    assert message["provider"]["label"] == "Retourné à l'expéditeur"
    assert message["status_is_final"]


def test_a_refused_letter_fails_with_the_providers_code_and_words(system: System) -> None:
    body = samples.letter("99904")

    message_id = system.send("letters", body)
    message = system.until(message_id, "failed")

    assert message["failure"] == {
        "type": "permanent",
        "reason": "postal_code_length",
        "retryable": False,
        "provider_code": "505",
        "label": "Le champ « Code postal » n'a pas la bonne longueur",
    }
    assert system.timeline(message_id) == ["queued", "submitting", "failed"]
    assert system.ledger("efidem", billing_code=body["billing_code"]) == []


@pytest.mark.parametrize(
    ("postal_code", "failure"),
    [
        ("99902", ("temporary", "unmapped", True, "632", "Distribution suspendue")),
        ("99903", ("permanent", "invalid_recipient", False, "631", "Adresse inconnue")),
    ],
)
def test_a_letter_that_does_not_arrive_says_why(
    system: System, postal_code: str, failure: tuple[Any, ...]
) -> None:
    body = samples.letter(postal_code)

    message = system.until(system.send("letters", body), "failed")

    assert tuple(message["failure"].values()) == failure
    assert len(system.ledger("efidem", billing_code=body["billing_code"])) == 1
