"""The simulated Efidem in each manner in which its WSDL may turn out to be published.

Envelopes are written by hand, as each stack would send them: no client of ours is in between.
"""

import base64
import hashlib
import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import zeep
from lxml import etree
from typer.testing import CliRunner
from zeep.transports import Transport
from zeep.wsdl.bindings import Soap11Binding, Soap12Binding

from app.cli import app as command
from app.providers.efidem.simulator import DIALECTS, create_app
from tests.providers.efidem.test_simulator import Clock, served_at

SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"
TYPES = "urn:efidem:rpc:types"
SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"
# As much of the encoding schema as an array needs: the WSDL imports it without a location.
ENCODING_SCHEMA = b"""
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"
    xmlns:tns="http://schemas.xmlsoap.org/soap/encoding/"
    targetNamespace="http://schemas.xmlsoap.org/soap/encoding/">
  <xs:attribute name="arrayType" type="xs:string"/>
  <xs:group name="Array">
    <xs:sequence>
      <xs:any namespace="##any" minOccurs="0" maxOccurs="unbounded" processContents="lax"/>
    </xs:sequence>
  </xs:group>
  <xs:complexType name="Array">
    <xs:group ref="tns:Array" minOccurs="0"/>
    <xs:attribute ref="tns:arrayType"/>
  </xs:complexType>
</xs:schema>"""
FILES = (b"%PDF-1.7 one", b"%PDF-1.7 two \xe9")
ONE, TWO = (base64.b64encode(content).decode() for content in FILES)
HASHES = [hashlib.sha256(content).hexdigest() for content in FILES]


class Offline(Transport):
    """Loads from the simulator and from nowhere else."""

    def load(self, url: str) -> Any:
        if url == "http://schemas.xmlsoap.org/soap/encoding/":
            return ENCODING_SCHEMA
        assert url.startswith("http://127.0.0.1:")
        return super().load(url)


@dataclass
class Manner:
    """How one stack writes a call."""

    version: str
    before: str  # in each call, before the parameters
    header: str
    wrapper: str  # with {function} and {content}
    media_type: str
    action: str | None
    names: dict[str, str]
    empty: tuple[str, ...]  # what must come although it says nothing
    letter: str
    files: str
    one_file: str


def trio(app_id: str, prefix: str = "") -> str:
    return (
        f"<{prefix}UTILISATEUR>user</{prefix}UTILISATEUR>"
        f"<{prefix}MOT_DE_PASSE>secret</{prefix}MOT_DE_PASSE>"
        f"<{prefix}{app_id}>app</{prefix}{app_id}>"
    )


