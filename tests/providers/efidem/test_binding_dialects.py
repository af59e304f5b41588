"""The functions bound to WSDLs in the manners of five kinds of server, without any network."""

import base64
from collections.abc import Mapping
from pathlib import Path
from uuid import UUID

import pytest
from lxml import etree
from pydantic import HttpUrl, SecretStr

from app.domain.message import Channel, Content, Email, File, Letter, Sms, Submission, Submitted
from app.domain.outcome import Accepted
from app.providers.efidem import functions as efidem
from app.providers.efidem.settings import EfidemSettings
from app.providers.efidem.soap import CannotBind, Contract, Soap
from app.providers.registry import build_efidem
from app.providers.wire import Exchange, Wire
from tests.providers.efidem.envelopes import result
from tests.providers.sockets import http_answer, serving

pytestmark = pytest.mark.anyio

FOLDER = Path(__file__).parent / "wsdl"
DIALECTS = ["asmx", "wcf", "bare", "php", "rpc_header"]
# What these WSDLs offer; test_functions_dialects.py has all 21.
FUNCTIONS = (
    efidem.ENVOYER_EMAIL,
    efidem.STATUT_EMAIL,
    efidem.ENVOYER_SMS,
    efidem.STATUT_SMS,
    efidem.STATUT_COMPLET_SMS,
    efidem.COURRIER_ENVOYER,
    efidem.COURRIER_STATUT,
)
NAMES = [function.name for function in FUNCTIONS]
TRIO = {"UTILISATEUR": "the-user", "MOT_DE_PASSE": "p<w>&d", "AppID": "the-app"}
IDENTIFIER = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
PDF = bytes(range(256)) * 3
XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
ENC = "{http://schemas.xmlsoap.org/soap/encoding/}"

each_dialect = pytest.mark.parametrize("dialect", DIALECTS)


class NoWire(Wire):
    """Fails where anything would leave this machine."""

    def __init__(self) -> None:
        super().__init__(timeout=1.0, concurrency=1)

    async def get(self, url: str) -> Exchange:
        raise AssertionError(url)


async def contract_of(dialect: str) -> Contract:
    return await Soap(NoWire(), FUNCTIONS).load(str(FOLDER / f"{dialect}.wsdl"), None)


def submission(content: Content, **changed: object) -> Submission[Content]:
    values: dict[str, object] = {
        "message_id": UUID(int=1),
        "content": content,
        "reference": "A7K2M9Q4X1",
        "billing_code": "DEPT & 1",
        "files": {"ff": PDF, "ee": b"second"},
    }
    return Submission(**(values | changed))  # type: ignore[arg-type]


def file(name: str, sha256: str = "ff") -> File:
    return File(sha256=sha256, name=name, media_type="application/pdf", size=9, pages=1)


EMAIL = Email(
    to_address="to@example.com",
    to_name="Zoé",
    from_address="from@example.com",
    reply_to="reply@example.com",
    subject="Sujet",
    text="le texte",
    html="<p>html</p>",
    files=(file("é.pdf"), file("b.pdf", "ee")),
)
LETTER = Letter(
    title="Mme",
    last_name="Durand",
    first_name="Aline",
    company="Été & Cie",
    line1="1 rue X",
    line2="bât. 2",
    postal_code="75001",
    city="Paris",
    country="FR",
    color=True,
    envelope="C6",
    subject="Avis",
    files=(file("é.pdf"), file("b.pdf", "ee")),
)
SMS = Sms(to="+33639980001", text="le texte", sender="MAIRIE")


def rendered(contract: Contract, function: str, handed: object) -> etree._Element:
    bound = contract.bound[function]
    return etree.fromstring(contract.render(bound, bound.arguments(handed, TRIO)))


def request_of(envelope: etree._Element) -> etree._Element:
    (request,) = envelope.iterfind("{*}Body/*")
    return request


def texts(envelope: etree._Element) -> list[str]:
    return sorted(one.text for one in envelope.iter() if one.text and one.text.strip())


def named(envelope: etree._Element) -> dict[str, str | None]:
    """The texts of an envelope by their elements' names, without case and underscores."""
    return {
        etree.QName(one).localname.replace("_", "").casefold(): one.text
        for one in envelope.iter()
        if not len(one)
    }


# What is found.


@each_dialect
async def test_every_function_is_bound(dialect: str) -> None:
    contract = await contract_of(dialect)

    assert {name: list(one.blocked) for name, one in contract.bound.items()} == {
        name: [] for name in NAMES
    }
    assert {str(one.found) for one in contract.bound.values()} == {"exact"}
    assert [one.missing for one in contract.bound.values() if one.missing] == []


