"""The simulated Efidem: the functions that send to several, fax, report, describe and administer."""

import csv
import hashlib
import io
import json
import threading
import time
import tomllib
import urllib.error
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from app.providers.efidem.simulator import codes, create_app
from app.providers.efidem.simulator.functions import FUNCTIONS
from app.providers.efidem.simulator.statuses import FOLLOWINGS, Stage
from tests.providers.efidem.test_simulator import (
    GOOD,
    ONE_FILE,
    PROFILE,
    TRIO,
    Clock,
    Provider,
    code_of,
    running,
)

NOON = 1_800_010_800.0  # 2027-01-15 12:00 in Paris
TODAY = date(2027, 1, 15)
FORBIDDEN = "a\u00a4b"


def people(*recipients: str, **each: str) -> dict[str, Any]:
    """Write recipients, each with the fields given, where {n} is its place."""
    return {
        "DESTINATAIRE": [
            {"DESTINATION": one, **{name: value.format(n=n) for name, value in each.items()}}
            for n, one in enumerate(recipients, 1)
        ]
    }


EMAIL = {
    "SUJET": "Bonjour",
    "TEXTE": "Texte",
    "HTML": "<p>Texte</p>",
    "EMETTEUR": "nous@sim.test",
}
NEW: dict[str, dict[str, Any]] = {
    "MULTI_ENVOYER_EMAIL": {"DESTINATION": people("anne@sim.test"), **EMAIL},
    "ENVOYER_EMAIL_RELAIS": {"DESTINATIONS_A": people("anne@sim.test"), **EMAIL},
    "MULTI_ENVOYER_SMS": {"DESTINATAIRE": people("33639980123"), "TEXTE": "Bonjour"},
    "ENVOYER_FAX": {"DESTINATION": "0199000101", "LISTE_FICHIERS": ONE_FILE},
    "STATUT_MULTI_EMAIL": {"MESSAGEID": "0" * 32, "REFCLIENT": "r1"},
    "SUIVRE_EMAIL_RELAIS": {"MESSAGEID": "0" * 32, "DESTINATION": "anne@sim.test"},
    "STATUT_FAX": {"MESSAGEID": "0" * 32},
    "RAPPORT": {"DATE_DEBUT": TODAY, "DATE_FIN": TODAY},
    "OBTENIR_CODE_ESMTP": {"CODE_ESMTP": "5.1.1"},
    "AJOUTER_UTILISATEUR": {"NOM_UTILISATEUR": "paul", "MOT_DE_PASSE_UTILISATEUR": "autre"},
    "ENLEVER_UTILISATEUR": {"NOM_UTILISATEUR": "nobody"},
}


class Functions(Provider):
    def call(self, function: str, **changes: Any) -> Any:
        good = NEW.get(function) or GOOD[function]
        return self.client.service[function](**{**TRIO, **good, **changes})

    def rows(self, **changes: Any) -> list[dict[str, str]]:
        content = bytes(self.call("RAPPORT", **changes)).decode("iso-8859-1")
        return list(csv.DictReader(io.StringIO(content, newline=""), delimiter=";"))

    def users(self) -> list[str]:
        names: list[str] = json.loads(self.http("GET", "/users"))["users"]
        return names


@pytest.fixture(scope="module")
def served() -> Iterator[Functions]:
    clock = Clock(NOON)
    with running(create_app(pace=0.02, now=clock.now), clock) as provider:
        yield Functions(provider.address, provider.client, provider.clock)


@pytest.fixture
def provider(served: Functions) -> Functions:
    served.http("DELETE", "/outcomes")
    served.http("PUT", "/report", b'{"lag": 0}')
    served.clock.moment = NOON
    return served


def test_all_21_functions_of_the_wsdl_are_served(provider: Functions) -> None:
    (service,) = provider.client.wsdl.services.values()
    (port,) = service.ports.values()

    assert set(FUNCTIONS) == set(port.binding._operations)
    assert set(FUNCTIONS) == {*GOOD, *NEW}


# --- codes ---