MANNERS = {
    "document": Manner(
        version=SOAP_11,
        before=trio("AppID"),
        header="",
        wrapper='<{function} xmlns="urn:efidem:multicanal">{content}</{function}>',
        media_type="text/xml",
        action=None,
        names={},
        empty=(),
        letter="<{0}>{1}</{0}>",
        files="<{0}>{1}</{0}>",
        one_file="<LISTE_FICHIER><NOM>{0}</NOM><CONTENU>{1}</CONTENU></LISTE_FICHIER>",
    ),
    "asmx": Manner(
        version=SOAP_11,
        before=trio("ApplID"),
        header="",
        wrapper='<{function} xmlns="http://tempuri.org/">{content}</{function}>',
        media_type="text/xml; charset=utf-8",
        action='"http://tempuri.org/{function}"',
        names={"TRANSFORMER_NUMERO": "TRANSFORMER_NUEMRO", "COURRIER_STATUT": "COURRIER_SUIVRE"},
        empty=(),
        letter="<{0}>{1}</{0}>",
        files="<{0}>{1}</{0}>",
        one_file="<LISTE_FICHIER><NOM>{0}</NOM><CONTENU>{1}</CONTENU></LISTE_FICHIER>",
    ),
    "php": Manner(
        version=SOAP_11,
        before=trio("AppID"),
        header="",
        wrapper='<m:{function} xmlns:m="urn:efidem">{content}</m:{function}>',
        media_type="text/xml",
        action='"urn:efidem#{function}"',
        names={},
        empty=(),
        letter="<{0}>{1}</{0}>",
        files=(
            '<{0} xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:type="e:Array" '
            'xmlns:e="http://schemas.xmlsoap.org/soap/encoding/" e:arrayType="LISTE_FICHIER[]">'
            "{1}</{0}>"
        ),
        one_file=(
            '<item><CONTENU xmlns:i="http://www.w3.org/2001/XMLSchema-instance" '
            'i:type="xsd:string">{1}</CONTENU><NOM>{0}</NOM></item>'
        ),
    ),
    "rpc12": Manner(
        version=SOAP_12,
        before="",
        header='<t:AUTHENTIFICATION xmlns:t="urn:efidem:rpc:types">'
        + trio("ApplID", "t:")
        + "</t:AUTHENTIFICATION>",
        wrapper='<m:{function} xmlns:m="urn:efidem:rpc" xmlns:t="urn:efidem:rpc:types">{content}'
        "</m:{function}>",
        media_type='application/soap+xml; charset=utf-8; action="urn:efidem:rpc/{function}"',
        action=None,
        names={
            "COURRIER_ENVOYER": "ENVOYER_COURRIER",
            "COURRIER_STATUT": "COURRIER_SUIVRE",
            "TRANSFORMER_NUMERO": "TRANSFORMER_NUEMRO",
        },
        empty=(
            *("NOM_DESTINATAIRE", "REPONDRE_A", "REFCLIENT", "CODE_FACTURATION", "DA"),
            *(f"VARIABLE{n}" for n in range(1, 6)),
            *("Reference_client", "Sujet", "Facturation"),
        ),
        letter="<t:{0}>{1}</t:{0}>",
        files="<{0}>{1}</{0}>",
        one_file=(
            "<t:LISTE_FICHIER><t:NOM>{0}</t:NOM><t:CONTENU>{1}</t:CONTENU></t:LISTE_FICHIER>"
        ),
    ),
    "bare": Manner(
        version=SOAP_11,
        before="<Authentification>" + trio("AppID") + "</Authentification>",
        header="",
        wrapper='<m:{function}_REQUETE xmlns:m="urn:efidem:bare">{content}</m:{function}_REQUETE>',
        media_type="text/xml",
        action='""',
        names={},
        empty=(),
        letter="<{0}>{1}</{0}>",
        files="{1}",
        one_file="<{2}><NOM>{0}</NOM><CONTENU>{1}</CONTENU></{2}>",
    ),
}


@dataclass
class Dialect:
    name: str
    address: str
    manner: Manner

    def envelope(self, function: str, content: str) -> bytes:
        manner = self.manner
        call = manner.wrapper.format(function=self.spelled(function), content=content)
        return (
            f'<s:Envelope xmlns:s="{manner.version}"><s:Header>{manner.header}</s:Header>'
            f"<s:Body>{call}</s:Body></s:Envelope>"
        ).encode()

    def spelled(self, function: str) -> str:
        return self.manner.names.get(function, function)

    def post(self, body: bytes, function: str, **headers: str) -> tuple[int, etree._Element]:
        spelled = self.spelled(function)
        usual = {"Content-Type": self.manner.media_type.format(function=spelled)}
        if self.manner.action is not None:
            usual["SOAPAction"] = self.manner.action.format(function=spelled)
        request = urllib.request.Request(
            f"{self.address}/soap", data=body, headers={**usual, **headers}
        )
        try:
            with urllib.request.urlopen(request, timeout=5) as response:
                return response.status, etree.fromstring(response.read())
        except urllib.error.HTTPError as error:
            with error:
                said = error.read()
                return error.code, etree.fromstring(said) if said else etree.Element("nothing")

    def call(self, function: str, content: str) -> etree._Element:
        body = self.envelope(function, self.manner.before + content)
        status, answer = self.post(body, function)
        assert status == 200, etree.tostring(answer)
        return answer.find("{*}Body")[0]

    def result(self, function: str, content: str) -> str:
        return "".join(self.call(function, content).itertext())

    def ledger(self) -> list[dict[str, Any]]:
        with urllib.request.urlopen(f"{self.address}/ledger", timeout=5) as response:
            lines: list[dict[str, Any]] = json.loads(response.read())["submissions"]
            return lines

    def parts(self, **given: str) -> str:
        """Write what is given, in this order; with rpc/literal, the rest too."""
        return "".join(
            f"<{name}>{value}</{name}>"
            for name, value in given.items()
            if value or name in self.manner.empty
        )

    def sms(self, destination: str = "33639980123", text: str = "Votre colis") -> str:
        return self.parts(DESTINATION=destination, TEXTE=text, DA="", CODE_FACTURATION="")

    def email(self) -> str:
        head = self.parts(
            DESTINATION="anne@sim.test",
            NOM_DESTINATAIRE="",
            SUJET="Bonjour",
            TEXTE="Texte",
            HTML="&lt;p&gt;Texte&lt;/p&gt;",
            EMETTEUR="nous@sim.test",
            REPONDRE_A="",
            REFCLIENT="ref-1",
        )
        variables = {f"VARIABLE{n}": "" for n in range(1, 6)}
        tail = self.parts(CODE_FACTURATION="", **variables)
        return head + self.files("LISTE_FICHIERS", ONE) + tail

    def letter(self) -> str:
        one = self.manner.letter.format
        name = one("NOM", "Martin") + one("PRENOM", "Anne")
        address = (
            one("ADRESSE_1", "1 rue de la Paix")
            + one("CODE_POSTAL", "75002")
            + one("VILLE", "Paris")
            + one("PAYS", "France")
        )
        return (
            f"<Destinataires>{name}</Destinataires><Adresse_postale>{address}</Adresse_postale>"
            + self.files("Liste_Fichier", ONE, TWO)
            + "<Couleur>true</Couleur><Type_lettre>C5</Type_lettre>"
            + self.parts(Reference_client="", Sujet="", Facturation="compta")
        )

    def files(self, name: str, *contents: str) -> str:
        inside = "".join(
            self.manner.one_file.format(f"{n}.pdf", content, name)
            for n, content in enumerate(contents, 1)
        )
        return self.manner.files.format(name, inside)

    def loaded(self) -> Any:
        return zeep.Client(f"{self.address}/efidem.wsdl", transport=Offline())


