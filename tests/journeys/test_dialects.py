"""Messages through Efidem, whatever the dialect of the WSDL that it hands over."""

import hashlib
import json
from collections.abc import Iterator

import pytest

from tests.journeys import samples
from tests.journeys.conftest import prepared
from tests.journeys.system import System


@pytest.fixture(scope="module", params=["asmx", "php", "rpc12", "bare"])
def spoken(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[System]:
    """Return a system whose Efidem speaks a dialect."""
    folder = tmp_path_factory.mktemp(f"dialect-{request.param}")
    with prepared(folder, f"sqlite:///{folder / 'store.db'}") as system:
        system.dialect = request.param
        system.start("efidem", "api", "worker")
        yield system


def test_each_channel_of_efidem_is_delivered(spoken: System) -> None:
    document = samples.pdf(2)
    attached = samples.inline(document, filename="note.pdf")
    sent = {
        "emails": spoken.send("emails", samples.email(attachments=[attached], subject="Où & <là>")),
        "sms": spoken.send("sms", samples.sms(text="Votre code : 1234, à bientôt €")),
        "letters": spoken.send(
            "letters", samples.letter(documents=[attached, attached], color=True, envelope="C6")
        ),
    }

    messages = {path: spoken.until(one, "delivered") for path, one in sent.items()}

    lines = {one["function"]: one for one in spoken.ledger("efidem")}
    digest = hashlib.sha256(document).hexdigest()
    assert len(spoken.ledger("efidem")) == 3
    assert lines["ENVOYER_EMAIL"]["subject"] == "Où & <là>"
    assert [one["sha256"] for one in lines["ENVOYER_EMAIL"]["files"]] == [digest]
    assert [one["sha256"] for one in lines["COURRIER_ENVOYER"]["files"]] == [digest, digest]
    assert (
        lines["ENVOYER_SMS"]["content_sha256"]
        == hashlib.sha256("Votre code : 1234, à bientôt €".encode()).hexdigest()
    )
    for path, function in (("emails", "ENVOYER_EMAIL"), ("letters", "COURRIER_ENVOYER")):
        assert lines[function]["reference"] == messages[path]["provider"]["attempt_ref"]


def test_the_contract_is_reported_without_a_block(spoken: System) -> None:
    checked = spoken.run("providers", "check", "--json")

    assert checked.returncode == 0, checked.stdout
    report = json.loads(checked.stdout)
    assert {one["function"] for one in report} >= {"ENVOYER_EMAIL", "ENVOYER_SMS"}
    assert [one["blocked"] for one in report] == [[]] * len(report)


def test_a_refusal_keeps_its_code(spoken: System) -> None:
    before = len(spoken.ledger("efidem"))

    message_id = spoken.send("sms", samples.sms("0004"))
    message = spoken.until(message_id, "failed")

    assert message["failure"]["provider_code"] == "-9"
    assert len(spoken.ledger("efidem")) == before
