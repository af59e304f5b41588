"""How names, credentials, shapes and pins are found, on small WSDLs written for one rule each."""

import base64
from collections.abc import Awaitable, Callable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from app.providers.efidem.binding.names import normalised, one_edit_apart, words
from app.providers.efidem.functions import FUNCTIONS
from app.providers.efidem.functions.objects import FILE_FIELDS
from app.providers.efidem.pins import FunctionPins, Pinned
from app.providers.efidem.settings import EfidemSettings
from app.providers.efidem.soap import CannotBind, Contract, Soap
from app.providers.efidem.statuses import read_bindings
from app.providers.manual import FileContent, Function, Parameter, Shape, unused
from app.providers.registry import build_efidem
from app.providers.wire import Exchange, Wire
from tests.providers.efidem.wsdl.written import TRIO, element, enumeration, named, struct, wsdl
from tests.providers.sockets import http_answer, serving

pytestmark = pytest.mark.anyio

CREDENTIALS = {"UTILISATEUR": "me", "MOT_DE_PASSE": "mine", "AppID": "7"}
SMS = TRIO + element("DESTINATION") + element("TEXTE")
ASKING = TRIO + element("MESSAGEID")

Load = Callable[..., Awaitable[Contract]]


class NoWire(Wire):
    """Fails where anything would leave this machine."""

    def __init__(self) -> None:
        super().__init__(timeout=1.0, concurrency=1)

    async def get(self, url: str) -> Exchange:
        raise AssertionError(url)


@pytest.fixture
def load(tmp_path: Path) -> Load:
    async def read(
        document: bytes,
        *functions: Function,
        pins: Mapping[str, FunctionPins] | None = None,
        **pinned: str,
    ) -> Contract:
        path = tmp_path / "small.wsdl"
        path.write_bytes(document)
        said = Pinned(functions=pins or {}, **pinned)
        return await Soap(NoWire(), functions, said).load(str(path), None)

    return read


def given(name: str) -> Callable[[Any], Any]:
    return lambda handed: handed.get(name)


def parameter(name: str, **more: Any) -> Parameter:
    return Parameter(name, more.pop("value", given(name)), "", **more)


def field(name: str, **more: Any) -> Parameter:
    return Parameter(name, unused, "", **more)


def function(name: str, *parameters: Parameter, spellings: tuple[str, ...] = ()) -> Function:
    return Function(name=name, chapter="", parameters=parameters, answers=(), spellings=spellings)


def shape_of(value: object) -> Shape:
    if isinstance(value, bool):
        return Shape.BOOLEAN
    return Shape.DATE if isinstance(value, date) else Shape.TEXT


def only(contract: Contract) -> Any:
    (bound,) = contract.bound.values()
    return bound


def sent(contract: Contract, **handed: Any) -> etree._Element:
    bound = only(contract)
    assert bound.blocked == []
    envelope = etree.fromstring(contract.render(bound, bound.arguments(handed, CREDENTIALS)))
    (request,) = envelope.iterfind("{*}Body/*")
    return request


def flat(request: etree._Element) -> list[tuple[str, str | None]]:
    return [(etree.QName(one).localname, one.text) for one in request.iter() if not len(one)]


def own(request: etree._Element) -> list[tuple[str, str | None]]:
    """What a request holds beside the credentials at its beginning."""
    return flat(request)[3:]


SENDING = function(
    "ENVOYER_SMS", parameter("DESTINATION", required=True), parameter("TEXTE", required=True)
)
TELLING = function("STATUT_SMS", parameter("MESSAGEID", required=True))


# Which operation is which function.


@pytest.mark.parametrize(
    ("offered", "found", "to_confirm"),
    [
        ("ENVOYER_SMS", "exact", False),
        ("EnvoyerSMS", "exact", False),
        ("Énvoyer-sms", "exact", False),
        ("ENVOI_TEXTO", "other spelling", False),
        ("SMS_ENVOYER", "reordered", True),
        ("SmsEnvoyer", "reordered", True),
        ("ENVOYER_SMSS", "one edit", True),
        ("ENVOYR_SMS", "one edit", True),
        ("ENVOYER_SNS", "one edit", True),
        ("ENOVYER_SMS", "one edit", True),
    ],
)
async def test_an_operation_is_found(
    load: Load, offered: str, found: str, to_confirm: bool
) -> None:
    spelled = function("ENVOYER_SMS", *SENDING.parameters, spellings=("ENVOI_TEXTO",))

    contract = await load(wsdl({offered: SMS}), spelled)

    (report,) = contract.report()
    assert (report["operation"], report["found"]) == (offered, found)
    assert (report["to_confirm"], report["blocked"]) == (to_confirm, [])
    confirm = f"found as {offered} ({found}): confirm or pin"
    assert (confirm in report["warnings"]) is to_confirm  # type: ignore[operator]


