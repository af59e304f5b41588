"""The documented functions bound to WSDLs as a provider may hand them over."""

import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from uuid import UUID

import pytest
from lxml import etree
from pydantic import SecretStr

from app.domain.errors import FieldError
from app.domain.message import (
    Channel,
    Content,
    Email,
    File,
    Letter,
    Sms,
    Submission,
    Submitted,
)
from app.domain.outcome import Accepted, Blocked, NoAnswer, Report
from app.providers.efidem import carries, functions, provider
from app.providers.efidem.binding.documents import without_query
from app.providers.efidem.following import CHECK
from app.providers.efidem.functions import FUNCTIONS
from app.providers.efidem.provider import Efidem
from app.providers.efidem.settings import EfidemSettings
from app.providers.efidem.soap import CannotBind, Contract, Soap
from app.providers.registry import build_efidem
from app.providers.wire import Wire
from tests.providers.efidem.envelopes import result
from tests.providers.sockets import Server, http_answer, serving

pytestmark = pytest.mark.anyio

WSDL = (Path(provider.__file__).parent / "efidem.wsdl").read_bytes()
NAMES = [function.name for function in FUNCTIONS]
TRIO = {"UTILISATEUR": "ab&c", "MOT_DE_PASSE": "p<w>d", "AppID": "42"}
IDENTIFIER = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
SPECIAL = "Ça coûte 5 €, <b> & \"]]>' \N{GRINNING FACE}\n\tfin"
PDF = bytes(range(256)) * 3

Load = Callable[..., Awaitable[Contract]]


def element_of(function: str, wsdl: bytes = WSDL) -> tuple[int, int]:
    """Return where the declaration of a function's request begins and ends."""
    start = wsdl.index(f'<xs:element name="{function}">'.encode())
    return start, wsdl.index(b"</xs:complexType>", start)


def edited(function: str, old: str, new: str, wsdl: bytes = WSDL) -> bytes:
    """Return the WSDL with one change in the declaration of one function's request."""
    start, end = element_of(function, wsdl)
    declared = wsdl[start:end]
    assert declared.count(old.encode()) == 1
    return wsdl[:start] + declared.replace(old.encode(), new.encode()) + wsdl[end:]


def without(function: str, parameter: str, wsdl: bytes = WSDL) -> bytes:
    start, end = element_of(function, wsdl)
    (line,) = [
        one.decode()
        for one in wsdl[start:end].splitlines()
        if f'name="{parameter}"'.encode() in one
    ]
    return edited(function, line, "", wsdl)


def renamed(old: str, new: str) -> bytes:
    """Return the WSDL with an operation, its elements and its messages renamed."""
    return WSDL.replace(old.encode(), new.encode())


@pytest.fixture
async def load(tmp_path: Path) -> AsyncIterator[Load]:
    wire = Wire(timeout=5.0, concurrency=2)

    async def read(wsdl: bytes) -> Contract:
        path = tmp_path / "handed-over.wsdl"
        path.write_bytes(wsdl)
        return await Soap(wire, FUNCTIONS).load(str(path), None)

    yield read
    await wire.close()


def efidem(tmp_path: Path, wsdl: bytes, server: Server | None = None) -> Efidem:
    path = tmp_path / "account.wsdl"
    path.write_bytes(wsdl)
    values = {
        "wsdl": str(path),
        "username": "user",
        "password": SecretStr("s3cret"),
        "app_id": "7",
        "address": server.url("/soap") if server else "http://127.0.0.1:9/soap",
        "bindings": None,
        "timeout": 5.0,
        "concurrency": 2,
        "rate": None,
    }
    return build_efidem(EfidemSettings.model_construct(**values))


def file(name: str = "é.pdf") -> File:
    return File(sha256="ff", name=name, media_type="application/pdf", size=len(PDF), pages=1)


def email(**changed: object) -> Email:
    values: dict[str, object] = {
        "to_address": "to@example.com",
        "from_address": "from@example.com",
        "subject": "Sujet",
        "text": "texte",
        "html": "<p>texte</p>",
    }
    return Email(**(values | changed))  # type: ignore[arg-type]