@pytest.mark.parametrize("function", NEW)
@pytest.mark.parametrize(
    ("parameter", "code"), [("UTILISATEUR", "-1"), ("MOT_DE_PASSE", "-2"), ("AppID", "-3")]
)
def test_an_empty_part_of_the_trio_has_its_code(
    provider: Functions, function: str, parameter: str, code: str
) -> None:
    answer = provider.call(function, **{parameter: " "})

    # RAPPORT's type is binary: so is its code.
    assert (answer.decode() if function == "RAPPORT" else code_of(answer)) == code


@pytest.mark.parametrize("function", NEW)
def test_a_wrong_password_answers_6(provider: Functions, function: str) -> None:
    answer = provider.call(function, MOT_DE_PASSE="wrong")

    assert (answer.decode() if function == "RAPPORT" else code_of(answer)) == "-6"


CODES = [
    ("MULTI_ENVOYER_EMAIL", "-4", {"DESTINATION": {}}),
    ("MULTI_ENVOYER_EMAIL", "-4", {"DESTINATION": people("anne@sim.test", "")}),
    ("MULTI_ENVOYER_EMAIL", "-5", {"EMETTEUR": ""}),
    ("MULTI_ENVOYER_EMAIL", "-6", {"SUJET": ""}),
    ("MULTI_ENVOYER_EMAIL", "-7", {"DESTINATION": people("a@sim.test", VARIABLE1=FORBIDDEN)}),
    ("MULTI_ENVOYER_EMAIL", "-8", {"TEXTE": "", "HTML": ""}),
    ("MULTI_ENVOYER_EMAIL", "-9", {"DESTINATION": people("anne@sim.test", "anne")}),
    ("MULTI_ENVOYER_EMAIL", "-10", {"EMETTEUR": "nous"}),
    ("MULTI_ENVOYER_EMAIL", "-11", {"REPONDRE_A": "nous"}),
    ("ENVOYER_EMAIL_RELAIS", "-4", {"DESTINATIONS_A": {}}),
    ("ENVOYER_EMAIL_RELAIS", "-4", {"DESTINATIONS_CC": people("")}),
    ("ENVOYER_EMAIL_RELAIS", "-5", {"EMETTEUR": ""}),
    ("ENVOYER_EMAIL_RELAIS", "-6", {"SUJET": None}),
    ("ENVOYER_EMAIL_RELAIS", "-7", {"SUJET": FORBIDDEN}),
    ("ENVOYER_EMAIL_RELAIS", "-8", {"TEXTE": "", "HTML": ""}),
    ("ENVOYER_EMAIL_RELAIS", "-9", {"DESTINATIONS_A": people("anne")}),
    ("ENVOYER_EMAIL_RELAIS", "-9", {"DESTINATIONS_CC": people("anne")}),
    ("ENVOYER_EMAIL_RELAIS", "-10", {"EMETTEUR": "nous"}),
    ("ENVOYER_EMAIL_RELAIS", "-11", {"REPONDRE_A": "nous"}),
    ("MULTI_ENVOYER_SMS", "-4", {"DESTINATAIRE": {}}),
    ("MULTI_ENVOYER_SMS", "-4", {"DESTINATAIRE": people("33639980123", " ")}),
    ("MULTI_ENVOYER_SMS", "-5", {"TEXTE": ""}),
    ("MULTI_ENVOYER_SMS", "-7", {"TEXTE": FORBIDDEN}),
    ("MULTI_ENVOYER_SMS", "-8", {"DESTINATAIRE": people("33639980123", "3363998012345678")}),
    ("MULTI_ENVOYER_SMS", "-9", {"DESTINATAIRE": people("3363998")}),
    ("MULTI_ENVOYER_SMS", "-10", {"DESTINATAIRE": people("0666666666")}),
    ("MULTI_ENVOYER_SMS", "-50", {"DESTINATAIRE": people("33639980123", "33639980004")}),
    ("ENVOYER_FAX", "-4", {"DESTINATION": ""}),
    ("ENVOYER_FAX", "-5", {"LISTE_FICHIERS": {}}),
    ("ENVOYER_FAX", "-7", {"TEXTE": FORBIDDEN}),
    ("ENVOYER_FAX", "-8", {"DESTINATION": "0199"}),
    ("ENVOYER_FAX", "-9", {"DESTINATION": "3319900012345678"}),
    ("ENVOYER_FAX", "-10", {"DESTINATION": "0111111111"}),
    ("STATUT_MULTI_EMAIL", "-4", {"MESSAGEID": ""}),
    ("STATUT_MULTI_EMAIL", "-7", {"REFCLIENT": FORBIDDEN}),
    ("STATUT_MULTI_EMAIL", "-8", {"REFCLIENT": ""}),
    ("STATUT_MULTI_EMAIL", "-99", {}),
    ("SUIVRE_EMAIL_RELAIS", "-4", {"MESSAGEID": ""}),
    ("SUIVRE_EMAIL_RELAIS", "-7", {"MESSAGEID": FORBIDDEN}),
    ("SUIVRE_EMAIL_RELAIS", "-8", {"DESTINATION": ""}),
    ("SUIVRE_EMAIL_RELAIS", "-99", {}),
    ("STATUT_FAX", "-4", {"MESSAGEID": ""}),
    ("STATUT_FAX", "-7", {"MESSAGEID": FORBIDDEN}),
    ("STATUT_FAX", "-99", {}),
    ("OBTENIR_CODE_ESMTP", "-4", {"CODE_ESMTP": ""}),
    ("OBTENIR_CODE_ESMTP", "-7", {"CODE_ESMTP": FORBIDDEN}),
    ("OBTENIR_CODE_ESMTP", "-99", {"CODE_ESMTP": "5.9.9"}),
    ("AJOUTER_UTILISATEUR", "-4", {"NOM_UTILISATEUR": ""}),
    ("AJOUTER_UTILISATEUR", "-5", {"MOT_DE_PASSE_UTILISATEUR": ""}),
    ("AJOUTER_UTILISATEUR", "-7", {"NOM_UTILISATEUR": FORBIDDEN}),
    ("AJOUTER_UTILISATEUR", "-99", {"NOM_UTILISATEUR": "rejected"}),
    ("ENLEVER_UTILISATEUR", "-4", {"NOM_UTILISATEUR": ""}),
    ("ENLEVER_UTILISATEUR", "-7", {"NOM_UTILISATEUR": FORBIDDEN}),
    ("ENLEVER_UTILISATEUR", "-99", {}),
]
# A parameter that the type keeps from being wrong (RAPPORT's dates), and blanks of the document.
UNTRIED = {"RAPPORT": {"-4", "-7"}, "STATUT_MULTI_EMAIL": {"-5"}, "OBTENIR_CODE_ESMTP": {"-5"}}


