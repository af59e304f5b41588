"""The simulated Efidem, over a real socket: every code of its document, and every magic recipient."""

import hashlib
import json
import socket
import threading
import time
import tomllib
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import uvicorn
import zeep
import zeep.helpers
import zeep.wsdl.utils
from requests import Session
from starlette.applications import Starlette
from zeep.transports import Transport

from app.providers.efidem import simulator
from app.providers.efidem.simulator import codes, create_app
from app.providers.efidem.simulator.statuses import FOLLOWINGS, Stage

PROFILE = Path(simulator.__file__).parent.parent / "simulator.toml"
TRIO = {"UTILISATEUR": "user", "MOT_DE_PASSE": "secret", "AppID": "app"}
ONE_FILE = {"LISTE_FICHIER": [{"NOM": "a.pdf", "CONTENU": b"%PDF-1.7"}]}
NAME = {"CIVILITE": "Mme", "NOM": "Martin", "PRENOM": "Anne"}
ADDRESS = {
    "ADRESSE_1": "1 rue de la Paix",
    "CODE_POSTAL": "75002",
    "VILLE": "Paris",
    "PAYS": "France",
}
GOOD: dict[str, dict[str, Any]] = {
    "ENVOYER_EMAIL": {
        "DESTINATION": "anne@sim.test",
        "SUJET": "Bonjour",
        "TEXTE": "Texte",
        "HTML": "<!DOCTYPE html><p>Texte</p>",
        "EMETTEUR": "nous@sim.test",
    },
    "ENVOYER_SMS": {"DESTINATION": "33639980123", "TEXTE": "Votre colis est arrivé"},
    "COURRIER_ENVOYER": {
        "Destinataires": NAME,
        "Adresse_postale": ADDRESS,
        "Liste_Fichier": ONE_FILE,
        "Couleur": False,
        "Type_lettre": "C5",
    },
    "STATUT_EMAIL": {"MESSAGEID": "0" * 32},
    "STATUT_SMS": {"MESSAGEID": "0" * 32},
    "STATUT_COMPLET_SMS": {"MESSAGEID": "0" * 32},
    "COURRIER_STATUT": {"MESSAGEID": "0" * 32},
    "VERIFIER_ADRESSE_EMAIL": {"DESTINATAIRE": "anne@sim.test"},
    "TRANSFORMER_NUMERO": {"NUMERO": "+33(0)6.01.02.03.04"},
    "COMPTE_SOUMIS_CODE_FACTURATION": {"CODE_FACTURATION": "nobody"},
}
SENDING_FUNCTIONS = ("ENVOYER_EMAIL", "ENVOYER_SMS", "COURRIER_ENVOYER")
STATUS_FUNCTIONS = ("STATUT_EMAIL", "STATUT_SMS", "STATUT_COMPLET_SMS", "COURRIER_STATUT")
NO_STATUS = {
    "STATUT_EMAIL": "-99",
    "STATUT_SMS": "-5",
    "STATUT_COMPLET_SMS": "-5",
    "COURRIER_STATUT": "-99",
}
SENT_BY = {
    "STATUT_EMAIL": "ENVOYER_EMAIL",
    "STATUT_SMS": "ENVOYER_SMS",
    "STATUT_COMPLET_SMS": "ENVOYER_SMS",
    "COURRIER_STATUT": "COURRIER_ENVOYER",
}


@dataclass
class Clock:
    moment: float = 1_790_000_000.0

    def now(self) -> float:
        return self.moment