@pytest.fixture(scope="module", params=list(MANNERS))
def dialect(request: pytest.FixtureRequest) -> Iterator[Dialect]:
    name = str(request.param)
    clock = Clock()
    app = create_app(pace=0, now=clock.now, dialect=name)
    with served_at(app) as address:
        yield Dialect(name, address, MANNERS[name])


@pytest.fixture(scope="module")
def asmx() -> Iterator[Dialect]:
    with served_at(create_app(pace=0, dialect="asmx")) as address:
        yield Dialect("asmx", address, MANNERS["asmx"])


def test_every_dialect_is_tried() -> None:
    assert list(MANNERS) == list(DIALECTS)


def test_the_command_refuses_a_dialect_that_there_is_not() -> None:
    result = CliRunner().invoke(command, ["simulate", "efidem", "--dialect", "volapük"])

    assert result.exit_code == 2


# --- what each publishes ---


def test_the_wsdl_is_parsed_and_has_the_21_functions(dialect: Dialect) -> None:
    (service,) = dialect.loaded().wsdl.services.values()
    soap = [
        port
        for port in service.ports.values()
        if isinstance(port.binding, (Soap11Binding, Soap12Binding))
    ]

    assert service.name == "EfidemSimulator"
    for port in soap:
        assert port.binding_options["address"] == f"{dialect.address}/soap"
        assert len(port.binding._operations) == 21
    assert {12 if isinstance(port.binding, Soap12Binding) else 11 for port in soap} == {
        "document": {11},
        "asmx": {11, 12},
        "php": {11},
        "rpc12": {12},
        "bare": {11},
    }[dialect.name]


def test_the_first_ports_of_asmx_are_not_soap(asmx: Dialect) -> None:
    (service,) = asmx.loaded().wsdl.services.values()

    assert list(service.ports) == [
        "MulticanalHttpGet",
        "MulticanalHttpPost",
        "MulticanalSoap",
        "MulticanalSoap12",
    ]


def test_php_publishes_and_answers_iso_8859_1() -> None:
    with (
        served_at(create_app(dialect="php")) as address,
        urllib.request.urlopen(f"{address}/efidem.wsdl", timeout=5) as response,
    ):
        wsdl = response.read()
        media_type = response.headers["Content-Type"]

    assert media_type == "text/xml; charset=iso-8859-1"
    assert wsdl.startswith(b'<?xml version="1.0" encoding="ISO-8859-1"?>')
    assert "Fax dématérialisé".encode("iso-8859-1") in wsdl


def test_only_rpc12_has_a_schema_of_its_own(dialect: Dialect) -> None:
    if dialect.name == "rpc12":
        with urllib.request.urlopen(f"{dialect.address}/efidem.xsd", timeout=5) as response:
            assert etree.fromstring(response.read()).get("targetNamespace") == TYPES
    else:
        with pytest.raises(urllib.error.HTTPError, match="404") as caught:
            urllib.request.urlopen(f"{dialect.address}/efidem.xsd", timeout=5)
        caught.value.close()