@pytest.mark.parametrize(("function", "code", "changes"), CODES)
def test_each_code_is_answered_and_nothing_is_accepted(
    provider: Functions, function: str, code: str, changes: dict[str, Any]
) -> None:
    before = (provider.ledger(), provider.users())

    assert code_of(provider.call(function, **changes)) == code
    assert (provider.ledger(), provider.users()) == before


@pytest.mark.parametrize("function", NEW)
def test_no_code_is_left_untried(function: str) -> None:
    known = {code.code for code in getattr(codes, function)}
    tried = {code for name, code, _ in CODES if name == function} | {"-1", "-2", "-3", "-6"}

    assert known - tried == UNTRIED.get(function, set())


# --- several recipients ---


def test_an_email_to_several_is_a_line_each_with_one_id(provider: Functions) -> None:
    before = len(provider.ledger())

    message_id = provider.call(
        "MULTI_ENVOYER_EMAIL",
        DESTINATION=people("anne@sim.test", "paul@sim.test", REFCLIENT="r{n}", VARIABLE1="v{n}"),
        LISTE_FICHIERS=ONE_FILE,
        CODE_FACTURATION="multi",
    )

    lines = provider.ledger()[before:]
    assert [(line["id"], line["recipient"], line["reference"]) for line in lines] == [
        (message_id, "anne@sim.test", "r1"),
        (message_id, "paul@sim.test", "r2"),
    ]
    assert [line["n"] for line in lines] == [before + 1, before + 2]
    assert [line["details"]["VARIABLE1"] for line in lines] == ["v1", "v2"]
    assert {line["files"][0]["sha256"] for line in lines} == {
        hashlib.sha256(b"%PDF-1.7").hexdigest()
    }
    assert provider.call("COMPTE_SOUMIS_CODE_FACTURATION", CODE_FACTURATION="multi") == 2