@dataclass
class Provider:
    address: str
    client: Any
    clock: Clock = field(default_factory=Clock)

    def call(self, function: str, **changes: Any) -> Any:
        arguments = {**TRIO, **GOOD[function], **changes}
        return self.client.service[function](**arguments)

    def send(self, function: str, recipient: str) -> Any:
        return self.call(function, **to(function, recipient))

    def status(self, function: str, message_id: str) -> str:
        return code_of(self.call(function, MESSAGEID=message_id))

    def http(self, method: str, path: str, body: bytes | None = None) -> bytes:
        request = urllib.request.Request(self.address + path, data=body, method=method)
        with urllib.request.urlopen(request, timeout=5) as response:
            return bytes(response.read())

    def refused(self, body: bytes) -> tuple[int, str]:
        with pytest.raises(urllib.error.HTTPError) as caught:
            self.http("POST", "/soap", body)
        with caught.value as error:
            return error.code, error.read().decode()

    def put_outcome(self, recipient: str, **outcome: object) -> None:
        self.http("PUT", f"/outcomes/{recipient}", json.dumps(outcome).encode())

    def ledger(self) -> list[dict[str, Any]]:
        submissions: list[dict[str, Any]] = json.loads(self.http("GET", "/ledger"))["submissions"]
        return submissions

    def raw(self, body: bytes) -> bytes:
        """Return all that the server sends back, down to the last byte."""
        host, port = self.address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=5) as connection:
            head = f"POST /soap HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(body)}\r\n\r\n"
            connection.sendall(head.encode() + body)
            received = b""
            while more := connection.recv(65536):
                received += more
            return received


def to(function: str, recipient: str) -> dict[str, Any]:
    if function == "COURRIER_ENVOYER":
        return {"Adresse_postale": {**ADDRESS, "CODE_POSTAL": recipient}}
    return {"DESTINATION": recipient}


def code_of(answer: Any) -> str:
    return str(getattr(answer, "CODE_STATUT", answer))


@contextmanager
def served_at(app: Starlette, http: Any = "auto") -> Iterator[str]:
    """Serve `app` on loopback and give its address."""
    server = uvicorn.Server(
        uvicorn.Config(app, port=0, http=http, log_level="critical", lifespan="off")
    )
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    while not server.started:
        time.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def running(app: Starlette, clock: Clock | None = None, http: Any = "auto") -> Iterator[Provider]:
    with served_at(app, http) as address, Session() as session:
        client = zeep.Client(f"{address}/efidem.wsdl", transport=Transport(session=session))
        yield Provider(address, client, clock or Clock())


@pytest.fixture(scope="module")
def served() -> Iterator[Provider]:
    clock = Clock()
    with running(create_app(pace=0.02, now=clock.now), clock) as provider:
        yield provider


@pytest.fixture
def provider(served: Provider) -> Provider:
    served.http("DELETE", "/outcomes")
    return served


def test_the_wsdl_declares_the_21_functions_of_the_document(provider: Provider) -> None:
    (service,) = provider.client.wsdl.services.values()
    (port,) = service.ports.values()

    assert service.name == "EfidemSimulator"
    assert port.binding_options["address"] == f"{provider.address}/soap"
    assert len(port.binding._operations) == 21


def test_the_wsdl_is_also_at_the_root_and_nothing_else_is(provider: Provider) -> None:
    assert provider.http("GET", "/?wsdl") == provider.http("GET", "/efidem.wsdl")
    with pytest.raises(urllib.error.HTTPError, match="404") as caught:
        provider.http("GET", "/")
    caught.value.close()


def test_the_committed_wsdl_loads_offline() -> None:
    client = zeep.Client(str(PROFILE.with_name("efidem.wsdl")))

    assert client.service._binding_options["address"] == "http://127.0.0.1/soap"


@pytest.mark.parametrize("function", SENDING_FUNCTIONS)
def test_an_accepted_message_gets_a_simplified_guid(provider: Provider, function: str) -> None:
    answer = provider.call(function)

    assert len(answer) == 32
    assert set(answer) <= set("0123456789abcdef")
    assert provider.ledger()[-1]["id"] == answer