# --- what arrives ---


def test_an_sms_arrives(dialect: Dialect) -> None:
    message_id = dialect.result("ENVOYER_SMS", dialect.sms(text="Votre colis &amp; vous"))

    line = dialect.ledger()[-1]
    assert (line["function"], line["id"], line["recipient"], line["content_sha256"]) == (
        "ENVOYER_SMS",
        message_id,
        "33639980123",
        hashlib.sha256(b"Votre colis & vous").hexdigest(),
    )


def test_an_email_arrives_with_its_file(dialect: Dialect) -> None:
    message_id = dialect.result("ENVOYER_EMAIL", dialect.email())

    line = dialect.ledger()[-1]
    assert (line["id"], line["subject"], line["reference"]) == (message_id, "Bonjour", "ref-1")
    assert line["files"] == [{"name": "1.pdf", "size": len(FILES[0]), "sha256": HASHES[0]}]


def test_a_letter_arrives_with_both_files_in_their_order(dialect: Dialect) -> None:
    message_id = dialect.result("COURRIER_ENVOYER", dialect.letter())

    line = dialect.ledger()[-1]
    assert (line["id"], line["function"]) == (message_id, "COURRIER_ENVOYER")
    assert (line["recipient"], line["billing_code"]) == ("75002", "compta")
    assert [(file["name"], file["sha256"]) for file in line["files"]] == [
        ("1.pdf", HASHES[0]),
        ("2.pdf", HASHES[1]),
    ]


def test_a_refusal_is_a_code_and_nothing_arrives(dialect: Dialect) -> None:
    before = dialect.ledger()

    assert dialect.result("ENVOYER_SMS", dialect.sms("3363998")) == "-8"
    assert dialect.ledger() == before


def test_an_empty_part_of_the_trio_has_its_code(dialect: Dialect) -> None:
    body = dialect.envelope("ENVOYER_SMS", dialect.manner.before + dialect.sms())
    body = body.replace(b"UTILISATEUR>user</", b"UTILISATEUR></")

    _, answer = dialect.post(body, "ENVOYER_SMS")

    assert "".join(answer.itertext()) == "-1"


def test_the_name_of_a_function_is_the_dialects_own(dialect: Dialect) -> None:
    number = dialect.parts(NUMERO="+33(0)6.01.02.03.04")

    assert dialect.result("TRANSFORMER_NUMERO", number) == "33601020304"


def test_a_status_comes_as_a_number_or_as_an_object(dialect: Dialect) -> None:
    sms = dialect.result("ENVOYER_SMS", dialect.sms())
    letter = dialect.result("COURRIER_ENVOYER", dialect.letter())

    number = dialect.result("STATUT_SMS", dialect.parts(MESSAGEID=sms))
    answer = dialect.call("COURRIER_STATUT", dialect.parts(MESSAGEID=letter))

    assert number == "2"
    assert answer.findtext(".//{*}CODE_STATUT") == "620"
    assert answer.findtext(".//{*}DESCRIPTION_STATUT") == "Distribué"
    date = answer.findtext(".//{*}DATE_STATUT") or ""
    blank = " " if dialect.name == "php" else "T"
    assert re.fullmatch(rf"\d{{4}}-\d\d-\d\d{blank}\d\d:\d\d:\d\d", date)


def test_a_status_without_a_date_says_so_in_the_dialects_manner(dialect: Dialect) -> None:
    answer = dialect.call("COURRIER_STATUT", dialect.parts(MESSAGEID="0" * 32))

    dates = answer.findall(".//{*}DATE_STATUT")
    assert [date.text for date in dates] == {
        "asmx": ["0001-01-01T00:00:00"],
        "php": [None],
    }.get(dialect.name, [])


SEVERAL = {
    "document": ("<DESTINATION>{}</DESTINATION>", "<DESTINATAIRE>{}</DESTINATAIRE>", ""),
    "asmx": ("<DESTINATION>{}</DESTINATION>", "<DESTINATAIRE>{}</DESTINATAIRE>", ""),
    "php": ("<DESTINATION>{}</DESTINATION>", "<item>{}</item>", ""),
    "rpc12": ("<DESTINATAIRE>{}</DESTINATAIRE>", "<t:DESTINATAIRE>{}</t:DESTINATAIRE>", "t:"),
    "bare": ("{}", "<DESTINATION>{}</DESTINATION>", ""),
}