def letter(**changed: object) -> Letter:
    values: dict[str, object] = {
        "last_name": "Durand",
        "first_name": "Zoé",
        "line1": "1 rue X",
        "postal_code": "75001",
        "city": "Paris",
        "country": "FR",
        "files": (file(),),
    }
    return Letter(**(values | changed))  # type: ignore[arg-type]


def submission(content: Content, billing_code: str | None = None) -> Submission[Content]:
    return Submission(
        message_id=UUID(int=1),
        content=content,
        reference="A7K2M9Q4X1",
        billing_code=billing_code,
        files={"ff": PDF},
    )


def asked(channel: Channel) -> Submitted:
    sent_by = {
        Channel.EMAIL: functions.ENVOYER_EMAIL,
        Channel.SMS: functions.ENVOYER_SMS,
        Channel.LETTER: functions.COURRIER_ENVOYER,
        Channel.FAX: functions.ENVOYER_FAX,
    }
    return Submitted(
        message_id=UUID(int=1),
        channel=channel,
        provider_message_id=IDENTIFIER,
        function=sent_by[channel].name,
        reference="A7K2M9Q4X1",
    )


def sent(contract: Contract, function: str, handed: object) -> etree._Element:
    """Return the request that a call would make, valid by the WSDL's own schema."""
    bound = contract.bound[function]
    envelope = contract.render(bound, bound.arguments(handed, TRIO))
    body = etree.fromstring(envelope).find("{*}Body")
    assert body is not None
    (request,) = body
    declared = etree.fromstring(WSDL).find(".//{http://www.w3.org/2001/XMLSchema}schema")
    assert declared is not None
    etree.XMLSchema(declared).assertValid(request)
    return request


def values(request: etree._Element) -> list[tuple[str, str | None]]:
    return [(etree.QName(one).localname, one.text) for one in request if not len(one)]


def blocked(contract: Contract) -> Mapping[str, list[str]]:
    return {name: list(one.blocked) for name, one in contract.bound.items() if one.blocked}


# What the repository's own WSDL binds to.


async def test_every_function_is_found_under_its_own_name(load: Load) -> None:
    contract = await load(WSDL)

    assert {name: one.operation for name, one in contract.bound.items()} == {
        name: name for name in NAMES
    }
    assert {one.found for one in contract.bound.values()} == {"exact"}
    assert blocked(contract) == {}
    assert [one.missing for one in contract.bound.values() if one.missing] == []


async def test_a_report_is_what_json_can_carry_and_holds_no_secret(load: Load) -> None:
    contract = await load(WSDL)

    reports = [one.report() for one in contract.bound.values()]

    assert [one["function"] for one in json.loads(json.dumps(reports))] == NAMES
    assert reports[NAMES.index("STATUT_EMAIL")] == {
        "function": "STATUT_EMAIL",
        "operation": "STATUT_EMAIL",
        "found": "exact",
        "parameters": {"MESSAGEID": "MESSAGEID"},
        "warnings": [],
        "blocked": [],
    }


# What a WSDL lacks.


async def test_an_email_without_a_subject_parameter_is_warned_of_and_not_blocked(
    load: Load, tmp_path: Path
) -> None:
    wsdl = without("ENVOYER_EMAIL", "SUJET")

    contract = await load(wsdl)
    account = efidem(tmp_path, wsdl)
    await account.start()
    prepared = await account.prepare(submission(email()))
    await account.close()

    bound = contract.bound["ENVOYER_EMAIL"]
    assert [one.name for one in bound.missing] == ["SUJET"]
    assert bound.report()["warnings"] == ["the WSDL has no parameter SUJET"]
    assert blocked(contract) == {}
    assert (prepared.errors, prepared.warnings) == ([], ["not_carried:SUJET"])