@pytest.mark.parametrize("offered", ["ENVOI_SMS", "SMS", "ENVOYER_SMS_2", "MULTI_ENVOYER_SMS"])
async def test_a_name_that_is_too_different_is_no_function(load: Load, offered: str) -> None:
    contract = await load(wsdl({offered: SMS}), SENDING)

    assert only(contract).blocked == ["the WSDL has no such operation"]


async def test_a_short_name_is_not_found_by_one_edit(load: Load) -> None:
    contract = await load(wsdl({"RAPORT": SMS}), function("RAPPORT", *SENDING.parameters))

    assert only(contract).blocked == ["the WSDL has no such operation"]


async def test_two_names_that_could_be_it_are_none(load: Load) -> None:
    contract = await load(wsdl({"ENVOYER_SMSA": SMS, "ENVOYER_SMSB": SMS}), SENDING)

    (why,) = only(contract).blocked
    assert why.endswith("and ENVOYER_SMSA, ENVOYER_SMSB could be it or another's: pin one")


async def test_a_name_that_could_be_two_functions_is_neither(load: Load) -> None:
    one = function("STATUT_SMSA", *TELLING.parameters)
    two = function("STATUT_SMSB", *TELLING.parameters)

    contract = await load(wsdl({"STATUT_SMSC": ASKING}), one, two)

    assert {bound.operation for bound in contract.bound.values()} == {None}


async def test_another_functions_name_is_never_taken_by_likeness(load: Load) -> None:
    like = function("STATUTS_SMS", *TELLING.parameters)

    contract = await load(wsdl({"STATUT_SMS": ASKING}), like, TELLING)

    assert contract.bound["STATUT_SMS"].operation == "STATUT_SMS"
    assert contract.bound["STATUTS_SMS"].operation is None


async def test_a_single_and_a_multiple_function_never_meet(load: Load) -> None:
    multiple = function("MULTI_ENVOYER_SMS", *SENDING.parameters)

    contract = await load(wsdl({"MULTI_ENVOYER_SMS": SMS}), SENDING, multiple)

    assert contract.bound["ENVOYER_SMS"].blocked == ["the WSDL has no such operation"]
    assert contract.bound["MULTI_ENVOYER_SMS"].operation == "MULTI_ENVOYER_SMS"


@pytest.mark.parametrize(
    ("left", "right", "apart"),
    [
        ("statutsms", "statutsm", True),
        ("statutsms", "xstatutsms", True),
        ("statutsms", "statutsmx", True),
        ("numero", "nuemro", True),
        ("statutsms", "statutsms", False),
        ("statutsms", "statutfax", False),
        ("statutsms", "ttatutsmx", False),
        ("ab", "abcd", False),
    ],
)
def test_one_edit_is_one_letter_or_two_exchanged(left: str, right: str, apart: bool) -> None:
    assert one_edit_apart(left, right) is apart
    assert one_edit_apart(right, left) is apart


@pytest.mark.parametrize(
    ("name", "plain", "parts"),
    [
        ("ENVOYER_SMS", "envoyersms", ("envoyer", "sms")),
        ("EnvoyerSMS", "envoyersms", ("envoyer", "sms")),
        ("Numéro2", "numero2", ("2", "numero")),
    ],
)
def test_names_are_compared_without_case_accents_and_punctuation(
    name: str, plain: str, parts: tuple[str, ...]
) -> None:
    assert (normalised(name), words(name)) == (plain, parts)


# Where the credentials are.

ADDING = function(
    "AJOUTER_UTILISATEUR",
    parameter("NOM_UTILISATEUR", required=True),
    parameter("MOT_DE_PASSE", required=True,
              spellings=("MOT_DE_PASSE_UTILISATEUR", "MOT_DE_PASSE2")),
)  # fmt: skip
NEW_USER = {"NOM_UTILISATEUR": "new", "MOT_DE_PASSE": "theirs"}


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        (
            TRIO + element("NOM_UTILISATEUR") + element("MOT_DE_PASSE"),
            [("MOT_DE_PASSE", "mine"), ("AppID", "7"), ("NOM_UTILISATEUR", "new"), ("MOT_DE_PASSE", "theirs")],
        ),
        (
            TRIO + element("NOM_UTILISATEUR") + element("MOT_DE_PASSE_UTILISATEUR"),
            [("MOT_DE_PASSE", "mine"), ("AppID", "7"), ("NOM_UTILISATEUR", "new"), ("MOT_DE_PASSE_UTILISATEUR", "theirs")],
        ),
        (
            TRIO + element("NOM_UTILISATEUR") + element("MotDePasse2"),
            [("MOT_DE_PASSE", "mine"), ("AppID", "7"), ("NOM_UTILISATEUR", "new"), ("MotDePasse2", "theirs")],
        ),
        (
            element("NOM_UTILISATEUR") + element("MOT_DE_PASSE") + struct("Acces", TRIO),
            [("NOM_UTILISATEUR", "new"), ("MOT_DE_PASSE", "theirs"), ("UTILISATEUR", "me"), ("MOT_DE_PASSE", "mine"), ("AppID", "7")],
        ),
        (
            struct("request", struct("Acces", TRIO) + element("NOM_UTILISATEUR") + element("MOT_DE_PASSE")),
            [("MOT_DE_PASSE", "mine"), ("AppID", "7"), ("NOM_UTILISATEUR", "new"), ("MOT_DE_PASSE", "theirs")],
        ),
        (
            TRIO + struct("nouveau", element("NOM_UTILISATEUR") + element("MOT_DE_PASSE")),
            [("MOT_DE_PASSE", "mine"), ("AppID", "7"), ("NOM_UTILISATEUR", "new"), ("MOT_DE_PASSE", "theirs")],
        ),
    ],
    ids=["twice", "other-name", "numbered", "struct", "nested", "own-struct"],
)  # fmt: skip
async def test_a_new_users_password_is_never_the_callers(
    load: Load, inside: str, expected: list[tuple[str, str]]
) -> None:
    contract = await load(wsdl({"AJOUTER_UTILISATEUR": inside}), ADDING)

    assert flat(sent(contract, **NEW_USER))[-len(expected) :] == expected