def test_an_email_to_several_arrives_with_each_ones_reference(dialect: Dialect) -> None:
    array, item, prefix = SEVERAL[dialect.name]
    recipients = "".join(
        item.format(
            f"<{prefix}DESTINATION>{name}@sim.test</{prefix}DESTINATION>"
            f"<{prefix}REFCLIENT>{name}</{prefix}REFCLIENT>"
        )
        for name in ("anne", "paul")
    )
    content = re.sub("<DESTINATION>.*?</DESTINATION>", array.format(recipients), dialect.email())

    message_id = dialect.result("MULTI_ENVOYER_EMAIL", content)

    lines = dialect.ledger()[-2:]
    assert [(line["id"], line["recipient"], line["reference"]) for line in lines] == [
        (message_id, "anne@sim.test", "anne"),
        (message_id, "paul@sim.test", "paul"),
    ]


def test_the_relay_takes_objects_or_in_asmx_bare_addresses(dialect: Dialect) -> None:
    _, item, prefix = SEVERAL[dialect.name]
    one = f"<{prefix}DESTINATION>{{}}</{prefix}DESTINATION>"

    def array(name: str, *addresses: str) -> str:
        if dialect.name == "bare":
            return "".join(f"<{name}>{one.format(each)}</{name}>" for each in addresses)
        if dialect.name == "asmx":
            return f"<{name}>" + "".join(f"<string>{a}</string>" for a in addresses) + f"</{name}>"
        return f"<{name}>" + "".join(item.format(one.format(a)) for a in addresses) + f"</{name}>"

    content = (
        array("DESTINATIONS_A", "anne@sim.test", "paul@sim.test")
        + array("DESTINATIONS_CC", "chef@sim.test")
        + "<SUJET>Bonjour</SUJET><TEXTE>Texte</TEXTE><HTML/><EMETTEUR>nous@sim.test</EMETTEUR>"
        + dialect.parts(REPONDRE_A="", REFCLIENT="")
        + "<ERREURS_VERS>erreurs@sim.test</ERREURS_VERS><OUVERTURE>1</OUVERTURE><CLICS>0</CLICS>"
        + dialect.files("LISTE_FICHIERS_RELAY", ONE, TWO)
        + dialect.parts(CODE_FACTURATION="")
    )

    dialect.result("ENVOYER_EMAIL_RELAIS", content)

    lines = dialect.ledger()[-3:]
    assert [(line["recipient"], line["details"]["array"]) for line in lines] == [
        ("anne@sim.test", "DESTINATIONS_A"),
        ("paul@sim.test", "DESTINATIONS_A"),
        ("chef@sim.test", "DESTINATIONS_CC"),
    ]
    assert {line["details"]["OUVERTURE"] for line in lines} == {"true"}
    assert {line["details"]["CLICS"] for line in lines} == {"false"}
    assert [[file["sha256"] for file in line["files"]] for line in lines] == [HASHES] * 3


# Each writes dates and files in its own way: (from, to, how the file comes).
REPORTS = {
    "document": ("2026-09-01", "2026-09-30", "base64"),
    "asmx": ("2026-09-01T00:00:00", "2026-09-29T22:30:00Z", "base64"),
    "php": ("01/09/2026", "30/09/2026 23:59:59", "base64"),
    "rpc12": ("2026-09-01+02:00", "2026-09-30", "text"),
    "bare": ("2026-09-01", "2026-09-30Z", "base64"),
}


def test_a_report_is_a_file_in_the_dialects_manner(dialect: Dialect) -> None:
    first, last, manner = REPORTS[dialect.name]
    letter = dialect.letter().replace("compta", "été")
    message_id = dialect.result("COURRIER_ENVOYER", letter)

    result = dialect.result("RAPPORT", dialect.parts(DATE_DEBUT=first, DATE_FIN=last))

    content = result if manner == "text" else base64.b64decode(result).decode("iso-8859-1")
    row = f"21/09/2026;16:13:20;COURRIER;75002;;été;{message_id};Distribué"
    assert content.splitlines()[0].startswith("date;heure;type;")
    assert row in content.splitlines()


def test_the_code_of_a_report_is_of_the_reports_type(dialect: Dialect) -> None:
    first, last, _ = REPORTS[dialect.name]
    body = dialect.envelope(
        "RAPPORT", dialect.manner.before + dialect.parts(DATE_DEBUT=first, DATE_FIN=last)
    )

    _, answer = dialect.post(body.replace(b">secret<", b">wrong<"), "RAPPORT")

    code = "".join(answer.itertext())
    binary = dialect.name not in {"php", "rpc12"}
    assert (base64.b64decode(code).decode() if binary else code) == "-6"