@pytest.mark.parametrize(
    ("dialect", "said"),
    [
        ("asmx", ("document/literal", "1.1", "MulticanalSoap", "top level", "https://ws.example/Multicanal.asmx")),
        ("wcf", ("document/literal", "1.1", "BasicHttpBinding_IMulticanal", "top level", "https://ws.example/Multicanal.svc")),
        ("bare", ("document/literal", "1.1", "Bare", "Acces", "https://ws.example/bare")),
        ("php", ("rpc/encoded", "1.1", "php", "top level", "https://ws.example/php.php")),
        ("rpc_header", ("rpc/literal", "1.2", "rpc_header", "header/acces", "https://ws.example/rpc_header.php")),
    ],
)  # fmt: skip
async def test_the_report_says_what_was_found_where(dialect: str, said: tuple[str, ...]) -> None:
    reports = (await contract_of(dialect)).report()

    keys = ("style", "soap", "port", "trio_place", "address")
    assert [one["function"] for one in reports] == NAMES
    assert {tuple(one[key] for key in keys) for one in reports} == {said}
    assert [one["warnings"] for one in reports] == [[] for _ in NAMES]


async def test_a_report_names_the_paths_of_parameters_fields_and_credentials() -> None:
    reports = {one["function"]: one for one in (await contract_of("bare")).report()}

    sms, letter = reports["ENVOYER_SMS"], reports["COURRIER_ENVOYER"]
    assert sms["parameters"] == {
        "DESTINATION": "Corps/DESTINATION",
        "TEXTE": "Corps/TEXTE",
        "DA": "Corps/DA",
        "CODE_FACTURATION": "Corps/CODE_FACTURATION",
    }
    assert sms["trio"] == {
        "UTILISATEUR": "Acces/Utilisateur",
        "MOT_DE_PASSE": "Acces/MotDePasse",
        "AppID": "Acces/ApplID",
    }
    assert isinstance(letter["fields"], Mapping)
    assert letter["fields"]["Liste_Fichier.CONTENU"] == "contenu"


async def test_a_files_fields_are_known_by_their_types_where_their_names_mislead() -> None:
    (email, *_) = (await contract_of("asmx")).report()

    # There, "Fichier" is the content, although the document's names let it be the name.
    assert email["fields"] == {
        "LISTE_FICHIERS.CONTENU": "Fichier",
        "LISTE_FICHIERS.NOM": "Libelle",
    }


async def test_an_enumerations_values_are_reported() -> None:
    (letter,) = [
        one for one in (await contract_of("asmx")).report() if one["function"] == "COURRIER_ENVOYER"
    ]

    assert letter["allowed"] == {"Type_lettre": ["Enveloppe_C5", "Enveloppe_C6"]}


# What is rendered.


@each_dialect
async def test_an_email_arrives_whole_and_each_value_once(dialect: str) -> None:
    envelope = rendered(await contract_of(dialect), "ENVOYER_EMAIL", submission(EMAIL))

    assert texts(envelope) == sorted(
        [
            *TRIO.values(),
            "to@example.com", "Zoé", "from@example.com", "reply@example.com", "Sujet", "le texte",
            "<p>html</p>", "A7K2M9Q4X1", "DEPT & 1", "é.pdf", "b.pdf",
            base64.b64encode(PDF).decode(), base64.b64encode(b"second").decode(),
        ]
    )  # fmt: skip
    at = named(envelope)
    assert (at["destination"], at["nomdestinataire"]) == ("to@example.com", "Zoé")
    assert (at["emetteur"], at["repondrea"]) == ("from@example.com", "reply@example.com")
    assert (at["sujet"], at["texte"], at["html"]) == ("Sujet", "le texte", "<p>html</p>")
    assert (at["refclient"], at["codefacturation"]) == ("A7K2M9Q4X1", "DEPT & 1")
    assert (at["utilisateur"], at["motdepasse"]) == ("the-user", "p<w>&d")
    assert at.get("appid", at.get("applid")) == "the-app"


@each_dialect
async def test_an_email_without_anything_optional_is_rendered(dialect: str) -> None:
    content = Email(
        to_address="to@example.com", from_address="f@example.com", subject="S", text="T", html=""
    )

    envelope = rendered(
        await contract_of(dialect), "ENVOYER_EMAIL", submission(content, billing_code=None)
    )

    assert texts(envelope) == sorted(
        [*TRIO.values(), "to@example.com", "f@example.com", "S", "T", "A7K2M9Q4X1"]
    )


