"""Faxes: the provider fetches the document, answers, and acknowledges, in whatever order."""

import base64
import hashlib
import time
from queue import Queue
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.journeys import samples
from tests.journeys.loopback import call, wait_for
from tests.journeys.system import SECRETS, System


def settled(system: System, body: dict[str, Any], status: str) -> tuple[str, dict[str, Any]]:
    """Send a fax and return it when it has a status."""
    message_id = system.send("faxes", body)
    return message_id, system.until(message_id, status)


def acknowledged(system: System, attempt: str, **given: str) -> int:
    """Acknowledge as the provider does, and return the HTTP status."""
    variables = {"etat_e": "0", "ref_accuse": attempt, "numero": "", "nb_page": "2"} | given
    secret = SECRETS["MULTICANAL_CALLBACK_SECRET"]
    return call("GET", f"{system.url('api')}/hooks/123fax/{secret}?{urlencode(variables)}").status


def test_a_fax_is_delivered_with_all_its_pages(system: System) -> None:
    content = samples.pdf(3)
    body = samples.fax(document=samples.inline(content))

    message_id, message = settled(system, body, "delivered")

    assert system.timeline(message_id) == ["queued", "submitting", "submitted", "delivered"]
    (line,) = system.ledger("fax123", fax=samples.dialled(body))
    assert line["sha256"] == hashlib.sha256(content).hexdigest()
    assert line["pages"] == 3
    assert line["ref"] == message["provider"]["attempt_ref"]
    assert message["fax"].pop("document_fetched_at")
    assert message["fax"] == {"pages": 3, "pages_sent": 3, "ack_overdue": False}
    assert message["provider"]["code"] == "0"
    assert message["provider"]["label"] == "OK reçu"
    assert message["status_source"] == "acknowledgement"


def test_a_refused_fax_fails_with_the_providers_code_and_words(system: System) -> None:
    body = samples.fax("0004")

    message_id, message = settled(system, body, "failed")

    assert message["failure"] == {
        "type": "permanent",
        "reason": "invalid_recipient",
        "retryable": False,
        "provider_code": "107",
        "label": "Le numéro de Fax n'est pas valide.",
    }
    assert system.timeline(message_id) == ["queued", "submitting", "failed"]
    assert system.ledger("fax123", fax=samples.dialled(body)) == []


@pytest.mark.parametrize(
    ("behaviour", "failure"),
    [
        ("0002", ("temporary", "no_answer", True, "31068", "pas de réponse")),
        ("0003", ("permanent", "invalid_recipient", False, "31083", "mauvais numéro")),
        # Not in the document: it was not received, and nobody knows why.
        ("0013", ("unknown", "unmapped", False, "39999", None)),
    ],
)
def test_a_fax_that_does_not_arrive_says_why(
    system: System, behaviour: str, failure: tuple[Any, ...]
) -> None:
    body = samples.fax(behaviour)

    _, message = settled(system, body, "failed")

    assert tuple(message["failure"].values()) == failure
    assert len(system.ledger("fax123", fax=samples.dialled(body))) == 1


def test_a_fax_that_lacks_a_page_is_delivered_in_part(system: System) -> None:
    _, message = settled(system, samples.fax("0009", pages=3), "partially_delivered")

    assert message["fax"]["pages"] == 3
    assert message["fax"]["pages_sent"] == 2
    assert message["failure"] is None


def test_an_acknowledgement_may_come_before_the_answer(system: System) -> None:
    body = samples.fax("0010")

    message_id, _ = settled(system, body, "delivered")

    assert system.timeline(message_id) == ["queued", "submitting", "submitted", "delivered"]
    assert len(system.ledger("fax123", fax=samples.dialled(body))) == 1


def test_an_acknowledgement_that_comes_twice_delivers_once(system: System) -> None:
    message_id, message = settled(system, samples.fax("0011"), "delivered")

    reference = message["provider"]["attempt_ref"]
    wait_for(
        lambda: len(system.ledger("fax123", "acknowledgements", ref=reference)) == 2,
        lambda: system.explain(message_id, "was not acknowledged twice"),
        20,
    )
    acknowledgements = system.ledger("fax123", "acknowledgements", ref=reference)
    assert [one["http_status"] for one in acknowledgements] == [200, 200]
    delivered = [one for one in system.events(message_id) if one["status"] == "delivered"]
    assert len(delivered) == 1


