"""All 21 functions bound to the simulator's five dialects and called over a real socket."""

import json
import urllib.request
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from lxml import etree

from app.domain.message import Campaign, Channel, Email, Fax, File, Sms, Submission, Submitted
from app.domain.outcome import Accepted, Blocked, Refused
from app.providers.efidem import functions as efidem
from app.providers.efidem import judge
from app.providers.efidem.functions import FUNCTIONS
from app.providers.efidem.simulator import DIALECTS, create_app
from app.providers.efidem.soap import Contract, Soap
from app.providers.manual import Function
from app.providers.wire import Exchange, Wire
from tests.providers.efidem.test_simulator import served_at

pytestmark = pytest.mark.anyio

TRIO = {"UTILISATEUR": "the-user", "MOT_DE_PASSE": "the-caller's", "AppID": "the-app"}
PDF = b"%PDF-1.7"


@dataclass
class Service:
    """One dialect, bound."""

    dialect: str
    address: str
    soap: Soap
    contract: Contract

    async def call(self, function: Function, handed: object) -> Exchange:
        bound = self.contract.bound[function.name]
        return await self.soap.call(self.contract, bound, handed, TRIO)

    async def accepted(self, function: Function, handed: object) -> list[dict[str, Any]]:
        """Make a call and return what the simulator's ledger has of it."""
        outcome = judge.outcome(function, await self.call(function, handed))
        assert isinstance(outcome, Accepted)
        with urllib.request.urlopen(f"{self.address}/ledger") as answer:
            rows = json.load(answer)["submissions"]
        return [one for one in rows if one["id"] == outcome.provider_id]

    def sent(self, function: Function, handed: object) -> etree._Element:
        bound = self.contract.bound[function.name]
        return etree.fromstring(self.contract.render(bound, bound.arguments(handed, TRIO)))


@pytest.fixture(params=list(DIALECTS))
async def service(request: pytest.FixtureRequest) -> AsyncIterator[Service]:
    app = create_app(pace=0.0, dialect=request.param, credentials=tuple(TRIO.values()))
    wire = Wire(timeout=10.0, concurrency=2)
    with served_at(app) as address:
        soap = Soap(wire, FUNCTIONS)
        contract = await soap.load(f"{address}/efidem.wsdl", None)
        yield Service(request.param, address, soap, contract)
        await wire.close()


def submission(content: Any, reference: str = "A7K2M9Q4X1") -> Submission[Any]:
    return Submission(
        message_id=UUID(int=1), content=content, reference=reference, billing_code="DEPT",
        files={"ff": PDF},
    )  # fmt: skip


def email(to: str = "anne@sim.test", **more: Any) -> Email:
    values = {
        "to_address": to, "from_address": "nous@sim.test", "subject": "Bonjour", "text": "T",
        "html": "<p>T</p>",
    }  # fmt: skip
    return Email(**(values | more))


FILE = File(sha256="ff", name="é.pdf", media_type="application/pdf", size=8, pages=1)


async def test_every_function_is_bound_and_lacks_nothing(service: Service) -> None:
    bound = service.contract.bound

    assert len(bound) == 21
    assert {name: list(one.blocked) for name, one in bound.items() if one.blocked} == {}
    assert {name: list(one.missing) for name, one in bound.items() if one.missing} == {}
    assert {str(one.found) for one in bound.values()} <= {"exact", "other spelling"}
    # Where a WSDL writes a day as a text, its format is an operator's to confirm.
    days = [f"{name} is written as %Y-%m-%d: to confirm" for name in ("DATE_DEBUT", "DATE_FIN")]
    assert {name: list(one.notes) for name, one in bound.items() if one.notes} == (
        {"RAPPORT": days} if service.dialect == "php" else {}
    )


async def test_an_emails_variables_arrive_numbered(service: Service) -> None:
    content = email(variables=("un", "deux"))

    (row,) = await service.accepted(efidem.ENVOYER_EMAIL, submission(content))

    assert row["details"] == {"VARIABLE1": "un", "VARIABLE2": "deux"}


async def test_each_member_of_an_email_campaign_has_its_own_name_reference_and_variables(
    service: Service,
) -> None:
    shared: dict[str, Any] = {"files": (FILE,), "reply_to": "reponse@sim.test"}
    campaign = Campaign(
        (
            submission(email("anne@sim.test", to_name="Anne", variables=("a", "b"), **shared), "REF1"),
            submission(email("bob@sim.test", **shared), "REF2"),
        )
    )  # fmt: skip

    rows = await service.accepted(efidem.MULTI_ENVOYER_EMAIL, campaign)

    reply = {"REPONDRE_A": "reponse@sim.test"}
    assert [(one["recipient"], one["reference"], one["details"]) for one in rows] == [
        ("anne@sim.test", "REF1", reply | {"NOM_DESTINATAIRE": "Anne", "VARIABLE1": "a", "VARIABLE2": "b"}),
        ("bob@sim.test", "REF2", reply),
    ]  # fmt: skip
    assert {(one["billing_code"], one["subject"]) for one in rows} == {("DEPT", "Bonjour")}
    assert [[file["name"] for file in one["files"]] for one in rows] == [["é.pdf"], ["é.pdf"]]
    asked = Submitted(
        message_id=UUID(int=1), channel=Channel.EMAIL, provider_message_id=rows[0]["id"],
        function="MULTI_ENVOYER_EMAIL", reference="REF2",
    )  # fmt: skip
    found = await service.call(efidem.STATUT_MULTI_EMAIL, asked)
    assert type(judge.finding(efidem.STATUT_MULTI_EMAIL, {}, found)).__name__ in {"Report", "NoStatus"}  # fmt: skip


