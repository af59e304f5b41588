"""Every function of Efidem's document, end to end, whatever the dialect of the WSDL it hands over."""

import hashlib
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.journeys import samples
from tests.journeys.conftest import prepared
from tests.journeys.loopback import call, wait_for
from tests.journeys.system import System

DIALECTS = ("asmx", "php", "rpc12", "document", "bare")
SCOPES = "email:send,sms:send,letter:send,fax:send,messages:read,reports:read,admin"


@pytest.fixture(scope="module", params=DIALECTS)
def spoken(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[System]:
    """Return a system whose Efidem speaks a dialect."""
    folder = tmp_path_factory.mktemp(f"dialect-{request.param}")
    with prepared(folder, f"sqlite:///{folder / 'store.db'}") as system:
        system.dialect = request.param
        made = system.run("keys", "create", "--name", "journey", "--scopes", SCOPES)
        system.key = made.stdout.splitlines()[-1]
        system.start("efidem")
        system.start("api", "worker")
        yield system


def line_of(system: System, message: dict[str, Any]) -> dict[str, Any]:
    """Return the one line of the provider's ledger about a message that it accepted."""
    lines = system.ledger("efidem")
    found = [one for one in lines if one["id"] == message["provider"]["message_id"]]
    assert len(found) == 1, found
    return dict(found[0])


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_the_contract_is_reported_without_a_block(spoken: System) -> None:
    checked = spoken.run("providers", "check", "--json")

    assert checked.returncode == 0, checked.stdout
    report = json.loads(checked.stdout)
    assert len({one["function"] for one in report}) == 21
    assert [one["blocked"] for one in report] == [[]] * 21


def test_envoyer_email_and_statut_email(spoken: System) -> None:
    document = samples.pdf(2)
    body = samples.email(
        to=[{"address": f"delivered@{spoken.dialect}.test", "name": "Marie Durand"}],
        attachments=[samples.inline(document, filename="note.pdf")],
        subject="Où & <là>",
        reply_to="answers@example.com",
        variables=["Marie", "4,00 €"],
    )

    message = spoken.until(spoken.send("emails", body), "delivered")

    line = line_of(spoken, message)
    assert line["function"] == message["provider"]["operation"] == "ENVOYER_EMAIL"
    assert line["subject"] == "Où & <là>"
    assert [one["sha256"] for one in line["files"]] == [sha256(document)]
    assert line["reference"] == message["provider"]["attempt_ref"]
    details = line["details"]
    assert details["NOM_DESTINATAIRE"] == "Marie Durand"
    assert details["REPONDRE_A"] == "answers@example.com"
    assert (details["VARIABLE1"], details["VARIABLE2"]) == ("Marie", "4,00 €")
    assert message["provider"]["code"] == "30"


def test_multi_envoyer_email_and_statut_multi_email(spoken: System) -> None:
    mark = f"multi-{spoken.dialect}.test"
    given = {
        "mode": "provider_multi",
        "defaults": {
            **samples.email(),
            "attachments": [samples.inline(samples.pdf(1), filename="a.pdf")],
        },
        "messages": [
            {"to": [{"address": f"delivered@{mark}", "name": "Ann"}], "variables": ["un"]},
            {"to": [{"address": f"perm-fail@{mark}"}], "variables": ["deux"], "reference": "r2"},
            {"to": [{"address": f"delivered-3@{mark}"}], "variables": ["trois"]},
        ],
    }

    answer = spoken.post("/v1/emails/batch", given)

    assert answer.status == 202, answer.content
    children = answer.json["messages"]
    ends = ["delivered", "failed", "delivered"]
    messages = [spoken.until(one["id"], end) for one, end in zip(children, ends, strict=True)]
    assert len({one["provider"]["message_id"] for one in messages}) == 1
    lines = [one for one in spoken.ledger("efidem") if one["recipient"].endswith(mark)]
    assert [one["function"] for one in lines] == ["MULTI_ENVOYER_EMAIL"] * 3
    assert [one["reference"] for one in lines] == [
        one["provider"]["attempt_ref"] for one in messages
    ]
    assert [one["details"]["VARIABLE1"] for one in lines] == ["un", "deux", "trois"]
    assert messages[1]["failure"]["provider_code"] == "241"
    assert messages[1]["reference"] == "r2"
    batch = spoken.get(f"/v1/batches/{answer.json['id']}").json
    assert batch["counts"] == {"delivered": 2, "failed": 1}
    assert batch["is_final"] is True


def test_envoyer_email_relais_and_suivre_email_relais(spoken: System) -> None:
    mark = f"relay-{spoken.dialect}.test"
    body = samples.email(
        to=[{"address": f"delivered@{mark}"}, {"address": f"perm-fail@{mark}"}],
        cc=[{"address": f"delivered-cc@{mark}"}],
        errors_to="bounces@example.com",
        track={"opens": True, "clicks": False},
        attachments=[samples.inline(samples.pdf(1), filename="a.pdf")],
    )

    message = spoken.until(spoken.send("emails", body), "partially_delivered")

    assert message["provider"]["operation"] == "ENVOYER_EMAIL_RELAIS"
    lines = [one for one in spoken.ledger("efidem") if one["recipient"].endswith(mark)]
    assert {one["id"] for one in lines} == {message["provider"]["message_id"]}
    assert sorted(one["recipient"] for one in lines) == sorted(
        f"{name}@{mark}" for name in ("delivered", "perm-fail", "delivered-cc")
    )
    details = lines[0]["details"]
    assert details["ERREURS_VERS"] == "bounces@example.com"
    assert details["OUVERTURE"] in {"true", "1"}
    assert details["CLICS"] in {"false", "0"}
    each = spoken.get(f"/v1/messages/{message['id']}/recipients").json["data"]
    assert [(one["kind"], one["status"]) for one in each] == [
        ("to", "delivered"),
        ("to", "failed"),
        ("cc", "delivered"),
    ]
    assert each[1]["failure"]["reason"] == "invalid_recipient"


def test_envoyer_sms_and_statut_complet_sms(spoken: System) -> None:
    text = "Votre code : 1234, à bientôt €"

    message = spoken.until(
        spoken.send("sms", samples.sms(text=text, sender="MASOCIETE")), "delivered"
    )

    line = line_of(spoken, message)
    assert line["function"] == "ENVOYER_SMS"
    assert line["content_sha256"] == sha256(text.encode())
    assert line["details"]["DA"] == "MASOCIETE"
    assert message["provider"]["code"] == "102"
    assert message["provider"]["label"] == "Reçu par le mobile"


def test_statut_sms_where_there_is_no_statut_complet_sms(spoken: System, tmp_path: Path) -> None:
    pins = tmp_path / "pins.toml"
    pins.write_text('[functions.STATUT_COMPLET_SMS]\noperation = "No such operation"\n')
    spoken.stop("worker")
    spoken.start("worker", MULTICANAL_EFIDEM_BINDINGS=str(pins))

    message = spoken.until(spoken.send("sms", samples.sms()), "delivered")

    # What STATUT_COMPLET_SMS would say is 102, with words of the provider's.
    assert message["provider"]["code"] == "2"
    spoken.stop("worker")
    spoken.start("worker")


def test_multi_envoyer_sms_tells_one_status_for_all(spoken: System) -> None:
    numbers = [f"+33612{place}{DIALECTS.index(spoken.dialect)}0001" for place in range(3)]
    given = {
        "mode": "provider_multi",
        "defaults": {"text": "Bonjour", "sender": "MASOCIETE"},
        "messages": [{"to": one, "reference": one[-6:]} for one in numbers],
    }

    answer = spoken.post("/v1/sms/batch", given)

    assert answer.status == 202, answer.content
    assert answer.json["status_granularity"] == "batch"
    messages = [spoken.until(one["id"], "delivered") for one in answer.json["messages"]]
    assert {one["provider"]["operation"] for one in messages} == {"MULTI_ENVOYER_SMS"}
    lines = [one for one in spoken.ledger("efidem") if "+" + one["recipient"] in numbers]
    assert ["+" + one["recipient"] for one in lines] == numbers
    assert {one["details"]["EMETTEUR"] for one in lines} == {"MASOCIETE"}
    assert {one["status_granularity"] for one in messages} == {"batch"}


def test_a_batch_of_individual_messages_makes_one_call_each(spoken: System) -> None:
    given = {
        "defaults": {"text": "Bonjour"},
        "messages": [samples.sms() | {"text": f"Bonjour {place}"} for place in range(3)],
    }

    answer = spoken.post("/v1/sms/batch", given)

    messages = [spoken.until(one["id"], "delivered") for one in answer.json["messages"]]
    assert {one["provider"]["operation"] for one in messages} == {"ENVOYER_SMS"}
    assert len({one["provider"]["message_id"] for one in messages}) == 3


def test_courrier_envoyer_and_courrier_statut(spoken: System) -> None:
    first, second = samples.pdf(2), samples.pdf(1)
    files = [
        samples.inline(one, filename=f"{place}.pdf") for place, one in enumerate((first, second))
    ]
    body = samples.letter(documents=files, color=True, envelope="C6", subject="Relance")
    body["to"]["company"] = "Société & Fils"

    message = spoken.until(spoken.send("letters", body), "delivered")

    line = line_of(spoken, message)
    assert line["function"] == "COURRIER_ENVOYER"
    assert [one["sha256"] for one in line["files"]] == [sha256(first), sha256(second)]
    assert line["reference"] == message["provider"]["attempt_ref"]
    details = line["details"]
    assert details["CIVILITE"] == "Mme"
    assert details["RAISON_SOCIALE"] == "Société & Fils"
    assert details["ADRESSE_1"] == "12 RUE DES LILAS"
    assert details["Type_lettre"] == "C6"
    assert details["Couleur"] in {"true", "1"}
    assert message["provider"]["code"] == "620"


def test_envoyer_fax_and_statut_fax(spoken: System) -> None:
    document = samples.pdf(2)
    body = samples.fax(
        provider="efidem",
        document=samples.inline(document),
        to_name="Mairie",
        cover={"text": "À l'attention de la mairie", "template": "GARDE1"},
    )

    message = spoken.until(spoken.send("faxes", body), "delivered")

    line = line_of(spoken, message)
    assert message["provider"]["name"] == "efidem"
    assert line["function"] == "ENVOYER_FAX"
    assert [one["sha256"] for one in line["files"]] == [sha256(document)]
    assert line["details"]["PAGE_DE_GARDE"] == "GARDE1"
    assert line["details"]["TEXTE"] == "À l'attention de la mairie"
    assert message["provider"]["code"] == "820"


def test_a_refusal_keeps_its_code(spoken: System) -> None:
    before = len(spoken.ledger("efidem"))

    message = spoken.until(spoken.send("sms", samples.sms("0004")), "failed")

    assert message["failure"]["provider_code"] == "-9"
    assert len(spoken.ledger("efidem")) == before


def test_rapport_gives_the_providers_file_and_its_rows(spoken: System) -> None:
    message = spoken.until(spoken.send("emails", samples.email()), "delivered")
    # The provider's days are those of Paris.
    day = datetime.fromisoformat(message["created_at"]).astimezone(ZoneInfo("Europe/Paris")).date()
    before, after = (str(day + timedelta(days=one)) for one in (-1, 0))

    asked = spoken.post("/v1/reports", {"kind": "provider_efidem", "from": before, "to": after})

    assert asked.status == 202, asked.content
    wait_for(
        lambda: spoken.get(f"/v1/reports/{asked.json['id']}").json["status"] == "ready",
        lambda: f"no report\n{spoken.tails()}",
        30,
    )
    file = spoken.get(f"/v1/reports/{asked.json['id']}/file").content
    assert file.startswith(b"date;heure;type;destinataire;reference;")
    assert message["provider"]["attempt_ref"].encode() in file
    rows = spoken.get(f"/v1/reports/{asked.json['id']}/rows").json["data"]
    assert message["provider"]["message_id"] in {one["provider_message_id"] for one in rows}


def test_compte_soumis_code_facturation_beside_our_own_count(spoken: System) -> None:
    code = f"COUNT-{spoken.dialect}"
    for _ in range(2):
        spoken.until(spoken.send("sms", samples.sms(billing_code=code)), "delivered")

    counted = spoken.get(f"/v1/billing-codes/{code}/submitted-count").json

    assert counted["provider"]["count"] == 2
    assert counted["own"]["count"] == 2
    assert counted["difference"] == 0


def test_verifier_adresse_email(spoken: System) -> None:
    asked = {"address": "marie.durand@example.com", "provider_check": True}

    found = spoken.post("/v1/tools/email-address", asked)

    assert found.status == 200, found.content
    assert found.json["valid"] is True
    assert found.json["provider"]["valid"] is True


def test_obtenir_code_esmtp_and_our_own_table(spoken: System) -> None:
    theirs = spoken.get("/v1/tools/esmtp-codes/5.1.1?source=provider")
    ours = spoken.get("/v1/tools/esmtp-codes/5.1.1")

    assert (theirs.status, theirs.json["source"]) == (200, "provider"), theirs.content
    assert (ours.status, ours.json["source"]) == (200, "local")
    assert "ailbox" in ours.json["description"]
    assert spoken.get("/v1/tools/esmtp-codes/5.99.99?source=provider").status == 404


def test_transformer_numero_beside_our_own_normalisation(spoken: System) -> None:
    found = spoken.post("/v1/tools/phone-number", {"number": "+33(0)6.01.02.03.04"})

    assert found.status == 200, found.content
    assert found.json["normalised"] == "+33601020304"
    assert found.json["provider"]["number"] == "33601020304"
    assert found.json["agree"] is True


def test_ajouter_utilisateur_and_enlever_utilisateur(spoken: System) -> None:
    name = f"console-{spoken.dialect}"

    added = spoken.post("/v1/provider-users", {"username": name, "password": "theirs-not-ours"})

    assert added.status == 201, added.content
    assert name in call("GET", f"{spoken.url('efidem')}/users").json["users"]
    key = {"Authorization": f"Bearer {spoken.key}"}
    removed = call("DELETE", f"{spoken.url('api')}/v1/provider-users/{name}", None, key)
    assert removed.status == 204, removed.content
    assert name not in call("GET", f"{spoken.url('efidem')}/users").json["users"]
    # The simulator takes any account but one with this password: the caller's stays the caller's.
    other = spoken.post("/v1/provider-users", {"username": f"{name}-2", "password": "wrong"})
    assert other.status == 201, other.content
    assert "theirs-not-ours" not in (spoken.folder / "api.log").read_text()