async def test_a_password_that_stands_twice_beside_the_credentials_is_said(load: Load) -> None:
    inside = TRIO + element("NOM_UTILISATEUR") + element("MOT_DE_PASSE")

    contract = await load(wsdl({"AJOUTER_UTILISATEUR": inside}), ADDING)

    assert only(contract).notes == [
        "MOT_DE_PASSE stands twice beside the credentials: the first was taken to be theirs"
    ]


async def test_one_password_where_two_are_needed_blocks(load: Load) -> None:
    inside = TRIO + element("NOM_UTILISATEUR")

    contract = await load(wsdl({"AJOUTER_UTILISATEUR": inside}), ADDING)

    assert only(contract).blocked == ["the WSDL has no parameter MOT_DE_PASSE"]


async def test_credentials_that_stand_apart_block(load: Load) -> None:
    apart = element("UTILISATEUR") + struct("Acces", element("MOT_DE_PASSE") + element("AppID"))

    contract = await load(
        wsdl({"ENVOYER_SMS": apart + element("DESTINATION") + element("TEXTE")}), SENDING
    )

    assert only(contract).blocked[:2] == [
        "the WSDL has no parameter MOT_DE_PASSE",
        "the WSDL has no parameter AppID",
    ]


async def test_pinned_names_find_credentials_that_are_called_otherwise(load: Load) -> None:
    other = element("Login") + element("Pass") + element("App")
    pins = FunctionPins(parameters={"UTILISATEUR": "Login", "MOT_DE_PASSE": "Pass", "AppID": "App"})

    contract = await load(
        wsdl({"ENVOYER_SMS": other + element("DESTINATION") + element("TEXTE")}),
        SENDING,
        pins={"ENVOYER_SMS": pins},
    )

    assert flat(sent(contract, DESTINATION="336", TEXTE="t"))[:3] == [
        ("Login", "me"), ("Pass", "mine"), ("App", "7"),
    ]  # fmt: skip


# Where parameters are.


@pytest.mark.parametrize(
    ("inside", "paths"),
    [
        (SMS, ["DESTINATION", "TEXTE"]),
        (TRIO + struct("request", element("DESTINATION") + element("TEXTE")), ["request/DESTINATION", "request/TEXTE"]),
        (struct("request", SMS), ["request/DESTINATION", "request/TEXTE"]),
        (struct("request", struct("parameters", SMS)), ["request/parameters/DESTINATION", "request/parameters/TEXTE"]),
        (TRIO + struct("Quelconque", element("DESTINATION") + element("TEXTE")) + element("Autre", minOccurs=0),
         ["Quelconque/DESTINATION", "Quelconque/TEXTE"]),
        (TRIO + element("DESTINATION") + struct("parametres", element("TEXTE")), ["DESTINATION", "parametres/TEXTE"]),
    ],
)  # fmt: skip
async def test_parameters_are_found_at_the_top_and_in_request_structs(
    load: Load, inside: str, paths: list[str]
) -> None:
    contract = await load(wsdl({"ENVOYER_SMS": inside}), SENDING)

    assert list(only(contract).report()["parameters"].values()) == paths
    assert own(sent(contract, DESTINATION="336", TEXTE="t")) == [
        ("DESTINATION", "336"),
        ("TEXTE", "t"),
    ]


async def test_a_struct_beside_others_is_searched_for_what_is_missing_and_that_is_said(
    load: Load,
) -> None:
    inside = TRIO + element("DESTINATION") + struct("Contenu", element("TEXTE"))

    contract = await load(wsdl({"ENVOYER_SMS": inside}), SENDING)

    assert only(contract).notes == ["parameters were looked for in Contenu: to confirm"]
    assert own(sent(contract, DESTINATION="336", TEXTE="t"))[-1] == ("TEXTE", "t")


async def test_a_struct_without_what_is_missing_is_not_searched(load: Load) -> None:
    inside = TRIO + element("DESTINATION") + struct("Signature", element("NOM"))

    contract = await load(wsdl({"ENVOYER_SMS": inside}), SENDING)

    assert only(contract).blocked == [
        "the WSDL has no parameter TEXTE",
        "the WSDL demands Signature, which the document does not know",
    ]


