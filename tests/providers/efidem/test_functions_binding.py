"""The campaigns, the relay and the console users bound to WSDLs that are less than the document."""

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from lxml import etree

from app.domain.message import Campaign, Email, Letter, Sms, Submission
from app.providers.efidem.functions import (
    AJOUTER_UTILISATEUR,
    COURRIER_ENVOYER,
    ENLEVER_UTILISATEUR,
    ENVOYER_EMAIL_RELAIS,
    MULTI_ENVOYER_EMAIL,
    MULTI_ENVOYER_SMS,
)
from app.providers.efidem.pins import FunctionPins, Pinned, wrong_names
from app.providers.efidem.soap import CannotBind, Contract, Soap
from app.providers.manual import Function
from app.providers.wire import Wire
from tests.providers.efidem.wsdl.written import TRIO, element, named, struct, wsdl

pytestmark = pytest.mark.anyio

CREDENTIALS = {"UTILISATEUR": "me", "MOT_DE_PASSE": "mine", "AppID": "7"}
NEW_USER = {"NOM_UTILISATEUR": "new", "MOT_DE_PASSE": "theirs"}
TEXTS = struct("DESTINATAIRE", element("string", minOccurs=0, maxOccurs="unbounded"))
PERSON = 'maxOccurs="unbounded"'
WHOLE_EMAIL = "".join(element(one) for one in ("TEXTE", "HTML", "EMETTEUR", "SUJET"))


async def bound(
    tmp_path: Path, inside: str, *functions: Function, types: str = "", **pins: FunctionPins
) -> Contract:
    path = tmp_path / "small.wsdl"
    path.write_bytes(wsdl({one.name: inside for one in functions}, types))
    wire = Wire(timeout=1.0, concurrency=1)
    try:
        return await Soap(wire, functions, Pinned(functions=pins)).load(str(path), None)
    finally:
        await wire.close()


def sent(contract: Contract, function: Function, handed: object) -> list[tuple[str, str | None]]:
    """What a request holds beside the credentials at its beginning."""
    one = contract.bound[function.name]
    assert list(one.blocked) == []
    envelope = etree.fromstring(contract.render(one, one.arguments(handed, CREDENTIALS)))
    (request,) = envelope.iterfind("{*}Body/*")
    return [(etree.QName(at).localname, at.text) for at in request.iter() if not len(at)][3:]


def missing(contract: Contract, function: Function) -> dict[str, str | None]:
    return {one.name: one.pointer for one in contract.bound[function.name].missing}


def submission(content: Any, reference: str = "R1") -> Submission[Any]:
    return Submission(
        message_id=UUID(int=1), content=content, reference=reference, billing_code=None, files={}
    )


def email(to: str, **more: Any) -> Email:
    return Email(to_address=to, from_address="f@x.test", subject="S", text="T", html="H", **more)


def sms(number: str, *variables: str) -> Submission[Sms]:
    return submission(Sms(to=number, text="T", variables=variables))


async def test_an_array_of_texts_carries_the_numbers_alone(tmp_path: Path) -> None:
    contract = await bound(tmp_path, TRIO + TEXTS + element("TEXTE"), MULTI_ENVOYER_SMS)

    request = sent(contract, MULTI_ENVOYER_SMS, Campaign((sms("+331"), sms("+332"))))

    assert request == [("string", "331"), ("string", "332"), ("TEXTE", "T")]
    assert contract.bound["MULTI_ENVOYER_SMS"].notes == [
        "DESTINATAIRE holds texts, each taken to be DESTINATION: to confirm"
    ]


async def test_what_an_array_of_texts_cannot_carry_is_listed_and_seen_where_it_is_used(
    tmp_path: Path,
) -> None:
    contract = await bound(tmp_path, TRIO + TEXTS + element("TEXTE"), MULTI_ENVOYER_SMS)

    assert missing(contract, MULTI_ENVOYER_SMS) == {
        "EMETTEUR": "/sender",
        "CODE_FACTURATION": "/billing_code",
        "DESTINATAIRE.VARIABLEX": "/variables",
    }
    (lost,) = [one for one in contract.bound["MULTI_ENVOYER_SMS"].missing if "." in one.name]
    assert lost.value(Campaign((sms("+331"), sms("+332", "a"))))
    assert not lost.value(Campaign((sms("+331"),)))