@pytest.mark.parametrize(
    ("number", "normalised"),
    [
        ("+33(0)6.01.02.03.04", "33601020304"),
        ("06 01 02 03 04", "33601020304"),
        ("0033 7 01 02 03 04", "33701020304"),
        ("+330601020304", "33601020304"),
        ("+44 20 7946 0018", "442079460018"),
    ],
)
def test_a_number_is_transformed(provider: Provider, number: str, normalised: str) -> None:
    assert provider.call("TRANSFORMER_NUMERO", NUMERO=number) == normalised


def test_a_valid_address_is_verified(provider: Provider) -> None:
    assert provider.call("VERIFIER_ADRESSE_EMAIL") == 1


def test_messages_are_counted_by_billing_code(provider: Provider) -> None:
    provider.call("ENVOYER_SMS", CODE_FACTURATION="counted")
    provider.call("COURRIER_ENVOYER", Facturation="counted")

    function = "COMPTE_SOUMIS_CODE_FACTURATION"
    assert provider.call(function, CODE_FACTURATION="counted") == 2
    assert provider.call(function, CODE_FACTURATION="nobody") == 0


@pytest.mark.parametrize("function", GOOD)
@pytest.mark.parametrize(
    ("parameter", "code"), [("UTILISATEUR", "-1"), ("MOT_DE_PASSE", "-2"), ("AppID", "-3")]
)
def test_an_empty_part_of_the_trio_has_its_code(
    provider: Provider, function: str, parameter: str, code: str
) -> None:
    assert code_of(provider.call(function, **{parameter: " "})) == code


@pytest.mark.parametrize("function", GOOD)
def test_a_wrong_password_answers_6(provider: Provider, function: str) -> None:
    assert code_of(provider.call(function, MOT_DE_PASSE="wrong")) == "-6"


FORBIDDEN = "a\u00a4b"
CODES = [
    ("COMPTE_SOUMIS_CODE_FACTURATION", "-4", {"CODE_FACTURATION": ""}),
    ("COMPTE_SOUMIS_CODE_FACTURATION", "-7", {"CODE_FACTURATION": FORBIDDEN}),
    ("ENVOYER_EMAIL", "-4", {"DESTINATION": ""}),
    ("ENVOYER_EMAIL", "-5", {"EMETTEUR": ""}),
    ("ENVOYER_EMAIL", "-6", {"SUJET": ""}),
    ("ENVOYER_EMAIL", "-6", {"SUJET": None}),
    ("ENVOYER_EMAIL", "-7", {"VARIABLE5": FORBIDDEN}),
    ("ENVOYER_EMAIL", "-8", {"TEXTE": "", "HTML": ""}),
    ("ENVOYER_EMAIL", "-9", {"DESTINATION": "anne@sim"}),
    ("ENVOYER_EMAIL", "-10", {"EMETTEUR": "Nous <nous@sim.test>"}),
    ("ENVOYER_EMAIL", "-11", {"REPONDRE_A": "nous"}),
    ("STATUT_EMAIL", "-4", {"MESSAGEID": ""}),
    ("STATUT_EMAIL", "-7", {"MESSAGEID": FORBIDDEN}),
    ("STATUT_EMAIL", "-99", {}),
    ("VERIFIER_ADRESSE_EMAIL", "-4", {"DESTINATAIRE": ""}),
    ("VERIFIER_ADRESSE_EMAIL", "-7", {"DESTINATAIRE": FORBIDDEN}),
    ("VERIFIER_ADRESSE_EMAIL", "-99", {"DESTINATAIRE": "anne"}),
    ("ENVOYER_SMS", "-4", {"DESTINATION": ""}),
    ("ENVOYER_SMS", "-5", {"TEXTE": ""}),
    ("ENVOYER_SMS", "-7", {"TEXTE": FORBIDDEN}),
    ("ENVOYER_SMS", "-8", {"DESTINATION": "3363998"}),
    ("ENVOYER_SMS", "-9", {"DESTINATION": "3363998012345678"}),
    ("ENVOYER_SMS", "-10", {"DESTINATION": "06 66 66 66 66"}),
    *((f, "-4", {"MESSAGEID": ""}) for f in ("STATUT_SMS", "STATUT_COMPLET_SMS")),
    *((f, "-7", {"MESSAGEID": FORBIDDEN}) for f in ("STATUT_SMS", "STATUT_COMPLET_SMS")),
    *((f, "-8", {}) for f in ("STATUT_SMS", "STATUT_COMPLET_SMS")),
    ("TRANSFORMER_NUMERO", "-4", {"NUMERO": ""}),
    ("COURRIER_ENVOYER", "500", {"Destinataires": {}}),
    ("COURRIER_ENVOYER", "501", {"Destinataires": {**NAME, "NOM": ""}}),
    ("COURRIER_ENVOYER", "502", {"Destinataires": {**NAME, "PRENOM": ""}}),
    ("COURRIER_ENVOYER", "503", {"Adresse_postale": {**ADDRESS, "ADRESSE_1": ""}}),
    ("COURRIER_ENVOYER", "504", {"Adresse_postale": {**ADDRESS, "VILLE": ""}}),
    ("COURRIER_ENVOYER", "505", {"Adresse_postale": {**ADDRESS, "CODE_POSTAL": "7500"}}),
    ("COURRIER_ENVOYER", "506", {"Liste_Fichier": {}}),
    ("COURRIER_STATUT", "-4", {"MESSAGEID": ""}),
    ("COURRIER_STATUT", "-99", {}),
]