async def test_a_required_parameter_is_found_in_the_only_name_that_holds_its_own(
    load: Load,
) -> None:
    inside = TRIO + element("NUMERO_DESTINATION") + element("TEXTE")

    contract = await load(wsdl({"ENVOYER_SMS": inside}), SENDING)

    bound = only(contract)
    assert bound.report()["parameters"]["DESTINATION"] == "NUMERO_DESTINATION"
    assert bound.notes == ["DESTINATION was taken to be NUMERO_DESTINATION: to confirm"]


@pytest.mark.parametrize(
    "inside",
    [
        element("DESTINATION_A") + element("DESTINATION_B") + element("TEXTE"),
        element("NUMERO") + element("TEXTE"),
    ],
)
async def test_a_required_parameter_that_could_be_several_is_none(load: Load, inside: str) -> None:
    contract = await load(wsdl({"ENVOYER_SMS": TRIO + inside}), SENDING)

    assert only(contract).blocked[0] == "the WSDL has no parameter DESTINATION"


async def test_an_element_that_a_choice_offers_is_not_demanded(load: Load) -> None:
    choice = f"<xs:choice>{element('A')}{element('B')}</xs:choice>"

    contract = await load(wsdl({"ENVOYER_SMS": SMS + choice}), SENDING)

    assert own(sent(contract, DESTINATION="336", TEXTE="t")) == [
        ("DESTINATION", "336"),
        ("TEXTE", "t"),
    ]


# What shape values have.

MOMENT = datetime(2026, 1, 2, 3, 4)  # noqa: DTZ001 -- as a caller writes it

FILES = function(
    "ENVOYER_FAX", parameter("LISTE_FICHIERS", shape=Shape.FILES, fields=FILE_FIELDS, required=True)
)
TWO = (FileContent(name="a.pdf", content=b"aa\xff"), FileContent(name="b.pdf", content=b"bb"))
BINARY = element("NOM") + element("CONTENU", "xs:base64Binary")
ARRAY = (
    '<xs:complexType name="Fichiers"><xs:complexContent><xs:restriction base="e:Array">%s'
    '<xs:attribute ref="e:arrayType" w:arrayType="t:Fichier[]"/>'
    "</xs:restriction></xs:complexContent></xs:complexType>"
).replace(
    "<xs:complexType ",
    '<xs:complexType xmlns:e="http://schemas.xmlsoap.org/soap/encoding/"'
    ' xmlns:w="http://schemas.xmlsoap.org/wsdl/" ',
    1,
)
ITEMS = "<xs:sequence>" + element("item", "t:Fichier", minOccurs=0, maxOccurs="unbounded") + "</xs:sequence>"  # fmt: skip


@pytest.mark.parametrize(
    ("types", "declared"),
    [
        (named("Fichier", BINARY), element("LISTE_FICHIERS", "t:Fichier", maxOccurs="unbounded")),
        (named("Fichier", element("NOM") + element("CONTENU")), element("LISTE_FICHIERS", "t:Fichier", maxOccurs="unbounded")),
        (named("Fichier", BINARY), struct("LISTE_FICHIERS", element("x", "t:Fichier", maxOccurs="unbounded"))),
        (named("Fichier", element("Quoi", "xs:base64Binary") + element("Comment")), struct("LISTE_FICHIERS", element("x", "t:Fichier", maxOccurs="unbounded"))),
        (named("Fichier", BINARY) + ARRAY % "", element("LISTE_FICHIERS", "t:Fichiers")),
        (named("Fichier", BINARY) + ARRAY % ITEMS, element("LISTE_FICHIERS", "t:Fichiers")),
        (named("Fichier", BINARY) + named("Liste", element("f", "t:Fichier")).replace("<xs:sequence>", '<xs:sequence maxOccurs="unbounded">'),
         element("LISTE_FICHIERS", "t:Liste")),
    ],
    ids=["repeated", "text", "wrapped", "unknown-names", "encoded", "encoded-items", "group"],
)  # fmt: skip
async def test_files_arrive_in_every_shape(load: Load, types: str, declared: str) -> None:
    contract = await load(wsdl({"ENVOYER_FAX": TRIO + declared}, types), FILES)

    request = sent(contract, LISTE_FICHIERS=TWO)

    assert sorted(text or "" for _, text in own(request)) == sorted(
        ["a.pdf", "b.pdf", *(base64.b64encode(one.content).decode() for one in TWO)]
    )


async def test_where_one_file_fits_two_are_not_sent(load: Load) -> None:
    declared = element("LISTE_FICHIERS", "t:Fichier")
    contract = await load(wsdl({"ENVOYER_FAX": TRIO + declared}, named("Fichier", BINARY)), FILES)

    assert own(sent(contract, LISTE_FICHIERS=TWO[:1])) == [
        ("NOM", "a.pdf"), ("CONTENU", base64.b64encode(b"aa\xff").decode()),
    ]  # fmt: skip
    with pytest.raises(CannotBind) as caught:
        only(contract).arguments({"LISTE_FICHIERS": TWO}, CREDENTIALS)
    assert caught.value.why == "the WSDL takes one LISTE_FICHIERS only, not 2"