@pytest.mark.parametrize(
    ("function", "parameter", "plain", "using", "pointer"),
    [
        ("ENVOYER_EMAIL", "REPONDRE_A", email(), email(reply_to="r@example.com"), "/reply_to"),
        ("ENVOYER_EMAIL", "NOM_DESTINATAIRE", email(), email(to_name="Zoé"), "/to/0/name"),
        ("ENVOYER_EMAIL", "LISTE_FICHIERS", email(), email(files=(file(),)), "/attachments"),
        ("ENVOYER_SMS", "DA", Sms(to="+33639980001", text="x"),
         Sms(to="+33639980001", text="x", sender="Mairie"), "/sender"),
        ("COURRIER_ENVOYER", "Sujet", letter(), letter(subject="Avis"), "/subject"),
    ],
)  # fmt: skip
async def test_only_a_request_that_uses_what_is_missing_is_refused(
    tmp_path: Path, function: str, parameter: str, plain: Content, using: Content, pointer: str
) -> None:
    account = efidem(tmp_path, without(function, parameter))
    await account.start()

    unharmed = await account.prepare(submission(plain))
    refused = await account.prepare(submission(using))

    await account.close()
    assert (unharmed.errors, unharmed.warnings) == ([], [])
    (error,) = refused.errors
    assert isinstance(error, FieldError)
    assert (error.pointer, error.code) == (pointer, "not_carried")
    assert parameter in error.detail


async def test_a_billing_code_is_refused_where_it_cannot_be_carried(tmp_path: Path) -> None:
    account = efidem(tmp_path, without("ENVOYER_SMS", "CODE_FACTURATION"))
    await account.start()

    prepared = await account.prepare(submission(Sms(to="+33639980001", text="x"), "DEPT-1"))

    await account.close()
    assert [one.pointer for one in prepared.errors] == ["/billing_code"]


async def test_a_message_accepted_before_the_wsdl_was_read_is_not_sent_without_its_files(
    tmp_path: Path,
) -> None:
    async with serving(http_answer(result(IDENTIFIER))) as server:
        account = efidem(tmp_path, without("ENVOYER_EMAIL", "LISTE_FICHIERS"), server)
        prepared = await account.prepare(submission(email(files=(file(),))))

        using = await account.submit(submission(email(files=(file(),))))
        plain = await account.submit(submission(email()))

        await account.close()
    assert prepared.errors == ()
    assert using == Blocked(
        "provider_contract",
        "ENVOYER_EMAIL: the WSDL has no parameter LISTE_FICHIERS",
        stops=False,
    )
    assert plain == Accepted(IDENTIFIER)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("function", "parameter"),
    [
        ("STATUT_EMAIL", "MESSAGEID"),
        ("ENVOYER_EMAIL", "DESTINATION"),
        ("ENVOYER_EMAIL", "EMETTEUR"),
        ("ENVOYER_SMS", "TEXTE"),
        ("COURRIER_ENVOYER", "Adresse_postale"),
        ("ENVOYER_SMS", "MOT_DE_PASSE"),
        ("COURRIER_STATUT", "AppID"),
    ],
)
async def test_what_a_function_cannot_do_without_blocks_that_function_only(
    load: Load, function: str, parameter: str
) -> None:
    contract = await load(without(function, parameter))

    assert blocked(contract) == {function: [f"the WSDL has no parameter {parameter}"]}


async def test_a_blocked_function_makes_no_call_and_the_others_do(tmp_path: Path) -> None:
    async with serving(http_answer(result(IDENTIFIER))) as server:
        account = efidem(tmp_path, without("STATUT_EMAIL", "MESSAGEID"), server)
        await account.start()

        status = await account.ask(asked(Channel.EMAIL))
        sending = await account.submit(submission(email()))
        health = account.health()

        await account.close()
    assert status == NoAnswer("STATUT_EMAIL: the WSDL has no parameter MESSAGEID")
    assert sending == Accepted(IDENTIFIER)
    assert len(server.requests) == 1
    assert (health["state"], health["blocked"]) == ("degraded", ["STATUT_EMAIL"])


async def test_an_operation_that_is_missing_blocks_its_function(load: Load) -> None:
    contract = await load(renamed("COURRIER_ENVOYER", "COURRIER_AUTREMENT"))

    assert blocked(contract) == {"COURRIER_ENVOYER": ["the WSDL has no such operation"]}


@pytest.mark.parametrize(
    "demanded",
    [
        '<xs:element name="INCONNU" type="xs:string"/>',
        '<xs:element name="VARIABLE9" type="xs:int"/>',
    ],
)
async def test_an_unknown_mandatory_element_blocks_its_function(load: Load, demanded: str) -> None:
    name = demanded.split('"')[1]
    first = '<xs:element name="DESTINATION" type="xs:string"/>'

    contract = await load(edited("ENVOYER_SMS", first, demanded + first))

    assert blocked(contract) == {
        "ENVOYER_SMS": [f"the WSDL demands {name}, which the document does not know"]
    }