@pytest.mark.parametrize(
    ("dialect", "kind"),
    [("asmx", "Enveloppe_C6"), ("wcf", "C6"), ("bare", "C6"), ("php", "C6"), ("rpc_header", "C6")],
)
async def test_a_letter_arrives_whole_and_each_value_once(dialect: str, kind: str) -> None:
    envelope = rendered(await contract_of(dialect), "COURRIER_ENVOYER", submission(LETTER))

    assert texts(envelope) == sorted(
        [
            *TRIO.values(),
            "Mme", "Durand", "Aline", "Été & Cie", "1 rue X", "bât. 2", "75001", "Paris", "FR",
            "true", kind, "Avis", "A7K2M9Q4X1", "DEPT & 1", "é.pdf", "b.pdf",
            base64.b64encode(PDF).decode(), base64.b64encode(b"second").decode(),
        ]
    )  # fmt: skip
    (address,) = [
        one for one in request_of(envelope).iter("{*}Adresse_postale") if not one.get(f"{XSI}nil")
    ]
    assert {"75001", "Paris", "FR", "1 rue X", "bât. 2"} == {one.text for one in address}


@each_dialect
async def test_files_keep_their_names_and_contents_together(dialect: str) -> None:
    envelope = rendered(await contract_of(dialect), "COURRIER_ENVOYER", submission(LETTER))

    contents = {"é.pdf": PDF, "b.pdf": b"second"}
    found = {}
    for struct in request_of(envelope).iter():
        inside = [one.text for one in struct]
        if len(inside) == 2 and (name := next((t for t in inside if t in contents), None)):
            (content,) = [one for one in inside if one != name]
            found[name] = base64.b64decode(content or "")
    assert found == contents


@each_dialect
async def test_an_sms_and_its_statuses_are_rendered(dialect: str) -> None:
    contract = await contract_of(dialect)
    asked = Submitted(
        message_id=UUID(int=1), channel=Channel.SMS, provider_message_id=IDENTIFIER,
        function="ENVOYER_SMS", reference="A7K2M9Q4X1",
    )  # fmt: skip

    assert texts(rendered(contract, "ENVOYER_SMS", submission(SMS))) == sorted(
        [*TRIO.values(), "33639980001", "le texte", "MAIRIE", "DEPT & 1"]
    )
    for name in ("STATUT_EMAIL", "STATUT_SMS", "STATUT_COMPLET_SMS", "COURRIER_STATUT"):
        envelope = rendered(contract, name, asked)
        assert texts(envelope) == sorted([*TRIO.values(), IDENTIFIER])
        assert named(envelope)["messageid"] == IDENTIFIER


@pytest.mark.parametrize(
    ("dialect", "request_name", "parameter"),
    [
        ("asmx", "{http://tempuri.org/}ENVOYER_SMS", "{http://tempuri.org/}TEXTE"),
        ("wcf", "{http://tempuri.org/}EnvoyerSms", "{http://tempuri.org/}TEXTE"),
        ("bare", "{urn:multicanal:bare}RequeteEnvoyerSms", "Corps/TEXTE"),
        ("php", "{urn:multicanal:php}ENVOYER_SMS", "TEXTE"),
        ("rpc_header", "{urn:multicanal:rpc_header}ENVOYER_SMS", "TEXTE"),
    ],
)
async def test_names_stand_in_the_namespaces_that_the_wsdl_gives_them(
    dialect: str, request_name: str, parameter: str
) -> None:
    envelope = rendered(await contract_of(dialect), "ENVOYER_SMS", submission(SMS))

    request = request_of(envelope)
    assert request.tag == request_name
    assert request.findtext(parameter) == "le texte"


async def test_wcfs_files_stand_in_their_own_namespace() -> None:
    envelope = rendered(await contract_of("wcf"), "ENVOYER_EMAIL", submission(EMAIL))

    contract = "{http://schemas.datacontract.org/2004/07/Multicanal}"
    path = f"{{http://tempuri.org/}}LISTE_FICHIERS/{contract}Fichier/{contract}NOM"
    assert [one.text for one in request_of(envelope).iterfind(path)] == ["é.pdf", "b.pdf"]


async def test_credentials_in_a_header_stand_nowhere_else() -> None:
    envelope = rendered(await contract_of("rpc_header"), "ENVOYER_SMS", submission(SMS))

    soap = "{http://www.w3.org/2003/05/soap-envelope}"
    (header,) = envelope.iterfind(f"{soap}Header/{{urn:multicanal:rpc_header}}Authentification")
    assert [one.text for one in header] == list(TRIO.values())
    assert not set(TRIO.values()) & {one.text for one in request_of(envelope).iter()}


async def test_an_encoded_request_names_its_types() -> None:
    request = request_of(rendered(await contract_of("php"), "COURRIER_ENVOYER", submission(LETTER)))

    (files,) = request.iterfind("Liste_Fichier")
    prefix = next(key for key, one in files.nsmap.items() if one == "urn:multicanal:php")
    schema = next(
        key for key, one in files.nsmap.items() if one == "http://www.w3.org/2001/XMLSchema"
    )
    encoding = next(key for key, one in files.nsmap.items() if one == ENC[1:-1])
    assert request.get("{http://schemas.xmlsoap.org/soap/envelope/}encodingStyle") == ENC[1:-1]
    assert files.get(f"{ENC}arrayType") == f"{prefix}:Fichier[2]"
    assert files.get(f"{XSI}type") == f"{encoding}:Array"
    assert [one.get(f"{XSI}type") for one in files] == [f"{prefix}:Fichier"] * 2
    assert [one.get(f"{XSI}type") for one in files[0]] == [f"{schema}:string"] * 2