def test_the_second_password_has_the_dialects_name(dialect: Dialect) -> None:
    name = {
        "document": "MOT_DE_PASSE_UTILISATEUR",
        "asmx": "MOT_DE_PASSE_2",
        "php": "MOT_DE_PASSE2",
        "rpc12": "MOT_DE_PASSE",
        "bare": "MOT_DE_PASSE",
    }[dialect.name]
    user = dialect.parts(NOM_UTILISATEUR="marie")

    empty = dialect.result("AJOUTER_UTILISATEUR", f"{user}<{name}/>")
    added = dialect.result("AJOUTER_UTILISATEUR", f"{user}<{name}>autre</{name}>")
    removed = dialect.result("ENLEVER_UTILISATEUR", user)

    assert (empty, added, removed) == ("-5", "1", "1")


def test_an_attachment_may_exceed_ten_million_characters(dialect: Dialect) -> None:
    content = b"x" * 9_000_000
    big = base64.b64encode(content).decode()
    email = dialect.email().replace(ONE, big)

    dialect.result("ENVOYER_EMAIL", email)

    file = dialect.ledger()[-1]["files"][0]
    assert (file["size"], file["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())


@dataclass
class Zeep:
    """A stock zeep client, and what it must pass in each call."""

    client: Any
    service: Any
    trio: dict[str, Any]

    def array(self, name: str, item: str, values: list[dict[str, Any]]) -> Any:
        """Write an array in the shape that its type asks for."""
        if "urn:efidem" not in self.client.namespaces.values():
            return {item: values}
        one = self.client.get_type(f"{{urn:efidem}}{item}")
        return self.client.get_type(f"{{urn:efidem}}{name}")([one(**value) for value in values])


def with_zeep(dialect: Dialect) -> Zeep:
    client = dialect.loaded()
    (service,) = client.wsdl.services.values()
    port = next(name for name in service.ports if "Http" not in name)
    app_id = "ApplID" if dialect.name in {"asmx", "rpc12"} else "AppID"
    trio = {"UTILISATEUR": "user", "MOT_DE_PASSE": "secret", app_id: "app"}
    arguments: dict[str, Any] = {
        "rpc12": {"_soapheaders": {"AUTHENTIFICATION": trio}},
        "bare": {"Authentification": trio},
    }.get(dialect.name, trio)
    return Zeep(client, client.bind("EfidemSimulator", port), arguments)


def test_zeep_reads_the_answers(dialect: Dialect) -> None:
    sms = dialect.result("ENVOYER_SMS", dialect.sms())
    stock = with_zeep(dialect)

    assert stock.service.STATUT_SMS(MESSAGEID=sms, **stock.trio) == 2
    status = stock.service.STATUT_COMPLET_SMS(MESSAGEID=sms, **stock.trio)
    status = getattr(status, "RESULTAT", status)
    assert (status.CODE_STATUT, status.DESCRIPTION_STATUT) == ("102", "Reçu par le mobile")


def test_zeep_sends_a_letter_with_two_files(dialect: Dialect) -> None:
    stock = with_zeep(dialect)
    contents: list[Any] = [ONE, TWO] if dialect.name == "php" else list(FILES)
    files: Any = [{"NOM": f"{n}.pdf", "CONTENU": one} for n, one in enumerate(contents, 1)]
    if dialect.name != "bare":
        files = stock.array("ArrayOfLISTE_FICHIER", "LISTE_FICHIER", files)
    address = {
        "ADRESSE_1": "1 rue de la Paix",
        "CODE_POSTAL": "75002",
        "VILLE": "Paris",
        "PAYS": "France",
    }

    stock.service[dialect.spelled("COURRIER_ENVOYER")](
        Destinataires={"NOM": "Martin", "PRENOM": "Anne"},
        Adresse_postale=address,
        Liste_Fichier=files,
        Couleur=True,
        Type_lettre="C5",
        Reference_client="ref-zeep",
        Sujet="",
        Facturation="",
        **stock.trio,
    )

    line = dialect.ledger()[-1]
    assert line["reference"] == "ref-zeep"
    assert (line["details"]["Couleur"], line["details"]["Type_lettre"]) == ("true", "C5")
    assert [file["sha256"] for file in line["files"]] == HASHES


# --- what does not ---


def fault_of(status: int, answer: etree._Element) -> tuple[int, str, str]:
    """Return the status, the fault's code without its prefix, and its words."""
    fault = answer.find("{*}Body")[0]
    assert etree.QName(fault).localname == "Fault"
    code = fault.findtext("faultcode") or fault.findtext(f"{{{SOAP_12}}}Code/{{*}}Value") or ""
    words = fault.findtext("faultstring") or fault.findtext(f"{{{SOAP_12}}}Reason/{{*}}Text") or ""
    return status, code.partition(":")[2], words


def wrong(dialect: Dialect) -> tuple[int, str]:
    return (400, "Sender") if dialect.manner.version == SOAP_12 else (500, "Client")


def test_an_unknown_function_is_a_fault(dialect: Dialect) -> None:
    body = dialect.envelope("ENVOYER_PIGEON", dialect.manner.before)

    *said, words = fault_of(*dialect.post(body, "ENVOYER_PIGEON"))

    assert tuple(said) == wrong(dialect)
    assert "this WSDL" in words


@pytest.mark.parametrize(
    ("sequence", "replacement"),
    [
        ("<TEXTE>Votre colis</TEXTE>", "<TEXT>S3cret</TEXT>"),
        ("<TEXTE>Votre colis</TEXTE>", "<TEXTE>S3cret</TEXTE><TEXTE>S3cret</TEXTE>"),
        ("<TEXTE>Votre colis</TEXTE>", "<TEXTE><b>S3cret</b></TEXTE>"),
    ],
)
def test_a_request_of_another_shape_is_a_fault_that_does_not_echo_it(
    dialect: Dialect, sequence: str, replacement: str
) -> None:
    content = dialect.sms().replace(sequence, replacement)
    body = dialect.envelope("ENVOYER_SMS", dialect.manner.before + content)

    *said, words = fault_of(*dialect.post(body, "ENVOYER_SMS"))

    assert tuple(said) == wrong(dialect)
    assert "S3cret" not in words


@pytest.mark.parametrize(
    ("sequence", "replacement"),
    [
        ("<Type_lettre>C5<", "<Type_lettre>C4<"),
        ("<Couleur>true<", "<Couleur>oui<"),
        (ONE, "pas du base64 !"),
    ],
)
def test_a_value_of_a_wrong_type_is_a_fault(
    dialect: Dialect, sequence: str, replacement: str
) -> None:
    content = dialect.letter().replace(sequence, replacement)
    body = dialect.envelope("COURRIER_ENVOYER", dialect.manner.before + content)
    before = dialect.ledger()

    *said, _ = fault_of(*dialect.post(body, "COURRIER_ENVOYER"))

    assert tuple(said) == wrong(dialect)
    assert dialect.ledger() == before


def test_another_version_of_soap_is_a_fault(dialect: Dialect) -> None:
    other = SOAP_11 if dialect.manner.version == SOAP_12 else SOAP_12
    if dialect.name == "asmx":  # it knows both
        other = "http://www.w3.org/2001/09/soap-envelope"
    body = dialect.envelope("ENVOYER_SMS", dialect.manner.before + dialect.sms())
    body = body.replace(dialect.manner.version.encode(), other.encode())

    *said, words = fault_of(*dialect.post(body, "ENVOYER_SMS"))

    assert tuple(said) == wrong(dialect)
    assert "envelope" in words


# --- each one's own ---


@pytest.mark.parametrize("action", ["", '""', '"http://tempuri.org/STATUT_SMS"'])
def test_asmx_refuses_another_soap_action(asmx: Dialect, action: str) -> None:
    body = asmx.envelope("ENVOYER_SMS", asmx.manner.before + asmx.sms())

    *said, words = fault_of(*asmx.post(body, "ENVOYER_SMS", SOAPAction=action))

    assert said == [500, "Client"]
    assert words == "Server did not recognize the value of HTTP Header SOAPAction."


def test_asmx_also_speaks_soap_1_2_where_the_action_may_be_absent(asmx: Dialect) -> None:
    body = asmx.envelope("ENVOYER_SMS", asmx.manner.before + asmx.sms())
    body = body.replace(SOAP_11.encode(), SOAP_12.encode())
    bare, right, other = (
        f"application/soap+xml; charset=utf-8{action}"
        for action in (
            "",
            '; action="http://tempuri.org/ENVOYER_SMS"',
            '; action="http://tempuri.org/STATUT_SMS"',
        )
    )

    for media_type in (bare, right):
        status, answer = asmx.post(body, "ENVOYER_SMS", **{"Content-Type": media_type})
        assert (status, answer.tag) == (200, f"{{{SOAP_12}}}Envelope")
    *said, _ = fault_of(*asmx.post(body, "ENVOYER_SMS", **{"Content-Type": other}))
    assert said == [400, "Sender"]


def test_soap_1_2_must_come_as_its_media_type(asmx: Dialect) -> None:
    body = asmx.envelope("ENVOYER_SMS", "").replace(SOAP_11.encode(), SOAP_12.encode())

    status, _ = asmx.post(body, "ENVOYER_SMS")

    assert status == 415


def test_asmx_insists_on_value_types_and_not_on_texts(asmx: Dialect) -> None:
    without_colour = asmx.letter().replace("<Couleur>true</Couleur>", "")
    body = asmx.envelope("COURRIER_ENVOYER", asmx.manner.before + without_colour)

    assert fault_of(*asmx.post(body, "COURRIER_ENVOYER"))[:2] == (500, "Client")
    assert asmx.result("ENVOYER_SMS", "<TEXTE>Votre colis</TEXTE>") == "-4"


def test_asmx_offers_nothing_where_its_http_ports_point(asmx: Dialect) -> None:
    with pytest.raises(urllib.error.HTTPError, match="404") as caught:
        urllib.request.urlopen(f"{asmx.address}/soap/STATUT_SMS?MESSAGEID=1", timeout=5)
    caught.value.close()


@pytest.fixture(scope="module")
def php() -> Iterator[Dialect]:
    with served_at(create_app(pace=0, dialect="php")) as address:
        yield Dialect("php", address, MANNERS["php"])


def test_php_takes_parts_in_any_order_and_missing_ones_as_null(php: Dialect) -> None:
    content = "<TEXTE>Votre colis</TEXTE><DESTINATION>33639980123</DESTINATION>"
    body = php.envelope("ENVOYER_SMS", content + php.manner.before)

    status, answer = php.post(body, "ENVOYER_SMS")

    result = answer.find("{*}Body")[0].find("return")
    assert status == 200
    assert result.attrib == {"{http://www.w3.org/2001/XMLSchema-instance}type": "xsd:string"}
    assert php.ledger()[-1]["id"] == result.text
    assert php.result("ENVOYER_SMS", "<DESTINATION>33639980123</DESTINATION>") == "-5"


@pytest.mark.parametrize("days", [("", ""), ("hier", "01/09/2026"), ("2026-02-30", "2026-03-01")])
def test_php_takes_dates_as_texts_and_has_a_code_for_wrong_ones(
    php: Dialect, days: tuple[str, str]
) -> None:
    first, last = days
    content = f"<DATE_DEBUT>{first}</DATE_DEBUT><DATE_FIN>{last}</DATE_FIN>"

    assert php.result("RAPPORT", content) == "-4"


def test_php_takes_a_nil_array_as_an_empty_one(php: Dialect) -> None:
    nil = '<Liste_Fichier xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil="true"/>'
    letter = re.sub("<Liste_Fichier.*</Liste_Fichier>", nil, php.letter())

    assert php.result("COURRIER_ENVOYER", letter) == "506"


@pytest.fixture(scope="module")
def rpc12() -> Iterator[Dialect]:
    with served_at(create_app(pace=0, dialect="rpc12")) as address:
        yield Dialect("rpc12", address, MANNERS["rpc12"])


def test_rpc_literal_insists_on_all_parts_in_their_order(rpc12: Dialect) -> None:
    for content in (
        rpc12.sms().replace("<DA></DA>", ""),
        "<TEXTE>a</TEXTE><DESTINATION>33639980123</DESTINATION><DA/><CODE_FACTURATION/>",
    ):
        body = rpc12.envelope("ENVOYER_SMS", content)
        assert fault_of(*rpc12.post(body, "ENVOYER_SMS"))[:2] == (400, "Sender")


def test_a_missing_header_is_an_empty_trio(rpc12: Dialect) -> None:
    body = rpc12.envelope("ENVOYER_SMS", rpc12.sms())
    body = re.sub(b"<s:Header>.*</s:Header>", b"", body)

    _, answer = rpc12.post(body, "ENVOYER_SMS")

    assert "".join(answer.itertext()) == "-1"


def test_a_trio_in_the_body_of_rpc12_is_a_fault(rpc12: Dialect) -> None:
    body = rpc12.envelope("ENVOYER_SMS", trio("ApplID") + rpc12.sms())

    assert fault_of(*rpc12.post(body, "ENVOYER_SMS"))[:2] == (400, "Sender")