async def test_the_relay_carries_every_recipient_and_its_own_fields(service: Service) -> None:
    content = email(
        relay=True, also_to=("bob@sim.test",), cc=("carl@sim.test",), errors_to="erreurs@sim.test",
        track_opens=True, files=(FILE,),
    )  # fmt: skip

    rows = await service.accepted(efidem.ENVOYER_EMAIL_RELAIS, submission(content))

    arrays = [(one["recipient"], one["details"].pop("array")) for one in rows]
    assert arrays == [
        ("anne@sim.test", "DESTINATIONS_A"),
        ("bob@sim.test", "DESTINATIONS_A"),
        ("carl@sim.test", "DESTINATIONS_CC"),
    ]
    assert {tuple(sorted(one["details"].items())) for one in rows} == {
        (("CLICS", "false"), ("ERREURS_VERS", "erreurs@sim.test"), ("OUVERTURE", "true"))
    }
    asked = Submitted(
        message_id=UUID(int=1), channel=Channel.EMAIL, provider_message_id=rows[0]["id"],
        function="ENVOYER_EMAIL_RELAIS", reference="A7K2M9Q4X1", recipient="carl@sim.test",
    )  # fmt: skip
    request = service.sent(efidem.SUIVRE_EMAIL_RELAIS, asked)
    assert [one.text for one in request.iterfind(".//{*}DESTINATION")] == ["carl@sim.test"]


async def test_an_sms_campaign_carries_numbers_and_variables(service: Service) -> None:
    campaign = Campaign(
        (
            submission(Sms(to="+33639980001", text="T", sender="MAIRIE", variables=("a",)), "R1"),
            submission(Sms(to="+33639980002", text="T", sender="MAIRIE"), "R2"),
        )
    )

    rows = await service.accepted(efidem.MULTI_ENVOYER_SMS, campaign)

    assert [(one["recipient"], one["details"]) for one in rows] == [
        ("33639980001", {"EMETTEUR": "MAIRIE", "VARIABLE1": "a"}),
        ("33639980002", {"EMETTEUR": "MAIRIE"}),
    ]


async def test_a_number_of_a_campaign_that_is_too_short_is_told_by_its_own_code(
    service: Service,
) -> None:
    campaign = Campaign((submission(Sms(to="+336", text="T")),))

    outcome = judge.outcome(
        efidem.MULTI_ENVOYER_SMS, await service.call(efidem.MULTI_ENVOYER_SMS, campaign)
    )

    assert isinstance(outcome, Refused)
    assert (outcome.failure.provider_code, outcome.failure.reason) == ("-9", "number_too_short")


async def test_a_fax_carries_its_document_and_cover(service: Service) -> None:
    content = Fax(
        to="+33145678901", file=FILE, to_name="Zoé", cover_text="Pour vous", cover_template="C3"
    )

    (row,) = await service.accepted(efidem.ENVOYER_FAX, submission(content))

    assert (row["recipient"], row["reference"]) == ("33145678901", "A7K2M9Q4X1")
    assert row["details"] == {
        "NOM_DESTINATAIRE": "Zoé", "TEXTE": "Pour vous", "PAGE_DE_GARDE": "C3",
    }  # fmt: skip
    assert [one["name"] for one in row["files"]] == ["é.pdf"]


@pytest.mark.parametrize(
    ("function", "handed"),
    [
        (efidem.RAPPORT, {"DATE_DEBUT": date(2026, 1, 2), "DATE_FIN": date(2026, 1, 3)}),
        (efidem.COMPTE_SOUMIS_CODE_FACTURATION, {"CODE_FACTURATION": "DEPT"}),
        (efidem.VERIFIER_ADRESSE_EMAIL, {"DESTINATAIRE": "anne@sim.test"}),
        (efidem.OBTENIR_CODE_ESMTP, {"CODE_ESMTP": "5.1.1"}),
        (efidem.TRANSFORMER_NUMERO, {"NUMERO": "+33(0)6.01.02.03.04"}),
        (efidem.ENLEVER_UTILISATEUR, {"NOM_UTILISATEUR": "nobody"}),
    ],
    ids=lambda one: getattr(one, "name", ""),
)
async def test_a_tool_is_handed_its_values_by_their_documented_names(
    service: Service, function: Function, handed: dict[str, Any]
) -> None:
    exchange = await service.call(function, handed)

    # No code of a missing value, and no fault: what it was handed arrived.
    outcome = judge.outcome(function, exchange)
    assert not isinstance(outcome, Blocked | Refused)
    written = [one.text or "" for one in service.sent(function, handed).iter()]
    for value in handed.values():
        assert sum(text.startswith(str(value)) for text in written) == 1


async def test_a_new_users_password_and_the_callers_are_never_exchanged(service: Service) -> None:
    handed = {"NOM_UTILISATEUR": "nouveau", "MOT_DE_PASSE": "the-new-user's"}

    outcome = judge.outcome(
        efidem.AJOUTER_UTILISATEUR, await service.call(efidem.AJOUTER_UTILISATEUR, handed)
    )

    # The simulator takes the caller's three credentials and no others.
    assert outcome == Accepted(None, "1", "")
    bound = service.contract.bound["AJOUTER_UTILISATEUR"]
    (place,) = [one for one in bound.places if one.parameter.name == "MOT_DE_PASSE"]
    assert place.shown != bound.trio["MOT_DE_PASSE"]
    written = [one.text for one in service.sent(efidem.AJOUTER_UTILISATEUR, handed).iter()]
    assert (written.count("the-caller's"), written.count("the-new-user's")) == (1, 1)
    wrong = TRIO | {"MOT_DE_PASSE": "the-new-user's"}
    refused = await service.soap.call(service.contract, bound, handed, wrong)
    assert isinstance(judge.outcome(efidem.AJOUTER_UTILISATEUR, refused), Blocked)