@pytest.mark.parametrize(("function", "code", "changes"), CODES)
def test_each_code_of_the_document_is_answered(
    provider: Provider, function: str, code: str, changes: dict[str, Any]
) -> None:
    before = provider.ledger()

    answer = provider.call(function, **changes)

    assert code_of(answer) == code
    assert provider.ledger() == before


def test_a_letter_without_files_answers_506(provider: Provider) -> None:
    assert provider.call("COURRIER_ENVOYER", Liste_Fichier={"LISTE_FICHIER": []}) == "506"


def test_a_belgian_postcode_may_have_four_digits(provider: Provider) -> None:
    address = {**ADDRESS, "CODE_POSTAL": "1000", "VILLE": "Bruxelles", "PAYS": "Belgique"}

    assert len(provider.call("COURRIER_ENVOYER", Adresse_postale=address)) == 32


@pytest.mark.parametrize("function", GOOD)
def test_no_code_of_the_document_is_left_untried(function: str) -> None:
    documented = {code.code for code in getattr(codes, function, codes.STATUT_SMS)}
    blank_or_later = {"-5"} if function in {*STATUS_FUNCTIONS, "VERIFIER_ADRESSE_EMAIL"} else set()
    tried = {code for name, code, _ in CODES if name == function} | {"-1", "-2", "-3", "-6"}

    assert documented - tried <= blank_or_later


@pytest.mark.parametrize("function", STATUS_FUNCTIONS)
@pytest.mark.parametrize(
    ("recipients", "later"),
    [
        (("anne@sim.test", "33639980123", "75002"), Stage.DELIVERED),
        (("delivered@sim.test", "33639980001", "75001"), Stage.DELIVERED),
        (("temp-fail@sim.test", "33639980002", "99902"), Stage.TEMPORARY_FAILURE),
        (("perm-fail@sim.test", "33639980003", "99903"), Stage.PERMANENT_FAILURE),
    ],
)
def test_a_message_has_no_status_then_is_sent_then_ends(
    provider: Provider, function: str, recipients: tuple[str, ...], later: Stage
) -> None:
    (stages,) = (f.stages for f in FOLLOWINGS if f.function == function)
    sender = SENT_BY[function]
    recipient = recipients[SENDING_FUNCTIONS.index(sender)]

    message_id = provider.send(sender, recipient)
    seen = [provider.status(function, message_id)]
    for seconds in (0.011, 0.03, 1000):
        provider.clock.moment += seconds
        seen.append(provider.status(function, message_id))

    end = stages[later].code
    assert seen == [NO_STATUS[function], stages[Stage.SENT].code, end, end]