def test_a_fax_that_is_never_acknowledged_stays_submitted(system: System) -> None:
    message_id, _ = settled(system, samples.fax("0012"), "submitted")

    time.sleep(1.5)

    message = system.message(message_id)
    assert message["status"] == "submitted"
    assert message["provider"]["code"] == "113"


def test_an_uncertain_fax_is_settled_by_its_acknowledgement(system: System) -> None:
    body = samples.fax("0006")

    message_id, message = settled(system, body, "delivered")

    steps = ["queued", "submitting", "uncertain", "submitted", "delivered"]
    assert system.timeline(message_id) == steps
    assert message["fax"]["pages_sent"] == 2
    assert message["attempts"] == 1
    assert len(system.ledger("fax123", fax=samples.dialled(body))) == 1


def test_a_provider_may_echo_a_reference_of_its_own(system: System) -> None:
    body = samples.fax()
    system.outcome("fax123", samples.dialled(body), echo_ref="own")

    message_id, message = settled(system, body, "delivered")

    (line,) = system.ledger("fax123", fax=samples.dialled(body))
    assert message["provider"]["message_id"] == f"X{line['n']}"
    assert line["ref"] == message["provider"]["attempt_ref"]
    assert system.timeline(message_id) == ["queued", "submitting", "submitted", "delivered"]


def test_only_the_token_opens_a_document_and_only_a_get_fetches_it(system: System) -> None:
    body = samples.fax()
    content = base64.b64decode(body["document"]["content_base64"])
    seen: list[Any] = []
    known: Queue[str] = Queue()

    def look(url: str) -> None:
        if url not in system.relay.urls_of.get(samples.dialled(body), ()):
            return  # another fax, that is tried again meanwhile
        message_id = known.get(timeout=10)
        token = url.rpartition("/")[2].removesuffix(".pdf")
        wrong = url.replace(token, token[:-1] + ("A" if token[-1] != "A" else "B"))
        seen.append([call(method, wrong).status for method in ("GET", "HEAD")])
        seen.append(call("GET", url.removesuffix(".pdf")).status)
        head = call("HEAD", url)
        seen.append((head.status, head.headers["content-length"], head.content))
        seen.append(system.message(message_id)["fax"]["document_fetched_at"])
        got = call("GET", url)
        seen.append((got.status, got.headers["content-type"], got.headers["cache-control"]))
        seen.append(got.content == content)
        seen.append(system.message(message_id)["fax"]["document_fetched_at"] is not None)

    system.relay.look = look
    try:
        known.put(system.send("faxes", body))
        wait_for(lambda: len(seen) == 7, lambda: f"{seen}\n{system.tails()}", 20)
    finally:
        system.relay.look = None

    assert seen == [
        [404, 404],
        404,
        (200, str(len(content)), b""),
        None,
        (200, "application/pdf", "no-store"),
        True,
        True,
    ]


def test_a_refusal_closes_the_document(system: System) -> None:
    body = samples.fax("0004")

    _, message = settled(system, body, "failed")

    (url,) = system.relay.urls_of[samples.dialled(body)]
    assert [call(method, url).status for method in ("GET", "HEAD")] == [404, 404]
    assert message["fax"]["document_fetched_at"] is None


def test_an_acknowledgement_that_names_another_number_moves_nothing(system: System) -> None:
    body = samples.fax("0012")
    message_id, message = settled(system, body, "submitted")
    attempt = message["provider"]["attempt_ref"]

    other = acknowledged(system, attempt, numero="0145678901")
    unknown = acknowledged(system, "nobody", numero=samples.dialled(body))
    untouched = system.message(message_id)["status"]
    right = acknowledged(system, attempt, numero=samples.dialled(body))

    assert (other, unknown, untouched, right) == (200, 200, "submitted", 200)
    assert system.message(message_id)["status"] == "delivered"


def test_an_acknowledgement_needs_the_secret(system: System) -> None:
    body = samples.fax("0012")
    message_id, message = settled(system, body, "submitted")
    variables = {
        "etat_e": "0",
        "ref_accuse": message["provider"]["attempt_ref"],
        "numero": samples.dialled(body),
    }

    answer = call("GET", f"{system.url('api')}/hooks/123fax/guessed?{urlencode(variables)}")

    assert answer.status == 404
    assert system.message(message_id)["status"] == "submitted"