def test_each_recipient_of_an_email_to_several_has_its_own_status(provider: Functions) -> None:
    addresses = ("delivered@sim.test", "perm-fail@sim.test", "temp-fail@sim.test")
    message_id = provider.call(
        "MULTI_ENVOYER_EMAIL", DESTINATION=people(*addresses, REFCLIENT="r{n}")
    )
    provider.clock.moment += 60

    def status(reference: str) -> str:
        asked = {"MESSAGEID": message_id, "REFCLIENT": reference}
        return code_of(provider.call("STATUT_MULTI_EMAIL", **asked))

    assert [status(one) for one in ("r1", "r2", "r3", "r4")] == ["230", "241", "242", "-99"]
    assert provider.status("STATUT_EMAIL", message_id) == "-99"


def test_the_relay_takes_recipients_copies_and_its_own_parameters(provider: Functions) -> None:
    before = len(provider.ledger())

    message_id = provider.call(
        "ENVOYER_EMAIL_RELAIS",
        DESTINATIONS_A=people("anne@sim.test", "paul@sim.test"),
        DESTINATIONS_CC=people("chef@sim.test"),
        ERREURS_VERS="erreurs@sim.test",
        OUVERTURE=True,
        CLICS=False,
        REFCLIENT="ref-relay",
        LISTE_FICHIERS_RELAY=ONE_FILE,
    )

    lines = provider.ledger()[before:]
    assert {(line["id"], line["reference"]) for line in lines} == {(message_id, "ref-relay")}
    common = {"ERREURS_VERS": "erreurs@sim.test", "OUVERTURE": "true", "CLICS": "false"}
    assert [(line["recipient"], line["details"]) for line in lines] == [
        ("anne@sim.test", {**common, "array": "DESTINATIONS_A"}),
        ("paul@sim.test", {**common, "array": "DESTINATIONS_A"}),
        ("chef@sim.test", {**common, "array": "DESTINATIONS_CC"}),
    ]
    assert [len(line["files"]) for line in lines] == [1, 1, 1]


def test_the_relay_follows_each_recipient(provider: Functions) -> None:
    message_id = provider.call(
        "ENVOYER_EMAIL_RELAIS",
        DESTINATIONS_A=people("anne@sim.test", "perm-fail@sim.test"),
        DESTINATIONS_CC=people("temp-fail@sim.test"),
    )
    provider.clock.moment += 60

    def status(address: str) -> str:
        asked = {"MESSAGEID": message_id, "DESTINATION": address}
        return code_of(provider.call("SUIVRE_EMAIL_RELAIS", **asked))

    assert [
        status(one)
        for one in ("Anne@sim.test", "perm-fail@sim.test", "temp-fail@sim.test", "a@sim.test")
    ] == ["330", "341", "342", "-99"]


def test_a_campaign_of_sms_has_one_id_and_the_status_of_its_first(provider: Functions) -> None:
    before = len(provider.ledger())
    message_id = provider.call(
        "MULTI_ENVOYER_SMS",
        DESTINATAIRE=people("06 39 98 00 03", "33639980123"),
        EMETTEUR="MASOCIETE",
    )
    provider.clock.moment += 60

    lines = provider.ledger()[before:]
    assert [(line["id"], line["recipient"]) for line in lines] == [
        (message_id, "33639980003"),
        (message_id, "33639980123"),
    ]
    assert {line["details"]["EMETTEUR"] for line in lines} == {"MASOCIETE"}
    assert provider.status("STATUT_SMS", message_id) == "11"
    assert provider.status("STATUT_COMPLET_SMS", message_id) == "111"