@pytest.mark.parametrize(
    ("kind", "value", "written"),
    [
        ("xs:string", True, "true"),
        ("xs:boolean", True, "true"),
        ("xs:int", True, "1"),
        ("xs:int", False, "0"),
        ("t:OuiNon", True, "OUI"),
        ("t:OuiNon", False, "NON"),
        ("xs:long", "33639980001", "33639980001"),
        ("xs:base64Binary", "é", "w6k="),
        ("xs:date", date(2026, 1, 2), "2026-01-02"),
        ("xs:date", MOMENT, "2026-01-02"),
        ("xs:dateTime", date(2026, 1, 2), "2026-01-02T00:00:00"),
        ("xs:dateTime", MOMENT, "2026-01-02T03:04:00"),
        ("xs:dateTime", "2026-01-02", "2026-01-02T00:00:00"),
        ("xs:string", date(2026, 1, 2), "02/01/2026"),
        ("t:Pli", "C6", "Enveloppe_C6"),
        ("t:Pli", "grand", "GRAND"),
    ],
)  # fmt: skip
async def test_a_value_is_written_as_its_type_asks(
    load: Load, kind: str, value: object, written: str
) -> None:
    types = enumeration("OuiNon", "OUI", "NON") + enumeration("Pli", "Enveloppe_C6", "GRAND")
    contract = await load(
        wsdl({"X_FONCTION": TRIO + element("VALEUR", kind)}, types),
        function("X_FONCTION", parameter("VALEUR", required=True, shape=shape_of(value))),
        date_format="%d/%m/%Y",
    )

    assert own(sent(contract, VALEUR=value)) == [("VALEUR", written)]


@pytest.mark.parametrize(
    ("kind", "value"),
    [("xs:int", "33639980001"), ("xs:int", "abc"), ("xs:short", "70000"), ("t:Pli", "C4")],
)
async def test_a_value_that_its_type_cannot_hold_is_not_sent(
    load: Load, kind: str, value: str
) -> None:
    contract = await load(
        wsdl({"X_FONCTION": TRIO + element("VALEUR", kind)}, enumeration("Pli", "C5", "C6")),
        function("X_FONCTION", parameter("VALEUR", required=True)),
    )

    with pytest.raises(CannotBind, match="VALEUR"):
        only(contract).arguments({"VALEUR": value}, CREDENTIALS)


@pytest.mark.parametrize(
    ("allowed", "blocked"),
    [
        (("Enveloppe_C5", "Enveloppe_C6"), []),
        (("C5", "C6"), []),
        (("Pli C5 simple", "Pli C6 simple"), []),
        (("PETIT", "GRAND"), ["VALEUR takes PETIT, GRAND, and not C5, C6"]),
        (("C5_A", "C5_B", "C6"), ["VALEUR takes C5_A, C5_B, C6, and not C5"]),
    ],
)
async def test_documented_values_that_an_enumeration_lacks_block(
    load: Load, allowed: tuple[str, ...], blocked: list[str]
) -> None:
    contract = await load(
        wsdl({"X_FONCTION": TRIO + element("VALEUR", "t:Pli")}, enumeration("Pli", *allowed)),
        function("X_FONCTION", parameter("VALEUR", required=True, values=("C5", "C6"))),
    )

    assert list(only(contract).blocked) == blocked


async def test_a_single_value_may_stand_in_a_struct_or_a_collection(load: Load) -> None:
    lone = struct("PLI", element("CODE"))
    several = struct("A", element("string", maxOccurs="unbounded"))
    contract = await load(
        wsdl({"X_FONCTION": TRIO + lone + several}),
        function("X_FONCTION", parameter("PLI", required=True), parameter("A", required=True)),
    )

    assert own(sent(contract, PLI="C5", A="x")) == [("CODE", "C5"), ("string", "x")]


async def test_a_struct_that_the_document_does_not_list_blocks(load: Load) -> None:
    contract = await load(
        wsdl({"X_FONCTION": TRIO + struct("PLI", element("CODE") + element("FORMAT"))}),
        function("X_FONCTION", parameter("PLI", required=True)),
    )

    assert only(contract).blocked == ["PLI is a struct, whose fields the document does not list"]