@pytest.mark.parametrize(
    "optional",
    [
        '<xs:element name="INCONNU" type="xs:string" minOccurs="0"/>',
        '<xs:element name="INCONNU" type="xs:string" nillable="true"/>',
        '<xs:element name="INCONNU" type="xs:string" default="x"/>',
    ],
)
async def test_an_unknown_optional_element_does_not_block(load: Load, optional: str) -> None:
    first = '<xs:element name="DESTINATION" type="xs:string"/>'

    contract = await load(edited("ENVOYER_SMS", first, optional + first))

    assert blocked(contract) == {}


async def test_an_unknown_mandatory_field_of_an_object_blocks_who_uses_it(load: Load) -> None:
    city = b'<xs:element name="VILLE" type="xs:string"/>'
    assert WSDL.count(city) == 1

    contract = await load(WSDL.replace(city, city + city.replace(b"VILLE", b"CEDEX")))

    assert blocked(contract) == {"COURRIER_ENVOYER": ["the WSDL demands Adresse_postale.CEDEX"]}


async def test_an_object_without_a_field_that_it_needs_blocks_who_uses_it(load: Load) -> None:
    contract = await load(WSDL.replace(b'<xs:element name="PAYS" type="xs:string"/>', b""))

    assert blocked(contract) == {"COURRIER_ENVOYER": ["Adresse_postale has no field PAYS"]}


# What a WSDL names otherwise.


async def test_the_index_name_of_the_letters_status_is_found(load: Load) -> None:
    contract = await load(renamed("COURRIER_STATUT", "COURRIER_SUIVRE"))

    bound = contract.bound["COURRIER_STATUT"]
    assert (bound.operation, bound.found) == ("COURRIER_SUIVRE", "other spelling")
    assert blocked(contract) == {}


async def test_the_other_spelling_of_the_application_id_is_found(load: Load) -> None:
    contract = await load(renamed('"AppID"', '"ApplID"'))

    assert {one.trio["AppID"] for one in contract.bound.values()} == {"ApplID"}
    assert blocked(contract) == {}


async def test_names_are_found_in_any_case_and_punctuation(load: Load) -> None:
    contract = await load(
        renamed("ENVOYER_SMS", "EnvoyerSms")
        .replace(b'"CODE_FACTURATION"', b'"CodeFacturation"')
        .replace(b'"ADRESSE_1"', b'"adresse1"')
    )

    assert contract.bound["ENVOYER_SMS"].operation == "EnvoyerSms"
    assert blocked(contract) == {}
    assert [one.missing for one in contract.bound.values() if one.missing] == []


async def test_the_sms_sender_is_found_under_the_name_of_the_multiple_function(load: Load) -> None:
    contract = await load(edited("ENVOYER_SMS", 'name="DA"', 'name="EMETTEUR"'))

    bound = contract.bound["ENVOYER_SMS"]
    arguments = bound.arguments(submission(Sms(to="+33639980001", text="x", sender="Moi")), TRIO)

    assert arguments["EMETTEUR"] == "Moi"


async def test_the_simple_status_is_asked_where_the_complete_one_is_missing(
    tmp_path: Path,
) -> None:
    wsdl = renamed("STATUT_COMPLET_SMS", "STATUT_AUTRE")
    async with serving(http_answer(result("77"))) as server:
        account = efidem(tmp_path, wsdl, server)

        finding = await account.ask(asked(Channel.SMS))

        await account.close()
    assert isinstance(finding, Report)
    assert finding.code == "77"
    assert "<ns0:STATUT_SMS " in server.requests[0]
    assert 'SOAPAction: "urn:efidem:multicanal/STATUT_SMS"' in server.requests[0]


async def test_the_complete_status_is_preferred(tmp_path: Path) -> None:
    async with serving(http_answer(result("77"))) as server:
        account = efidem(tmp_path, WSDL, server)

        await account.ask(asked(Channel.SMS))

        await account.close()
    assert "<ns0:STATUT_COMPLET_SMS " in server.requests[0]


# What is no WSDL.