def test_a_letter_to_99901_is_delivered_then_returned(provider: Provider) -> None:
    message_id = provider.send("COURRIER_ENVOYER", "99901")

    provider.clock.moment += 0.041
    assert provider.status("COURRIER_STATUT", message_id) == "620"
    provider.clock.moment += 0.04
    assert provider.status("COURRIER_STATUT", message_id) == "640"


def test_a_status_object_has_code_paris_date_words_and_id(provider: Provider) -> None:
    provider.clock.moment = 1_800_000_000.0  # 2027-01-15 08:00 UTC
    message_id = provider.send("ENVOYER_SMS", "0639980001")
    provider.clock.moment += 60

    status = provider.call("STATUT_COMPLET_SMS", MESSAGEID=message_id)

    assert zeep.helpers.serialize_object(status, dict) == {
        "CODE_STATUT": "102",
        "DATE_STATUT": datetime(2027, 1, 15, 9),  # noqa: DTZ001 - the provider tells no zone
        "DESCRIPTION_STATUT": "Reçu par le mobile",
        "MESSAGEID": message_id,
    }


def test_a_status_function_knows_only_its_own_messages(provider: Provider) -> None:
    message_id = provider.call("ENVOYER_SMS")
    provider.clock.moment += 60

    assert provider.status("STATUT_EMAIL", message_id) == "-99"


@pytest.mark.parametrize(
    ("function", "recipient", "code"),
    [
        ("ENVOYER_EMAIL", "rejected@sim.test", "-9"),
        ("ENVOYER_SMS", "33639980004", "-9"),
        ("COURRIER_ENVOYER", "99904", "505"),
    ],
)
def test_a_rejected_recipient_answers_at_once_and_is_not_accepted(
    provider: Provider, function: str, recipient: str, code: str
) -> None:
    before = provider.ledger()

    assert provider.send(function, recipient) == code
    assert provider.ledger() == before


@pytest.mark.parametrize("recipient", ["slow@sim.test", "33639980005", "99905"])
def test_a_slow_answer_comes_after_the_message_is_accepted(
    provider: Provider, recipient: str
) -> None:
    function = function_for(recipient)
    before = len(provider.ledger())
    answers: list[str] = []
    thread = threading.Thread(target=lambda: answers.append(provider.send(function, recipient)))

    thread.start()
    while len(provider.ledger()) == before:
        time.sleep(0.01)
    early = list(answers)
    thread.join()

    assert early == []
    assert answers == [provider.ledger()[-1]["id"]]


@pytest.mark.parametrize(
    ("recipient", "accepted"),
    [
        ("lost@sim.test", 1),
        ("33639980006", 1),
        ("99906", 1),
        ("notsent@sim.test", 0),
        ("33639980007", 0),
        ("99907", 0),
    ],
)
def test_a_cut_connection_gives_not_a_byte(
    provider: Provider, recipient: str, accepted: int
) -> None:
    before = len(provider.ledger())

    assert provider.raw(body_to(provider, recipient)) == b""
    assert len(provider.ledger()) - before == accepted


def test_the_connection_is_cut_under_the_other_protocol_too() -> None:
    with running(create_app(), http="h11") as provider:
        assert provider.raw(body_to(provider, "lost@sim.test")) == b""
        assert len(provider.ledger()) == 1


def function_for(recipient: str) -> str:
    if "@" in recipient:
        return "ENVOYER_EMAIL"
    return "COURRIER_ENVOYER" if len(recipient) == 5 else "ENVOYER_SMS"