async def test_an_empty_array_of_soaps_encoding_is_nil() -> None:
    content = Email(
        to_address="t@example.com", from_address="f@example.com", subject="S", text="T", html=""
    )

    request = request_of(rendered(await contract_of("php"), "ENVOYER_EMAIL", submission(content)))

    (files,) = request.iterfind("LISTE_FICHIERS")
    assert files.get(f"{XSI}nil") == "true"


async def test_every_part_of_an_rpc_request_is_there_in_the_wsdls_order() -> None:
    content = Sms(to="+33639980001", text="le texte")

    request = request_of(
        rendered(await contract_of("rpc_header"), "ENVOYER_SMS", submission(content, billing_code=None))
    )  # fmt: skip

    assert [(one.tag, one.text) for one in request] == [
        ("DESTINATION", "33639980001"),
        ("TEXTE", "le texte"),
        ("DA", None),
        ("CODE_FACTURATION", None),
    ]


@pytest.mark.parametrize(
    ("dialect", "headers"),
    [
        ("asmx", {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '"http://tempuri.org/ENVOYER_SMS"'}),
        ("wcf", {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '"http://tempuri.org/IMulticanal/EnvoyerSms"'}),
        ("bare", {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '""'}),
        ("rpc_header", {"Content-Type": 'application/soap+xml; charset=utf-8; action="urn:multicanal:rpc_header#ENVOYER_SMS"'}),
    ],
)  # fmt: skip
async def test_the_http_headers_are_those_of_the_soap_version(
    dialect: str, headers: dict[str, str]
) -> None:
    contract = await contract_of(dialect)

    assert contract.headers(contract.bound["ENVOYER_SMS"]) == headers


# What leaves.


@each_dialect
@pytest.mark.parametrize("large", [False, True])
async def test_a_letter_is_sent_and_its_answer_read(dialect: str, large: bool) -> None:
    async with serving(http_answer(result(IDENTIFIER))) as server:
        account = build_efidem(
            EfidemSettings(
                wsdl=str(FOLDER / f"{dialect}.wsdl"),
                username="the-user",
                password=SecretStr("p<w>&d"),
                app_id="the-app",
                address=HttpUrl(server.url("/soap")),
                _env_file=None,
            )
        )
        content = b"x" * 400_000 if large else PDF
        handed = submission(LETTER, files={"ff": content, "ee": b"second"})

        outcome = await account.submit(handed)

        await account.close()
    assert outcome == Accepted(IDENTIFIER)
    (request,) = server.requests
    assert request.count(base64.b64encode(content).decode()) == 1


# What is chosen, and what is refused.


async def test_soap_1_2_is_taken_where_it_offers_more_functions(tmp_path: Path) -> None:
    whole = (FOLDER / "asmx.wsdl").read_text()
    start = whole.index('<wsdl:binding name="MulticanalSoap" ')
    lacking = whole.index('<wsdl:operation name="COURRIER_STATUT">', start)
    end = whole.index("</wsdl:operation>", lacking) + len("</wsdl:operation>")
    path = tmp_path / "less.wsdl"
    path.write_text(whole[:lacking] + whole[end:])

    contract = await Soap(NoWire(), FUNCTIONS).load(str(path), None)

    assert {one["port"] for one in contract.report()} == {"MulticanalSoap12"}
    assert [one.blocked for one in contract.bound.values() if one.blocked] == []


async def test_a_configured_address_is_called_instead_of_the_wsdls() -> None:
    path = str(FOLDER / "php.wsdl")

    contract = await Soap(NoWire(), FUNCTIONS).load(path, "https://other.example/soap")

    assert contract.address == "https://other.example/soap"
    assert contract.warnings == ()


async def test_an_envelope_type_that_no_enumeration_holds_is_refused_with_what_it_takes() -> None:
    bound = (await contract_of("asmx")).bound["COURRIER_ENVOYER"]
    content = Letter(
        last_name="D", first_name="Z", line1="1", postal_code="75001", city="P", country="FR",
        envelope="C4", files=(file("a.pdf"),),  # type: ignore[arg-type]
    )  # fmt: skip

    with pytest.raises(CannotBind) as caught:
        bound.arguments(submission(content), TRIO)

    assert caught.value.why == "Type_lettre takes one of Enveloppe_C5, Enveloppe_C6"