async def test_an_object_without_a_reference_is_listed(tmp_path: Path) -> None:
    person = f'<xs:element name="DESTINATION" type="t:P" {PERSON}/>'
    contract = await bound(
        tmp_path, TRIO + person + WHOLE_EMAIL, MULTI_ENVOYER_EMAIL,
        types=named("P", element("EMAIL") + element("NOM", minOccurs=0)),
    )  # fmt: skip

    found = missing(contract, MULTI_ENVOYER_EMAIL)

    assert {name: at for name, at in found.items() if "." in name} == {
        "DESTINATION.REFCLIENT": None,
        "DESTINATION.VARIABLEX": "/variables",
    }
    handed = Campaign((submission(email("a@x.test", to_name="A")),))
    assert sent(contract, MULTI_ENVOYER_EMAIL, handed)[:2] == [("EMAIL", "a@x.test"), ("NOM", "A")]


async def test_the_campaigns_array_is_preferred_to_an_address_with_its_name(tmp_path: Path) -> None:
    array = f'<xs:element name="DESTINATAIRE" type="t:P" {PERSON}/>'
    inside = TRIO + element("DESTINATION", minOccurs=0) + array + WHOLE_EMAIL
    contract = await bound(
        tmp_path, inside, MULTI_ENVOYER_EMAIL,
        types=named("P", element("DESTINATION") + element("REFCLIENT")),
    )  # fmt: skip

    handed = Campaign((submission(email("a@x.test"), "R1"), submission(email("b@x.test"), "R2")))

    assert sent(contract, MULTI_ENVOYER_EMAIL, handed)[:4] == [
        ("DESTINATION", "a@x.test"), ("REFCLIENT", "R1"),
        ("DESTINATION", "b@x.test"), ("REFCLIENT", "R2"),
    ]  # fmt: skip


async def test_a_single_address_takes_no_campaign(tmp_path: Path) -> None:
    contract = await bound(
        tmp_path, TRIO + element("DESTINATION") + element("TEXTE"), MULTI_ENVOYER_SMS
    )

    with pytest.raises(CannotBind, match="takes one DESTINATAIRE only, not 2"):
        sent(contract, MULTI_ENVOYER_SMS, Campaign((sms("+331"), sms("+332"))))


async def test_what_a_recipients_object_demands_beside_its_address_is_sent_empty(
    tmp_path: Path,
) -> None:
    array = f'<xs:element name="{{}}" type="t:P" {PERSON}/>'
    fields = ("DESTINATION", "NOM_DESTINATAIRE", "REFCLIENT", "VARIABLE1", "VARIABLE2")
    inside = TRIO + array.format("DESTINATIONS_A") + WHOLE_EMAIL
    contract = await bound(
        tmp_path, inside, ENVOYER_EMAIL_RELAIS,
        types=named("P", "".join(element(one) for one in fields)),
    )  # fmt: skip

    handed = submission(email("a@x.test", relay=True, also_to=("b@x.test",)))

    assert sent(contract, ENVOYER_EMAIL_RELAIS, handed)[:10] == [
        (one, to if one == "DESTINATION" else None)
        for to in ("a@x.test", "b@x.test")
        for one in fields
    ]


async def test_tracking_that_a_wsdl_lacks_is_listed_and_used_only_where_it_is_asked_for(
    tmp_path: Path,
) -> None:
    addresses = struct("DESTINATIONS_A", element("string", maxOccurs="unbounded"))
    contract = await bound(tmp_path, TRIO + addresses + WHOLE_EMAIL, ENVOYER_EMAIL_RELAIS)

    lacking = {one.name: one for one in contract.bound["ENVOYER_EMAIL_RELAIS"].missing}

    assert (lacking["OUVERTURE"].pointer, lacking["CLICS"].pointer) == (
        "/track/opens",
        "/track/clicks",
    )
    asked = submission(email("a@x.test", relay=True, track_opens=True))
    assert (lacking["OUVERTURE"].value(asked), lacking["CLICS"].value(asked)) == (True, False)


