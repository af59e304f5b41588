"""French texts and addresses, from an estimate to what the provider is handed."""

import hashlib

from tests.journeys import samples
from tests.journeys.system import PROVIDERS, System


def started(system: System) -> System:
    system.start(*PROVIDERS)
    system.start("api", "worker")
    return system


def test_a_transliterated_text_is_what_the_provider_gets_and_the_estimate_said(
    alone: System,
) -> None:
    system = started(alone)
    body = samples.sms(text="L\u2019été, l\u2019œuvre, la forêt…", encoding="transliterate")

    estimate = system.post("/v1/estimates", {"channel": "sms", **body}).json
    assert system.ledger("efidem") == []
    message = system.until(system.send("sms", body), "delivered")

    assert estimate["sms"]["text"] == "L'été, l'oeuvre, la foret..."
    (line,) = system.ledger("efidem", billing_code=body["billing_code"])
    sent = estimate["sms"]["text"].encode()
    assert line["content_sha256"] == hashlib.sha256(sent).hexdigest()
    assert message["sms"] == {"encoding": "gsm7", "segments": estimate["sms"]["segments"]}
    assert message["warnings"] == estimate["warnings"] == ["transliterated:/text"]


def test_a_normalised_address_is_what_the_provider_prints_and_the_estimate_said(
    alone: System,
) -> None:
    system = started(alone)
    body = samples.letter()
    body["to"]["address"] |= {
        "line1": "12, rue de l\u2019Église",
        "line2": "Bât. B",
        "city": "Paris",
    }
    body["to"]["address"]["normalise"] = True

    estimate = system.post("/v1/estimates", {"channel": "letter", **body}).json
    message = system.until(system.send("letters", body), "delivered")

    assert estimate["letter"] == {
        "pages": 1,
        "address_lines": ["Mme Marie Durand", "BAT B", "12 RUE DE L EGLISE", "75011 PARIS"],
    }
    (line,) = system.ledger("efidem", billing_code=body["billing_code"])
    assert {name: line["details"][name] for name in ("ADRESSE_1", "ADRESSE_2", "VILLE")} == {
        "ADRESSE_1": "12 RUE DE L EGLISE",
        "ADRESSE_2": "BAT B",
        "VILLE": "PARIS",
    }
    assert message["warnings"] == ["normalised:/to/address"]