def body_to(provider: Provider, recipient: str) -> bytes:
    function = function_for(recipient)
    arguments = {**TRIO, **GOOD[function], **to(function, recipient)}
    message = provider.client.create_message(provider.client.service, function, **arguments)
    return bytes(zeep.wsdl.utils.etree_to_string(message))


def test_an_outcome_replaces_the_answer_until_it_is_deleted(provider: Provider) -> None:
    before = len(provider.ledger())
    provider.put_outcome("anne@sim.test", answer="-7")

    assert provider.call("ENVOYER_EMAIL", DESTINATION="Anne@sim.test") == "-7"
    assert provider.call("ENVOYER_EMAIL") == "-7"
    assert len(provider.ledger()) == before

    provider.http("DELETE", "/outcomes")
    assert len(provider.call("ENVOYER_EMAIL")) == 32


def test_an_outcome_may_accept_the_message_all_the_same(provider: Provider) -> None:
    before = len(provider.ledger())
    provider.put_outcome("0639980123", answer="quelque chose", accepted=True)

    assert provider.call("ENVOYER_SMS") == "quelque chose"
    assert len(provider.ledger()) == before + 1


@pytest.mark.parametrize(
    ("function", "recipient", "status"),
    [
        ("STATUT_EMAIL", "anne@sim.test", "43"),
        ("STATUT_EMAIL", "anne@sim.test", "-5"),
        ("STATUT_SMS", "33639980123", "-5"),
        ("STATUT_COMPLET_SMS", "33639980123", "777"),
        ("COURRIER_STATUT", "75002", "640"),
    ],
)
def test_an_outcome_fixes_the_status(
    provider: Provider, function: str, recipient: str, status: str
) -> None:
    message_id = provider.call(SENT_BY[function])
    provider.put_outcome(recipient, status=status)

    assert provider.status(function, message_id) == status


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[]", b'{"answer": 1}', b'{"anwser": "-7"}'])
def test_a_malformed_outcome_is_refused(provider: Provider, body: bytes) -> None:
    with pytest.raises(urllib.error.HTTPError, match="400") as caught:
        provider.http("PUT", "/outcomes/anne@sim.test", body)
    caught.value.close()


def test_the_ledger_shows_what_was_accepted_and_contents_only_as_hashes(
    provider: Provider,
) -> None:
    message_id = provider.call(
        "ENVOYER_EMAIL", REFCLIENT="ref-1", CODE_FACTURATION="bu", LISTE_FICHIERS=ONE_FILE
    )

    file_hash = hashlib.sha256(b"%PDF-1.7").hexdigest()
    content = "\0".join(("Bonjour", "Texte", "<!DOCTYPE html><p>Texte</p>", file_hash))
    assert provider.ledger()[-1] == {
        "n": len(provider.ledger()),
        "at": provider.clock.moment,
        "function": "ENVOYER_EMAIL",
        "id": message_id,
        "reference": "ref-1",
        "recipient": "anne@sim.test",
        "billing_code": "bu",
        "content_sha256": hashlib.sha256(content.encode()).hexdigest(),
        "subject": "Bonjour",
        "files": [{"name": "a.pdf", "size": 8, "sha256": file_hash}],
    }


def test_the_ledger_survives_a_restart_and_a_line_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    with running(create_app(pace=0, ledger_path=path)) as provider:
        first = provider.call("COURRIER_ENVOYER", Reference_client="ref-2")
        kept = provider.ledger()
    with path.open("ab") as file:
        file.write(b'{"n": 2, "at"')

    with running(create_app(pace=0, ledger_path=path)) as provider:
        assert provider.ledger() == kept
        assert provider.status("COURRIER_STATUT", first) == "620"
        second = provider.call("ENVOYER_SMS")

    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(line["n"], line["id"]) for line in lines] == [(1, first), (2, second)]


