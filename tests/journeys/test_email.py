"""E-mails, from the request to what the provider says became of them."""

import hashlib
from typing import Any

import pytest

from tests.journeys import samples
from tests.journeys.loopback import wait_for
from tests.journeys.system import System


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_an_email_is_delivered(system: System) -> None:
    body = samples.email(reference="DOSSIER-1", html="<p>Bonjour</p>")

    message_id = system.send("emails", body)
    message = system.until(message_id, "delivered")

    assert system.timeline(message_id)[:3] == ["queued", "submitting", "submitted"]
    (line,) = system.ledger("efidem", billing_code=body["billing_code"])
    assert line["function"] == "ENVOYER_EMAIL"
    assert line["recipient"] == body["to"][0]["address"]
    assert line["subject"] == body["subject"]
    parts = (body["subject"], body["text"], body["html"])
    assert line["content_sha256"] == sha256("\0".join(parts).encode())
    assert message["provider"] == {
        "name": "efidem",
        "operation": "ENVOYER_EMAIL",
        "message_id": line["id"],
        "attempt_ref": line["reference"],
        "code": "30",
        "label": "Délivré",
    }
    assert message["status_is_final"]
    assert message["status_source"] == "provider_status"
    assert message["reference"] == "DOSSIER-1"
    assert message["attempts"] == 1


def test_the_attachments_of_an_email_arrive_byte_for_byte(system: System) -> None:
    note, report, blob = "Grüße à tous\n".encode(), samples.pdf(2), bytes(range(256)) * 4000
    uploaded = system.post("/v1/documents", report, Content_Type="application/pdf").json
    attachments = [
        samples.inline(note, filename="été & (note).txt"),
        {"document_id": uploaded["id"], "filename": "rapport.pdf"},
        samples.inline(blob, filename="blob.bin"),
    ]
    body = samples.email(attachments=attachments)

    system.until(system.send("emails", body), "delivered")

    (line,) = system.ledger("efidem", billing_code=body["billing_code"])
    assert line["files"] == [
        {"name": "été & (note).txt", "size": len(note), "sha256": sha256(note)},
        {"name": "rapport.pdf", "size": len(report), "sha256": sha256(report)},
        {"name": "blob.bin", "size": len(blob), "sha256": sha256(blob)},
    ]


def test_a_refused_email_fails_with_the_providers_code_and_words(system: System) -> None:
    body = samples.email("rejected")

    message_id = system.send("emails", body)
    message = system.until(message_id, "failed")

    assert message["failure"] == {
        "type": "permanent",
        "reason": "invalid_recipient",
        "retryable": False,
        "provider_code": "-9",
        "label": "Format de l'adresse de destination incorrect",
    }
    assert message["attempts"] == 1
    assert system.timeline(message_id) == ["queued", "submitting", "failed"]
    assert system.ledger("efidem", billing_code=body["billing_code"]) == []


@pytest.mark.parametrize(
    ("behaviour", "failure"),
    [
        ("temp-fail", ("temporary", "mailbox_full", True, "42", "Boîte de réception pleine")),
        ("perm-fail", ("permanent", "invalid_recipient", False, "41", "Adresse inexistante")),
    ],
)
def test_an_email_that_does_not_arrive_says_why(
    system: System, behaviour: str, failure: tuple[Any, ...]
) -> None:
    body = samples.email(behaviour)

    message_id = system.send("emails", body)
    message = system.until(message_id, "failed")

    assert tuple(message["failure"].values()) == failure
    assert len(system.ledger("efidem", billing_code=body["billing_code"])) == 1


def test_a_status_code_that_nobody_mapped_is_kept_raw_and_moves_nothing(system: System) -> None:
    body = samples.email()
    system.outcome("efidem", body["to"][0]["address"], status="777")

    message_id = system.send("emails", body)
    wait_for(
        lambda: "message.status_unmapped" in [one["type"] for one in system.events(message_id)],
        lambda: system.explain(message_id, "was not asked"),
        20,
    )
    message = system.message(message_id)

    assert message["status"] == "submitted"
    assert message["provider"]["code"] == "777"


def test_an_answer_that_the_document_does_not_list_is_uncertain(system: System) -> None:
    body = samples.email()
    system.outcome("efidem", body["to"][0]["address"], answer="-77", accepted=True)

    message = system.until(system.send("emails", body), "uncertain")

    assert message["provider"]["code"] == "-77"
    assert message["attempts"] == 1


def test_a_repeated_request_sends_nothing_again(system: System) -> None:
    body = samples.email()
    once = {"Idempotency_Key": body["billing_code"], "Prefer": "wait=10"}

    first = system.post("/v1/emails", body, **once)
    system.until(first.json["id"], "delivered")
    second = system.post("/v1/emails", body, **once)

    assert (first.status, second.status) == (201, 201)
    assert second.content == first.content
    assert second.headers["idempotency-replayed"] == "true"
    assert len(system.ledger("efidem", billing_code=body["billing_code"])) == 1