def test_the_recipients_of_one_call_survive_a_restart_together(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    several = people("anne@sim.test", "perm-fail@sim.test", REFCLIENT="r{n}")
    for _ in range(2):
        with running(create_app(pace=0, ledger_path=path)) as found:
            provider = Functions(found.address, found.client)
            if not provider.ledger():
                message_id = provider.call("MULTI_ENVOYER_EMAIL", DESTINATION=several)
            asked = {"MESSAGEID": message_id, "REFCLIENT": "r2"}
            assert code_of(provider.call("STATUT_MULTI_EMAIL", **asked)) == "241"


SEVERAL = [
    ("MULTI_ENVOYER_EMAIL", "DESTINATION", "anne@sim.test", "{}@sim.test"),
    ("ENVOYER_EMAIL_RELAIS", "DESTINATIONS_A", "anne@sim.test", "{}@sim.test"),
    ("MULTI_ENVOYER_SMS", "DESTINATAIRE", "33639980123", "3363998000{}"),
]
DIGITS = {"rejected": "4", "slow": "5", "lost": "6", "notsent": "7"}


@pytest.mark.parametrize(("function", "array", "good", "magic"), SEVERAL)
def test_one_magic_recipient_cuts_the_connection_for_all(
    provider: Functions, function: str, array: str, good: str, magic: str
) -> None:
    for behaviour, accepted in (("lost", 2), ("notsent", 0)):
        one = magic.format(DIGITS[behaviour] if "SMS" in function else behaviour)
        before = len(provider.ledger())

        with pytest.raises(OSError, match="onnection"):
            provider.call(function, **{array: people(good, one)})
        assert len(provider.ledger()) - before == accepted


@pytest.mark.parametrize(("function", "array", "good", "magic"), SEVERAL)
def test_one_rejected_recipient_refuses_all(
    provider: Functions, function: str, array: str, good: str, magic: str
) -> None:
    one = magic.format(DIGITS["rejected"] if "SMS" in function else "rejected")
    before = provider.ledger()

    assert provider.call(function, **{array: people(good, one)}) in {"-9", "-50"}
    assert provider.ledger() == before


def test_one_slow_recipient_delays_the_answer(provider: Functions) -> None:
    before = len(provider.ledger())
    answers: list[str] = []
    several = people("anne@sim.test", "slow@sim.test")
    thread = threading.Thread(
        target=lambda: answers.append(provider.call("MULTI_ENVOYER_EMAIL", DESTINATION=several))
    )

    thread.start()
    while len(provider.ledger()) == before:
        time.sleep(0.01)
    early = list(answers)
    thread.join()

    assert early == []
    assert answers == [provider.ledger()[-1]["id"]]


def test_an_outcome_of_one_recipient_answers_for_all(provider: Functions) -> None:
    before = len(provider.ledger())
    provider.put_outcome("paul@sim.test", answer="quelque chose", accepted=True)

    several = people("anne@sim.test", "paul@sim.test")
    assert provider.call("MULTI_ENVOYER_EMAIL", DESTINATION=several) == "quelque chose"
    assert len(provider.ledger()) == before + 2


# --- fax ---


def test_a_fax_has_a_cover_page_and_files(provider: Functions) -> None:
    message_id = provider.call(
        "ENVOYER_FAX",
        DESTINATION="01 99 00 01 01",
        NOM_DESTINATAIRE="Mairie",
        TEXTE="Ci-joint",
        PAGE_DE_GARDE="GARDE-1",
        REFCLIENT="fax-1",
        CODE_FACTURATION="jur",
    )

    line = provider.ledger()[-1]
    assert (line["id"], line["recipient"], line["reference"]) == (
        message_id,
        "33199000101",
        "fax-1",
    )
    assert line["details"] == {
        "NOM_DESTINATAIRE": "Mairie",
        "TEXTE": "Ci-joint",
        "PAGE_DE_GARDE": "GARDE-1",
    }
    assert line["files"][0]["name"] == "a.pdf"


# --- statuses ---

SENT = {
    "STATUT_MULTI_EMAIL": ("MULTI_ENVOYER_EMAIL", "{}@sim.test"),
    "SUIVRE_EMAIL_RELAIS": ("ENVOYER_EMAIL_RELAIS", "{}@sim.test"),
    "STATUT_FAX": ("ENVOYER_FAX", "019900000{}"),
}


@pytest.mark.parametrize("function", SENT)
@pytest.mark.parametrize(
    ("local_part", "digit", "later"),
    [
        ("delivered", "1", Stage.DELIVERED),
        ("temp-fail", "2", Stage.TEMPORARY_FAILURE),
        ("perm-fail", "3", Stage.PERMANENT_FAILURE),
    ],
)
def test_a_recipient_has_no_status_then_is_sent_then_ends(
    provider: Functions, function: str, local_part: str, digit: str, later: Stage
) -> None:
    sender, pattern = SENT[function]
    recipient = pattern.format(digit if sender == "ENVOYER_FAX" else local_part)
    to, asked = {
        "MULTI_ENVOYER_EMAIL": ({"DESTINATION": people(recipient, REFCLIENT="r1")}, {}),
        "ENVOYER_EMAIL_RELAIS": (
            {"DESTINATIONS_A": people(recipient)},
            {"DESTINATION": recipient},
        ),
        "ENVOYER_FAX": ({"DESTINATION": recipient}, {}),
    }[sender]

    message_id = provider.call(sender, **to)
    seen = []
    for seconds in (0, 0.011, 0.03, 1000):
        provider.clock.moment += seconds
        seen.append(code_of(provider.call(function, MESSAGEID=message_id, **asked)))

    (stages,) = (one.stages for one in FOLLOWINGS if one.function == function)
    assert seen == ["-99", stages[Stage.SENT].code, stages[later].code, stages[later].code]


@pytest.mark.parametrize("function", SENT)
def test_every_status_that_can_be_answered_is_declared_to_operators(function: str) -> None:
    declared = tomllib.loads(PROFILE.read_text())["statuses"][function]
    (stages,) = (one.stages for one in FOLLOWINGS if one.function == function)
    meanings = {
        Stage.SENT: ("sent", None),
        Stage.DELIVERED: ("delivered", None),
        Stage.TEMPORARY_FAILURE: ("failed", "temporary"),
        Stage.PERMANENT_FAILURE: ("failed", "permanent"),
    }

    assert set(stages) == set(meanings)
    for stage, status in stages.items():
        line = declared[status.code]
        assert (line["status"], line.get("type")) == meanings[stage]
        assert line["label"] == status.words


def test_no_two_functions_share_a_status_code() -> None:
    declared = tomllib.loads(PROFILE.read_text())["statuses"]
    every = [code for table in declared.values() for code in table]

    assert set(declared) == {one.function for one in FOLLOWINGS}
    assert len(every) == len(set(every))


# --- reports ---


def test_a_report_has_a_row_for_each_recipient(provider: Functions) -> None:
    provider.clock.moment = NOON + 10 * 86_400
    sms = provider.call("ENVOYER_SMS", CODE_FACTURATION="été;2027")
    several = people("anne@sim.test", "perm-fail@sim.test", REFCLIENT="r{n}")
    email = provider.call("MULTI_ENVOYER_EMAIL", DESTINATION=several)
    provider.call("ENVOYER_FAX")
    provider.call("COURRIER_ENVOYER")
    provider.clock.moment += 1

    day = date(2027, 1, 25)
    rows = provider.rows(DATE_DEBUT=day, DATE_FIN=day)

    assert [row["type"] for row in rows] == ["SMS", "EMAIL", "EMAIL", "FAX", "COURRIER"]
    assert rows[0] == {
        "date": "25/01/2027",
        "heure": "12:00:00",
        "type": "SMS",
        "destinataire": "33639980123",
        "reference": "",
        "code_facturation": "été;2027",
        "messageid": sms,
        "statut": "Reçu",
    }
    assert [(row["messageid"], row["reference"], row["statut"]) for row in rows[1:3]] == [
        (email, "r1", "Délivré au destinataire"),
        (email, "r2", "Adresse du destinataire inexistante"),
    ]


def test_a_report_is_latin_1_with_its_columns_first(provider: Functions) -> None:
    provider.call("ENVOYER_SMS", CODE_FACTURATION="été")

    content = provider.call("RAPPORT")

    assert content.startswith(
        b"date;heure;type;destinataire;reference;code_facturation;messageid;statut\r\n"
    )
    assert "été".encode("iso-8859-1") in content


def test_both_days_of_a_report_belong_to_it_by_the_clocks_of_paris(provider: Functions) -> None:
    day = date(2027, 3, 10)
    midnight = NOON + 53.5 * 86_400  # 2027-03-10 00:00 in Paris
    sent = []
    for moment in (midnight - 1, midnight, midnight + 86_399, midnight + 86_400):
        provider.clock.moment = moment
        sent.append(provider.call("ENVOYER_SMS"))
    provider.clock.moment += 60

    def ids(first: date, last: date) -> list[str]:
        return [row["messageid"] for row in provider.rows(DATE_DEBUT=first, DATE_FIN=last)]

    assert ids(day, day) == sent[1:3]
    assert ids(date(2027, 3, 9), day) == sent[:3]
    assert ids(day, date(2027, 3, 9)) == []


def test_a_report_may_lag(provider: Functions) -> None:
    provider.http("PUT", "/report", b'{"lag": 600}')
    provider.clock.moment = NOON + 20 * 86_400
    day = date(2027, 2, 4)
    message_id = provider.call("ENVOYER_SMS")

    assert provider.rows(DATE_DEBUT=day, DATE_FIN=day) == []
    provider.clock.moment += 600
    rows = provider.rows(DATE_DEBUT=day, DATE_FIN=day)

    assert [row["messageid"] for row in rows] == [message_id]


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b'{"lag": -1}', b'{"lag": "1"}', b'{"lag": 1, "a": 1}']
)
def test_a_malformed_lag_is_refused(provider: Functions, body: bytes) -> None:
    with pytest.raises(urllib.error.HTTPError, match="400") as caught:
        provider.http("PUT", "/report", body)
    caught.value.close()