EVIL = b'location="http://user:hunter2@evil.example/a.wsdl?pass=hunter2"'
IMPORT = b'<wsdl:import namespace="urn:x" %s/>'


def importing(where: bytes) -> bytes:
    return WSDL.replace(b"<wsdl:types>", IMPORT % where + b"<wsdl:types>", 1)


def after_declaration(dtd: bytes) -> bytes:
    return WSDL.replace(b"?>", b"?>" + dtd, 1)


@pytest.mark.parametrize(
    ("wsdl", "why"),
    [
        (b"", "cannot be read: XMLSyntaxError"),
        (WSDL[:5000], "cannot be read: XMLSyntaxError"),
        (WSDL[:-20], "cannot be read: XMLSyntaxError"),
        (b"<html><body>hunter2</body></html>", "the WSDL offers no SOAP port"),
        (b"<html><br>hunter2", "cannot be read: XMLSyntaxError"),
        (bytes(range(256)), "cannot be read: XMLSyntaxError"),
        (after_declaration(b"<!DOCTYPE x>"), "cannot be read: DTDForbidden"),
        (after_declaration(b'<!DOCTYPE x [<!ENTITY e "x">]>'), "cannot be read: DTDForbidden"),
        (importing(EVIL), "the WSDL imports a document from evil.example"),
        (importing(b'location="missing.wsdl"'), "cannot be read: FileNotFoundError"),
        (
            WSDL[: WSDL.index(b"<wsdl:service")] + b"</wsdl:definitions>",
            "the WSDL offers no SOAP port",
        ),
        (
            WSDL.replace(b'binding="tns:MulticanalSoap"', b'binding="tns:Autre"'),
            "the WSDL offers no SOAP port",
        ),
        (WSDL.replace(b'type="tns:MulticanalSoap"', b'type="tns:Autre"'), "cannot be read"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_file_that_is_no_wsdl_cannot_be_bound_and_says_why(
    load: Load, wsdl: bytes, why: str
) -> None:
    with pytest.raises(CannotBind) as caught:
        await load(wsdl)

    assert why in caught.value.why
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in caught.value.why


async def test_a_file_that_is_not_there_cannot_be_bound(tmp_path: Path) -> None:
    wire = Wire(timeout=5.0, concurrency=1)

    with pytest.raises(CannotBind) as caught:
        await Soap(wire, FUNCTIONS).load(str(tmp_path / "none.wsdl"), None)

    assert caught.value.why.endswith("none.wsdl cannot be read: FileNotFoundError")


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (http_answer(WSDL, 404), "answered HTTP 404"),
        (http_answer(WSDL, 302, "Location: http://evil.example/"), "answered HTTP 302"),
        (http_answer(importing(EVIL)), "the WSDL imports a document from evil.example"),
        (
            http_answer(importing(b'location="file:///etc/hostname"')),
            "the WSDL imports a document from this machine",
        ),
        (http_answer(b"<html>"), "cannot be read: XMLSyntaxError"),
        (http_answer(b" " * 1_100_000), "cannot be reached: the answer is larger than 1 MiB"),
        (b"", "cannot be reached: ServerDisconnectedError"),
    ],
)
async def test_an_address_that_gives_no_wsdl_says_why_without_its_query(
    answer: bytes, why: str
) -> None:
    wire = Wire(timeout=5.0, concurrency=1)
    async with serving(answer) as server:
        address = server.url("/wsdl?key=hunter2", host="user:hunter2@127.0.0.1")
        with pytest.raises(CannotBind) as caught:
            await Soap(wire, FUNCTIONS).load(address, None)
        await wire.close()

    assert why in caught.value.why
    assert "hunter2" not in caught.value.why


async def test_a_wsdl_is_read_from_its_address() -> None:
    wire = Wire(timeout=5.0, concurrency=1)
    async with serving(http_answer(WSDL)) as server:
        contract = await Soap(wire, FUNCTIONS).load(server.url("/soap?wsdl"), None)
        await wire.close()

    assert blocked(contract) == {}
    assert contract.address == "http://127.0.0.1/soap"
    assert len(server.requests) == 1


async def test_an_account_without_a_wsdl_keeps_messages_and_says_why(tmp_path: Path) -> None:
    account = efidem(tmp_path, b"<html/>")
    await account.start()

    outcome = await account.submit(submission(email()))
    finding = await account.ask(asked(Channel.EMAIL))

    await account.close()
    assert outcome == Blocked("provider_contract", "the WSDL offers no SOAP port", shown=CHECK)
    assert finding == NoAnswer("the WSDL offers no SOAP port")
    assert account.health()["state"] == "degraded"


# What is rendered.


async def test_an_email_is_rendered_whole(load: Load) -> None:
    content = email(
        subject=SPECIAL, text=SPECIAL, html="", to_name="Zoé", reply_to="r@x.fr", files=(file(),)
    )

    request = sent(await load(WSDL), "ENVOYER_EMAIL", submission(content, "DEPT & 1"))

    assert values(request) == [
        ("UTILISATEUR", "ab&c"),
        ("MOT_DE_PASSE", "p<w>d"),
        ("AppID", "42"),
        ("DESTINATION", "to@example.com"),
        ("NOM_DESTINATAIRE", "Zoé"),
        ("SUJET", SPECIAL),
        ("TEXTE", SPECIAL),
        ("HTML", None),
        ("EMETTEUR", "from@example.com"),
        ("REPONDRE_A", "r@x.fr"),
        ("REFCLIENT", "A7K2M9Q4X1"),
        ("CODE_FACTURATION", "DEPT & 1"),
    ]
    names = [one.text for one in request.iterfind(".//{*}NOM")]
    contents = [base64.b64decode(one.text or "") for one in request.iterfind(".//{*}CONTENU")]
    assert (names, contents) == (["é.pdf"], [PDF])


async def test_what_an_email_lacks_is_left_out(load: Load) -> None:
    request = sent(await load(WSDL), "ENVOYER_EMAIL", submission(email()))

    names = [etree.QName(one).localname for one in request]
    assert names == [
        "UTILISATEUR",
        "MOT_DE_PASSE",
        "AppID",
        "DESTINATION",
        "SUJET",
        "TEXTE",
        "HTML",
        "EMETTEUR",
        "REFCLIENT",
    ]


async def test_an_sms_goes_to_a_number_without_its_plus_sign(load: Load) -> None:
    content = Sms(to="+33639980001", text=SPECIAL, sender="MAIRIE")

    request = sent(await load(WSDL), "ENVOYER_SMS", submission(content))

    assert values(request)[3:] == [
        ("DESTINATION", "33639980001"),
        ("TEXTE", SPECIAL),
        ("DA", "MAIRIE"),
    ]


@pytest.mark.parametrize(("color", "shown"), [(True, "true"), (False, "false")])
async def test_a_letter_is_rendered_with_its_objects(load: Load, color: bool, shown: str) -> None:
    content = letter(color=color, envelope="C6", company="Été & Cie", files=(file(), file("b.pdf")))

    request = sent(await load(WSDL), "COURRIER_ENVOYER", submission(content))

    assert values(request)[3:] == [
        ("Couleur", shown),
        ("Type_lettre", "C6"),
        ("Reference_client", "A7K2M9Q4X1"),
    ]
    name, address, files = (
        [(etree.QName(inner).localname, inner.text) for inner in one] for one in request if len(one)
    )
    assert name == [("NOM", "Durand"), ("PRENOM", "Zoé"), ("RAISON_SOCIALE", "Été & Cie")]
    assert address == [
        ("ADRESSE_1", "1 rue X"),
        ("CODE_POSTAL", "75001"),
        ("VILLE", "Paris"),
        ("PAYS", "FR"),
    ]
    assert len(files) == 2
    assert [one.text for one in request.iterfind(".//{*}LISTE_FICHIER/{*}NOM")] == [
        "é.pdf",
        "b.pdf",
    ]


async def test_a_status_is_asked_for_by_the_providers_identifier(load: Load) -> None:
    contract = await load(WSDL)

    for name in ("STATUT_EMAIL", "STATUT_SMS", "STATUT_COMPLET_SMS", "COURRIER_STATUT"):
        assert values(sent(contract, name, asked(Channel.SMS)))[3:] == [("MESSAGEID", IDENTIFIER)]


async def test_a_file_in_a_string_is_base64_as_well(load: Load) -> None:
    contract = await load(WSDL.replace(b'type="xs:base64Binary"', b'type="xs:string"'))
    bound = contract.bound["ENVOYER_EMAIL"]

    arguments = bound.arguments(submission(email(files=(file(),))), TRIO)
    envelope = etree.fromstring(contract.render(bound, arguments))

    (one,) = envelope.iterfind(".//{*}CONTENU")
    assert base64.b64decode(one.text or "") == PDF


async def test_files_are_repeated_where_the_wsdl_has_no_wrapper(load: Load) -> None:
    contract = await load(
        edited(
            "ENVOYER_EMAIL",
            'type="tns:ArrayOfLISTE_FICHIER" minOccurs="0"',
            'type="tns:LISTE_FICHIER" minOccurs="0" maxOccurs="unbounded"',
        )
    )
    bound = contract.bound["ENVOYER_EMAIL"]

    content = email(files=(file("a.pdf"), file("b.pdf")))
    envelope = etree.fromstring(contract.render(bound, bound.arguments(submission(content), TRIO)))

    names = [one.text for one in envelope.iterfind(".//{*}LISTE_FICHIERS/{*}NOM")]
    assert names == ["a.pdf", "b.pdf"]


async def test_a_documented_optional_that_the_wsdl_demands_is_sent_empty(load: Load) -> None:
    contract = await load(
        edited("ENVOYER_SMS", '<xs:element name="DA" type="xs:string" minOccurs="0"/>',
               '<xs:element name="DA" type="xs:string"/>')
    )  # fmt: skip

    request = sent(contract, "ENVOYER_SMS", submission(Sms(to="+33639980001", text="x")))

    assert ("DA", None) in values(request)


async def test_what_xml_cannot_carry_is_refused_and_nothing_leaves(tmp_path: Path) -> None:
    async with serving(http_answer(result(IDENTIFIER))) as server:
        account = efidem(tmp_path, WSDL, server)

        outcome = await account.submit(submission(email(text="a\x00b")))

        await account.close()
    assert server.connections == 0
    assert type(outcome).__name__ == "Refused"


@pytest.mark.parametrize(
    ("namespace", "content_type"),
    [
        ("http://schemas.xmlsoap.org/wsdl/soap/", "text/xml; charset=utf-8"),
        (
            "http://schemas.xmlsoap.org/wsdl/soap12/",
            'application/soap+xml; charset=utf-8; action="urn:efidem:multicanal/ENVOYER_SMS"',
        ),
    ],
)
async def test_both_versions_of_soap_have_their_own_headers(
    load: Load, namespace: str, content_type: str
) -> None:
    contract = await load(
        WSDL.replace(b"http://schemas.xmlsoap.org/wsdl/soap/", namespace.encode())
    )

    headers = contract.headers(contract.bound["ENVOYER_SMS"])

    assert headers["Content-Type"] == content_type
    assert headers.get("SOAPAction") == (
        None if "soap12" in namespace else '"urn:efidem:multicanal/ENVOYER_SMS"'
    )


def test_what_each_function_sent_is_told_by_the_documents_function() -> None:
    names = {one: [told.name for told in telling] for one, telling in carries.TELLS.items()}

    assert names == {
        "ENVOYER_EMAIL": ["STATUT_EMAIL"],
        "MULTI_ENVOYER_EMAIL": ["STATUT_MULTI_EMAIL"],
        "ENVOYER_EMAIL_RELAIS": ["SUIVRE_EMAIL_RELAIS"],
        "ENVOYER_SMS": ["STATUT_COMPLET_SMS", "STATUT_SMS"],
        "MULTI_ENVOYER_SMS": ["STATUT_COMPLET_SMS", "STATUT_SMS"],
        "COURRIER_ENVOYER": ["COURRIER_STATUT"],
        "ENVOYER_FAX": ["STATUT_FAX"],
    }


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://127.0.0.1:8001/a.wsdl?key=secret", "http://127.0.0.1:8001/a.wsdl"),
        ("https://user:secret@soap.example/ws#x", "https://soap.example/ws"),
        ("/etc/efidem.wsdl", "/etc/efidem.wsdl"),
    ],
)
def test_an_address_is_shown_with_its_port_and_without_its_secrets(url: str, shown: str) -> None:
    assert without_query(url) == shown