async def test_objects_texts_and_numbered_variables_are_collected(load: Load) -> None:
    people = struct(
        "DESTINATION",
        f'<xs:element name="DESTINATAIRE" maxOccurs="unbounded"><xs:complexType><xs:sequence>'
        f"{element('ADRESSE')}{element('VARIABLE1', minOccurs=0)}{element('VARIABLE2', minOccurs=0)}"
        "</xs:sequence></xs:complexType></xs:element>",
    )
    copies = struct("COPIES", element("string", minOccurs=0, maxOccurs="unbounded"))
    variables = element("VARIABLE2") + element("VARIABLE1")
    multiple = function(
        "MULTI_ENVOYER",
        parameter("DESTINATION", shape=Shape.OBJECTS, required=True,
                  fields=(field("ADRESSE", required=True), field("VARIABLEX", shape=Shape.VARIABLES))),
        parameter("COPIES", shape=Shape.TEXTS),
        parameter("VARIABLEX", shape=Shape.VARIABLES),
    )  # fmt: skip
    contract = await load(wsdl({"MULTI_ENVOYER": TRIO + people + copies + variables}), multiple)

    request = sent(
        contract,
        DESTINATION=({"ADRESSE": "a"}, {"ADRESSE": "b", "VARIABLEX": ("u", "v")}),
        COPIES=("c", "d"),
        VARIABLEX=("one",),
    )

    assert own(request) == [
        ("ADRESSE", "a"),
        ("ADRESSE", "b"), ("VARIABLE1", "u"), ("VARIABLE2", "v"),
        ("string", "c"), ("string", "d"),
        ("VARIABLE2", None), ("VARIABLE1", "one"),
    ]  # fmt: skip
    with pytest.raises(CannotBind, match="takes 2 of VARIABLEX, not 3"):
        only(contract).arguments({"VARIABLEX": ("a", "b", "c")}, CREDENTIALS)


async def test_objects_in_an_array_of_soaps_encoding_keep_their_own_arrays(load: Load) -> None:
    person = named("Fichier", element("ADRESSE") + struct("NOMS", element("n", maxOccurs="unbounded")))  # fmt: skip
    multiple = function(
        "MULTI_ENVOYER",
        parameter("DESTINATION", shape=Shape.OBJECTS, required=True,
                  fields=(field("ADRESSE", required=True), field("NOMS", shape=Shape.TEXTS))),
    )  # fmt: skip
    contract = await load(
        wsdl({"MULTI_ENVOYER": TRIO + element("DESTINATION", "t:Fichiers")}, person + ARRAY % ""),
        multiple,
    )

    request = sent(contract, DESTINATION=({"ADRESSE": "a", "NOMS": ("x", "y")}, {"ADRESSE": "b", "NOMS": ("z",)}))  # fmt: skip

    assert [text for _, text in own(request)] == ["a", "x", "y", "b", "z"]


# What stands for nothing.


@pytest.mark.parametrize(
    ("declared", "written"),
    [
        (element("AUTRE"), [("AUTRE", None)]),
        (element("AUTRE", "xs:boolean"), [("AUTRE", "false")]),
        (element("AUTRE", minOccurs=0), []),
        (element("AUTRE", nillable="true"), [("AUTRE", None)]),
        (element("AUTRE", default="x"), [("AUTRE", "x")]),
        (struct("AUTRE", element("s", minOccurs=0, maxOccurs="unbounded")), [("AUTRE", None)]),
    ],
)
async def test_what_has_no_value_is_left_out_nil_or_empty(
    load: Load, declared: str, written: list[tuple[str, str | None]]
) -> None:
    shape = Shape.BOOLEAN if "boolean" in declared else Shape.TEXT
    contract = await load(
        wsdl({"X_FONCTION": TRIO + declared}),
        function("X_FONCTION", parameter("AUTRE", shape=shape)),
    )

    assert own(sent(contract)) == written


async def test_an_optional_parameter_without_an_empty_value_blocks_where_it_is_demanded(
    load: Load,
) -> None:
    document = wsdl({"X_FONCTION": TRIO + element("AUTRE", "xs:int")})
    optional = function("X_FONCTION", parameter("AUTRE"))

    contract = await load(document, optional)
    pinned = await load(
        document, optional, pins={"X_FONCTION": FunctionPins(constants={"AUTRE": "0"})}
    )

    assert only(contract).blocked == ["the WSDL demands AUTRE, which has no empty value"]
    assert own(sent(pinned)) == [("AUTRE", "0")]
    assert own(sent(pinned, AUTRE="5")) == [("AUTRE", "5")]


async def test_a_documented_parameter_that_carries_nothing_is_sent_empty(load: Load) -> None:
    contract = await load(
        wsdl({"X_FONCTION": TRIO + element("VARIABLE1") + element("VARIABLE2")}),
        function("X_FONCTION", parameter("VARIABLEX", value=unused)),
    )

    assert own(sent(contract)) == [("VARIABLE1", None), ("VARIABLE2", None)]


# What is pinned.


async def test_pins_name_the_operation_a_parameter_and_constants(load: Load) -> None:
    inside = TRIO + element("Numero") + element("TEXTE") + element("Langue") + element("Test", "xs:boolean")  # fmt: skip
    pins = FunctionPins(
        operation="Expedier",
        parameters={"DESTINATION": "Numero"},
        constants={"Langue": "FR", "Test": "true"},
    )

    contract = await load(
        wsdl({"Expedier": inside, "ENVOYER_SMS": SMS}), SENDING, pins={"ENVOYER_SMS": pins}
    )

    (report,) = contract.report()
    assert (report["operation"], report["found"]) == ("Expedier", "pinned")
    assert report["constants"] == {"Langue": "FR", "Test": "true"}
    assert own(sent(contract, DESTINATION="336", TEXTE="t")) == [
        ("Numero", "336"), ("TEXTE", "t"), ("Langue", "FR"), ("Test", "true"),
    ]  # fmt: skip