async def test_a_part_of_an_address_that_a_wsdl_lacks_is_listed(tmp_path: Path) -> None:
    name = struct("Destinataires", element("NOM") + element("PRENOM"))
    address = struct(
        "Adresse_postale",
        "".join(element(one) for one in ("ADRESSE_1", "CODE_POSTAL", "VILLE", "PAYS")),
    )
    files = struct("Fichier", element("NOM") + element("CONTENU", "xs:base64Binary"))
    rest = element("Couleur", "xs:boolean") + element("Type_lettre")
    inside = TRIO + name + address + struct("Liste_Fichier", files) + rest
    contract = await bound(
        tmp_path, inside.replace('name="Fichier"', f'name="Fichier" {PERSON}'), COURRIER_ENVOYER
    )

    lost = {one.name: one for one in contract.bound["COURRIER_ENVOYER"].missing if "." in one.name}

    assert {name: one.pointer for name, one in lost.items()} == {
        "Destinataires.CIVILITE": "/to/title",
        "Destinataires.RAISON_SOCIALE": "/to/company",
        "Adresse_postale.ADRESSE_2": "/to/address/line2",
    }
    letter = Letter(
        last_name="D", first_name="Z", line1="1", line2="bât. 2", postal_code="75001", city="P",
        country="FR", files=(),
    )  # fmt: skip
    assert [name for name, one in lost.items() if one.value(submission(letter))] == [
        "Adresse_postale.ADRESSE_2"
    ]


@pytest.mark.parametrize(
    "other",
    ["MOT_DE_PASSE", "MOT_DE_PASSE2", "MOT_DE_PASSE_2", "MOT_DE_PASSE_UTILISATEUR", "NouveauMotDePasse"],
)  # fmt: skip
@pytest.mark.parametrize("first", [True, False])
async def test_a_new_users_password_has_its_own_element_whatever_its_name(
    tmp_path: Path, other: str, first: bool
) -> None:
    own = element("NOM_UTILISATEUR") + element(other)
    # With one name for both, only their order tells them apart.
    inside = own + struct("Acces", TRIO) if first else TRIO + own
    contract = await bound(tmp_path, inside, AJOUTER_UTILISATEUR)

    bound_to = contract.bound["AJOUTER_UTILISATEUR"]
    envelope = contract.render(bound_to, bound_to.arguments(NEW_USER, CREDENTIALS))

    (request,) = etree.fromstring(envelope).iterfind("{*}Body/*")
    texts = [(etree.QName(at).localname, at.text) for at in request.iter() if not len(at)]
    trio = [("UTILISATEUR", "me"), ("MOT_DE_PASSE", "mine"), ("AppID", "7")]
    new = [("NOM_UTILISATEUR", "new"), (other, "theirs")]
    assert texts == (new + trio if first else trio + new)


async def test_one_password_only_blocks_that_function_and_no_other(tmp_path: Path) -> None:
    inside = TRIO + element("NOM_UTILISATEUR")

    contract = await bound(tmp_path, inside, AJOUTER_UTILISATEUR, ENLEVER_UTILISATEUR)

    assert {name: list(one.blocked) for name, one in contract.bound.items()} == {
        "AJOUTER_UTILISATEUR": ["the WSDL has no parameter MOT_DE_PASSE"],
        "ENLEVER_UTILISATEUR": [],
    }


async def test_a_new_users_password_alone_is_not_taken_for_the_callers(tmp_path: Path) -> None:
    inside = element("UTILISATEUR") + element("AppID") + element("NOM_UTILISATEUR")

    contract = await bound(
        tmp_path, inside + element("MOT_DE_PASSE_UTILISATEUR"), AJOUTER_UTILISATEUR
    )

    blocked = contract.bound["AJOUTER_UTILISATEUR"].blocked
    assert list(blocked) == ["the WSDL has no parameter MOT_DE_PASSE"]


async def test_each_password_is_pinned_by_its_own_name(tmp_path: Path) -> None:
    inside = "".join(element(one) for one in ("Login", "Code", "AppID", "NOM_UTILISATEUR", "Secret"))  # fmt: skip
    parameters = {"UTILISATEUR": "Login", "MOT_DE_PASSE": "Code", "MOT_DE_PASSE_2": "Secret"}
    pins = FunctionPins(parameters=parameters)

    contract = await bound(tmp_path, inside, AJOUTER_UTILISATEUR, AJOUTER_UTILISATEUR=pins)

    assert contract.bound["AJOUTER_UTILISATEUR"].trio["MOT_DE_PASSE"] == "Code"
    assert sent(contract, AJOUTER_UTILISATEUR, NEW_USER) == [
        ("NOM_UTILISATEUR", "new"),
        ("Secret", "theirs"),
    ]
    assert wrong_names({"AJOUTER_UTILISATEUR": pins}) == []
    assert wrong_names({"ENLEVER_UTILISATEUR": pins}) == [
        "functions.ENLEVER_UTILISATEUR.parameters.MOT_DE_PASSE_2"
    ]