def test_given_credentials_are_the_only_ones() -> None:
    with running(create_app(credentials=("a", "b", "c"))) as provider:
        right = {"UTILISATEUR": "a", "MOT_DE_PASSE": "b", "AppID": "c"}

        assert provider.call("TRANSFORMER_NUMERO") == "-6"
        assert provider.call("TRANSFORMER_NUMERO", **right) == "33601020304"


def envelope(content: str, before: str = "") -> bytes:
    soap = "http://schemas.xmlsoap.org/soap/envelope/"
    return f'{before}<s:Envelope xmlns:s="{soap}"><s:Body>{content}</s:Body></s:Envelope>'.encode()


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        (b"<a", "Client", "well-formed"),
        (b"", "Client", "well-formed"),
        (envelope("<a/>").decode().encode("utf-16"), "Client", "well-formed"),
        (envelope("<a/>", "<?xml version='1.0'?><!-- > --><!DOCTYPE a>"), "Client", "DTD"),
        (envelope("<a/>", "<!DOCTYPE a [<!ENTITY b 'c'>]>"), "Client", "DTD"),
        (b"<a/>", "Client", "SOAP 1.1 envelope"),
        (envelope(""), "Client", "SOAP 1.1 envelope"),
        (envelope("<a/><b/>"), "Client", "SOAP 1.1 envelope"),
        (envelope("<ENVOYER_SMS/>"), "Client", "no function"),
        (envelope("<ENVOYER_PIGEON xmlns='urn:efidem:multicanal'/>"), "Client", "no function"),
        (envelope("<ENVOYER_SMS xmlns='urn:efidem:multicanal'/>"), "Client", "not valid"),
    ],
)
def test_what_cannot_be_served_answers_a_fault(
    provider: Provider, body: bytes, code: str, words: str
) -> None:
    status, fault = provider.refused(body)

    assert status == 500
    assert f"<faultcode>soap:{code}</faultcode>" in fault
    assert words in fault


def test_a_fault_never_echoes_the_request(provider: Provider) -> None:
    arguments = {**TRIO, **GOOD["COURRIER_ENVOYER"], "Type_lettre": "S3cret"}
    service = provider.client.service
    message = provider.client.create_message(service, "COURRIER_ENVOYER", **arguments)

    _, fault = provider.refused(zeep.wsdl.utils.etree_to_string(message))

    assert "SCHEMAV_CVC_ENUMERATION_VALID" in fault
    assert "S3cret" not in fault


def test_many_comments_before_the_envelope_do_not_stall_the_search_for_a_dtd(
    provider: Provider,
) -> None:
    _, fault = provider.refused(envelope("<a/>", "<!---->" * 50_000))

    assert "no function" in fault


def test_an_attachment_may_exceed_ten_million_characters(provider: Provider) -> None:
    content = b"x" * 9_000_000
    files = {"LISTE_FICHIER": [{"NOM": "a.pdf", "CONTENU": content}]}

    provider.call("COURRIER_ENVOYER", Liste_Fichier=files)

    assert provider.ledger()[-1]["files"][0]["size"] == len(content)


def test_the_simulator_is_healthy(provider: Provider) -> None:
    assert json.loads(provider.http("GET", "/healthz")) == {"status": "ok"}


@pytest.mark.parametrize("function", STATUS_FUNCTIONS)
def test_every_status_that_can_be_answered_is_declared_to_operators(function: str) -> None:
    declared = tomllib.loads(PROFILE.read_text())["statuses"][function]
    (stages,) = (f.stages for f in FOLLOWINGS if f.function == function)
    meanings = {
        Stage.SENT: ("sent", None),
        Stage.DELIVERED: ("delivered", None),
        Stage.TEMPORARY_FAILURE: ("failed", "temporary"),
        Stage.PERMANENT_FAILURE: ("failed", "permanent"),
        Stage.RETURNED: ("returned", None),
    }

    for stage, status in stages.items():
        line = declared[status.code]
        assert (line["status"], line.get("type")) == meanings[stage]
        assert line["label"] == status.words