async def test_an_unknown_mandatory_element_blocks_until_a_constant_is_pinned(load: Load) -> None:
    document = wsdl({"ENVOYER_SMS": SMS + element("Langue")})

    blocked = await load(document, SENDING)
    pinned = await load(
        document, SENDING, pins={"ENVOYER_SMS": FunctionPins(constants={"Langue": "FR"})}
    )

    assert only(blocked).blocked == ["the WSDL demands Langue, which the document does not know"]
    assert own(sent(pinned, DESTINATION="336", TEXTE="t"))[-1] == ("Langue", "FR")


async def test_pins_reach_into_a_nested_request_and_an_object(load: Load) -> None:
    inside = TRIO + struct("request", element("Langue") + struct("ADRESSE", element("CODE") + element("CEDEX")))  # fmt: skip
    pins = FunctionPins(
        parameters={"ADRESSE.PAYS": "CODE"},
        constants={"request/Langue": "FR", "ADRESSE.CEDEX": "08"},
    )
    posting = function(
        "X_FONCTION",
        parameter("ADRESSE", shape=Shape.OBJECT, required=True, fields=(field("PAYS", required=True),)),
    )  # fmt: skip

    contract = await load(wsdl({"X_FONCTION": inside}), posting, pins={"X_FONCTION": pins})

    assert own(sent(contract, ADRESSE={"PAYS": "FR"})) == [
        ("Langue", "FR"), ("CODE", "FR"), ("CEDEX", "08"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("pins", "blocked"),
    [
        (FunctionPins(operation="Autre"), "the WSDL has no operation Autre, which is pinned"),
        (
            FunctionPins(parameters={"TEXTE": "Autre"}),
            "the WSDL has no single element Autre, which is pinned for TEXTE",
        ),
        (
            FunctionPins(constants={"Autre": "x"}),
            "the WSDL has no single element Autre, which is pinned",
        ),
    ],
)
async def test_a_pin_that_the_wsdl_does_not_have_blocks_its_function(
    load: Load, pins: FunctionPins, blocked: str
) -> None:
    contract = await load(
        wsdl({"ENVOYER_SMS": SMS, "STATUT_SMS": ASKING}),
        SENDING,
        TELLING,
        pins={"ENVOYER_SMS": pins},
    )

    assert blocked in contract.bound["ENVOYER_SMS"].blocked
    assert contract.bound["STATUT_SMS"].blocked == []


def test_pins_are_read_beside_the_statuses(tmp_path: Path) -> None:
    path = tmp_path / "bindings.toml"
    path.write_text(
        """
        date_format = "%d/%m/%Y"
        [statuses.STATUT_SMS]
        "1" = { status = "delivered" }
        [functions.ENVOYER_EMAIL]
        operation = "EnvoyerMail"
        [functions.ENVOYER_EMAIL.parameters]
        SUJET = "Titre_du_message"
        "LISTE_FICHIERS.NOM" = "Libelle"
        UTILISATEUR = "Login"
        [functions.ENVOYER_EMAIL.constants]
        Langue = "FR"
        """
    )

    pinned = read_bindings(path).pinned

    assert pinned == Pinned(
        functions={
            "ENVOYER_EMAIL": FunctionPins(
                operation="EnvoyerMail",
                parameters={
                    "SUJET": "Titre_du_message",
                    "LISTE_FICHIERS.NOM": "Libelle",
                    "UTILISATEUR": "Login",
                },
                constants={"Langue": "FR"},
            )
        },
        date_format="%d/%m/%Y",
    )


def test_every_wrong_name_in_the_pins_is_named_at_once(tmp_path: Path) -> None:
    path = tmp_path / "bindings.toml"
    path.write_text(
        """
        [functions.ENVOYER_MAIL]
        operation = "x"
        [functions.ENVOYER_EMAIL.parameters]
        SUBJET = "x"
        "LISTE_FICHIERS.TAILLE" = "x"
        SUJET = "Titre"
        """
    )

    with pytest.raises(ValueError, match="wrong entries") as caught:
        read_bindings(path)

    assert str(caught.value).endswith(
        "wrong entries: functions.ENVOYER_MAIL, functions.ENVOYER_EMAIL.parameters.SUBJET,"
        " functions.ENVOYER_EMAIL.parameters.LISTE_FICHIERS.TAILLE"
    )


def test_wrong_forms_in_the_pins_are_named_at_once(tmp_path: Path) -> None:
    path = tmp_path / "bindings.toml"
    path.write_text(
        "[functions.ENVOYER_EMAIL]\noperation = 1\nconstant = 2\n"
        "[functions.ENVOYER_EMAIL.parameters]\nSUJET = 3\n"
    )

    with pytest.raises(ValueError, match="wrong entries") as caught:
        read_bindings(path)

    for place in ("operation", "constant", "parameters.SUJET"):
        assert f"functions.ENVOYER_EMAIL.{place}" in str(caught.value)


# What is proven before it is used.


async def test_a_value_that_would_not_arrive_blocks_its_function(load: Load) -> None:
    contract = await load(
        wsdl({"X_FONCTION": TRIO + element("VALEUR", "xs:boolean")}),
        function("X_FONCTION", parameter("VALEUR", required=True)),
    )

    assert only(contract).blocked == ["VALEUR is a boolean for the WSDL, and a text for the document"]  # fmt: skip


async def test_a_pinned_constant_that_its_type_cannot_hold_blocks(load: Load) -> None:
    contract = await load(
        wsdl({"ENVOYER_SMS": SMS + element("Langue", "t:L")}, enumeration("L", "FR", "EN")),
        SENDING,
        pins={"ENVOYER_SMS": FunctionPins(constants={"Langue": "DE"})},
    )

    assert "Langue takes one of FR, EN" in only(contract).blocked


# What may be read.


async def test_a_schema_beside_the_wsdl_is_read_and_kept(load: Load, tmp_path: Path) -> None:
    (tmp_path / "more.xsd").write_text(
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:more"/>'
    )
    beside = '<xs:import namespace="urn:more" schemaLocation="more.xsd"/>'

    contract = await load(wsdl({"ENVOYER_SMS": SMS}, imports=beside), SENDING)

    assert sorted(Path(one).name for one in contract.documents) == ["more.xsd", "small.wsdl"]


@pytest.mark.parametrize(
    ("location", "why"),
    [
        ("http://evil.example/a.xsd", "imports a document from evil.example"),
        ("../outside.xsd", "imports a document from outside its folder: outside.xsd"),
        ("/etc/hostname", "imports a document from outside its folder: hostname"),
        ("file:///etc/hostname", "imports a document from outside its folder: hostname"),
    ],
)
async def test_a_document_from_elsewhere_is_not_read(load: Load, location: str, why: str) -> None:
    away = f'<xs:import namespace="urn:more" schemaLocation="{location}"/>'

    with pytest.raises(CannotBind) as caught:
        await load(wsdl({"ENVOYER_SMS": SMS}, imports=away), SENDING)

    assert why in caught.value.why


@pytest.mark.parametrize(
    "bundled",
    [
        '<xs:import namespace="http://schemas.xmlsoap.org/soap/encoding/" schemaLocation="http://schemas.xmlsoap.org/soap/encoding/"/>',
        '<xs:import namespace="http://www.w3.org/XML/1998/namespace"/>',
        '<xs:import namespace="http://schemas.xmlsoap.org/wsdl/" schemaLocation="http://schemas.xmlsoap.org/wsdl/"/>',
    ],
)  # fmt: skip
async def test_the_schemas_of_the_standards_are_bundled(load: Load, bundled: str) -> None:
    contract = await load(wsdl({"ENVOYER_SMS": SMS}, imports=bundled), SENDING)

    assert only(contract).blocked == []


@pytest.mark.parametrize(
    ("address", "warned"),
    [
        ("http://127.0.0.1:1/soap", False),
        ("http://other.example/soap", True),
    ],
)
async def test_a_service_on_another_host_than_its_wsdl_is_warned_of(
    address: str, warned: bool
) -> None:
    wire = Wire(timeout=5.0, concurrency=1)
    async with serving(http_answer(wsdl({"ENVOYER_SMS": SMS}, address=address))) as server:
        contract = await Soap(wire, (SENDING,)).load(server.url("/wsdl"), None)
        overridden = await Soap(wire, (SENDING,)).load(
            server.url("/wsdl"), "http://chosen.example/"
        )
        await wire.close()

    warning = (
        "the WSDL of 127.0.0.1 names a service at other.example:"
        " set MULTICANAL_EFIDEM_ADDRESS to the one that is right"
    )
    assert contract.report()[0]["warnings"] == ([warning] if warned else [])
    assert overridden.report()[0]["warnings"] == []


async def test_a_provider_uses_what_is_pinned(tmp_path: Path) -> None:
    (tmp_path / "small.wsdl").write_bytes(wsdl({"Expedier": SMS}))
    (tmp_path / "pins.toml").write_text('[functions.ENVOYER_SMS]\noperation = "Expedier"\n')
    account = build_efidem(
        EfidemSettings(
            wsdl=str(tmp_path / "small.wsdl"), bindings=tmp_path / "pins.toml", _env_file=None
        )
    )

    reports = {one["function"]: one for one in await account.report()}
    await account.close()

    assert len(reports) == len(FUNCTIONS)
    assert reports["ENVOYER_SMS"]["operation"] == "Expedier"
    assert reports["ENVOYER_EMAIL"]["blocked"] == ["the WSDL has no such operation"]