def test_a_lag_can_be_there_from_the_start() -> None:
    clock = Clock(NOON)
    with running(create_app(now=clock.now, report_lag=60), clock) as found:
        provider = Functions(found.address, found.client, clock)
        provider.call("ENVOYER_SMS")

        assert provider.rows() == []


# --- the rest ---


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("4.1.1", "Bad destination mailboxaddress"),
        ("5.1.1", "Bad destination mailboxaddress"),
        ("5.1.2", "Bad destination system address"),
        ("5.2.0", "Other or undefinedmailboxstatus"),
        ("4.2.2", "Mailbox full"),
        ("5.7.7", "Message integrity failure"),
        ("2.1.1", "-99"),
        ("5.1", "-99"),
        ("X.1.1", "-99"),
    ],
)
def test_an_esmtp_code_is_described(provider: Functions, code: str, words: str) -> None:
    assert provider.call("OBTENIR_CODE_ESMTP", CODE_ESMTP=code) == words


def test_a_user_is_added_once_and_removed_once(provider: Functions) -> None:
    add = {"NOM_UTILISATEUR": "marie", "MOT_DE_PASSE_UTILISATEUR": "S3cret"}

    assert provider.call("AJOUTER_UTILISATEUR", **add) == "1"
    assert provider.call("AJOUTER_UTILISATEUR", **add) == "-99"
    assert provider.users() == ["marie"]
    assert b"S3cret" not in provider.http("GET", "/users")
    assert provider.call("ENLEVER_UTILISATEUR", NOM_UTILISATEUR="marie") == "1"
    assert provider.call("ENLEVER_UTILISATEUR", NOM_UTILISATEUR="marie") == "-99"
    assert provider.users() == []


@pytest.mark.parametrize(("name", "added"), [("lost", ["lost"]), ("notsent", [])])
def test_a_users_name_may_cut_the_connection(
    provider: Functions, name: str, added: list[str]
) -> None:
    with pytest.raises(OSError, match="onnection"):
        provider.call("AJOUTER_UTILISATEUR", NOM_UTILISATEUR=name)
    assert provider.users() == added
    for one in added:
        with pytest.raises(OSError, match="onnection"):
            provider.call("ENLEVER_UTILISATEUR", NOM_UTILISATEUR=one)
    assert provider.users() == []
