"""What a contract's fingerprint depends on, and what is said of each change."""

import re
from pathlib import Path
from typing import Any

import pytest

from app.providers.efidem.compare import compare
from app.providers.efidem.drift import Severity, What, fingerprint
from app.providers.efidem.functions import FUNCTIONS
from app.providers.efidem.pins import FunctionPins, Pinned
from app.providers.efidem.soap import Contract, Soap
from app.providers.wire import Wire
from tests.providers.efidem.wsdl.written import TRIO, element, enumeration, named, struct, wsdl

pytestmark = pytest.mark.anyio

ENUMERATED = enumeration("Kind", "a", "b")
SENT = TRIO + "".join(
    [
        element("DESTINATION"),
        element("NOM_DESTINATAIRE", minOccurs=0),
        element("SUJET", minOccurs=0),
        element("TEXTE"),
        element("HTML"),
        element("EMETTEUR"),
        element("REFCLIENT", minOccurs=0),
        element("Autre", "t:Kind", minOccurs=0),
    ]
)
ASKED = TRIO + element("MESSAGEID")
OPERATIONS = {"ENVOYER_EMAIL": SENT, "STATUT_EMAIL": ASKED, "Ping": element("Texte", minOccurs=0)}
ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO


async def contract(tmp_path: Path, content: bytes, pins: Pinned | None = None) -> Contract:
    path = tmp_path / "some.wsdl"
    path.write_bytes(content)
    wire = Wire(timeout=1, concurrency=1)
    return await Soap(wire, FUNCTIONS, pins).load(str(path), None)


def small(operations: dict[str, str] = OPERATIONS, **options: Any) -> bytes:
    return wsdl(operations, types=ENUMERATED, **options)


def sent(elements: str) -> bytes:
    """A WSDL whose ENVOYER_EMAIL has other elements."""
    return small(OPERATIONS | {"ENVOYER_EMAIL": elements})


async def differences(tmp_path: Path, old: bytes, new: bytes) -> list[tuple[Any, ...]]:
    before, after = await contract(tmp_path, old), await contract(tmp_path, new)
    assert before.fingerprint != after.fingerprint
    found = compare(before.shape, after.shape, before.uses())
    return [(one.severity, one.what, one.operation, one.path) for one in found]


# --- what does not count ---


def with_comments(content: bytes) -> bytes:
    return content.replace(b"<wsdl:types>", b"<!-- new -->\n\n<wsdl:types>").replace(b"\n", b"\n  ")


def with_other_prefixes(content: bytes) -> bytes:
    changed = re.sub(rb"\bxs:", b"x1:", content).replace(b"xmlns:xs=", b"xmlns:x1=")
    return re.sub(rb"\bt:", b"mine:", changed).replace(b"xmlns:t=", b"xmlns:mine=")


def with_documentation(content: bytes) -> bytes:
    words = b"<wsdl:documentation>words</wsdl:documentation><soap:binding"
    return content.replace(b"<soap:binding", words, 1)


def with_a_query(content: bytes) -> bytes:
    return content.replace(b"http://127.0.0.1:9/soap", b"http://user:secret@127.0.0.1:9/soap?key=1")


@pytest.mark.parametrize(
    "change", [with_comments, with_other_prefixes, with_documentation, with_a_query]
)
async def test_what_the_wire_does_not_show_does_not_count(tmp_path: Path, change: Any) -> None:
    assert change(small()) != small()

    before = await contract(tmp_path, small())
    after = await contract(tmp_path, change(small()))

    assert after.fingerprint == before.fingerprint
    assert "secret" not in str(after.shape)


async def test_the_order_of_operations_does_not_count(tmp_path: Path) -> None:
    before = await contract(tmp_path, small())
    after = await contract(tmp_path, small(dict(reversed(OPERATIONS.items()))))

    assert after.fingerprint == before.fingerprint


async def test_what_an_operator_pins_does_not_count(tmp_path: Path) -> None:
    pins = FunctionPins(parameters={"SUJET": "Autre"}, constants={"NOM_DESTINATAIRE": "x"})
    before = await contract(tmp_path, small())
    after = await contract(tmp_path, small(), Pinned(functions={"ENVOYER_EMAIL": pins}))

    assert after.report() != before.report()
    assert after.fingerprint == before.fingerprint


async def test_an_address_that_overrides_the_wsdls_does_not_count(tmp_path: Path) -> None:
    path = tmp_path / "some.wsdl"
    path.write_bytes(small())
    soap = Soap(Wire(timeout=1, concurrency=1), FUNCTIONS)

    plain = await soap.load(str(path), None)
    overridden = await soap.load(str(path), "https://other.example/soap")

    assert overridden.address != plain.address
    assert overridden.fingerprint == plain.fingerprint


async def test_the_name_of_a_literal_type_does_not_count(tmp_path: Path) -> None:
    other = small().replace(b"t:Kind", b"t:Sort").replace(b'name="Kind"', b'name="Sort"')

    before, after = await contract(tmp_path, small()), await contract(tmp_path, other)

    assert after.fingerprint == before.fingerprint


async def test_the_order_of_elements_that_have_none_does_not_count(tmp_path: Path) -> None:
    parts = [element("A"), element("B")]
    fingerprints = set()
    for several in (parts, parts[::-1]):
        content = small({"ENVOYER_EMAIL": TRIO + struct("objet", "".join(several))})
        head, tail = content.split(b'<xs:element name="objet">')
        tail = tail.replace(b"xs:sequence", b"xs:all", 1).replace(
            b"</xs:sequence>", b"</xs:all>", 1
        )
        read = await contract(tmp_path, head + b'<xs:element name="objet">' + tail)
        fingerprints.add(read.fingerprint)

    assert len(fingerprints) == 1


def test_a_fingerprint_does_not_depend_on_the_order_of_keys() -> None:
    assert fingerprint({"a": 1, "b": [1, 2]}) == fingerprint({"b": [1, 2], "a": 1})
    assert fingerprint({"a": 1, "b": [1, 2]}) != fingerprint({"b": [2, 1], "a": 1})


async def test_a_type_that_holds_itself_is_listed_once(tmp_path: Path) -> None:
    tree = named("Tree", element("Name") + element("Child", "t:Tree", minOccurs=0))
    content = wsdl(
        {"ENVOYER_EMAIL": SENT + element("Tree", "t:Tree", minOccurs=0)}, ENUMERATED + tree
    )

    read = await contract(tmp_path, content)

    paths = [row["path"] for row in read.shape["operations"]["ENVOYER_EMAIL"]["paths"]]
    assert [one for one in paths if one.startswith("Tree")] == ["Tree", "Tree/Name", "Tree/Child"]


async def test_types_that_hold_one_another_many_times_cost_little(tmp_path: Path) -> None:
    levels = "".join(
        named(f"L{n}", "".join(element(f"E{i}", f"t:L{n + 1}", minOccurs=0) for i in range(10)))
        for n in range(8)
    )
    last = named("L8", element("End", minOccurs=0))
    content = wsdl(
        {"ENVOYER_EMAIL": SENT + element("Top", "t:L0", minOccurs=0)}, ENUMERATED + levels + last
    )

    read = await contract(tmp_path, content)

    assert len(read.shape["operations"]["ENVOYER_EMAIL"]["paths"]) <= 2_000


# --- what counts, and how much ---

Said = list[tuple[Severity, What, str | None, str | None]]
EMAIL = "ENVOYER_EMAIL"
CHANGES: dict[str, tuple[bytes, Said]] = {
    "an operation that is called is gone": (
        small({name: one for name, one in OPERATIONS.items() if name != "STATUT_EMAIL"}),
        [(ERROR, What.OPERATION_GONE, "STATUT_EMAIL", None)],
    ),
    "an operation has another name": (
        small({EMAIL: SENT, "StatutDuMail": ASKED, "Ping": OPERATIONS["Ping"]}),
        [(ERROR, What.OPERATION_RENAMED, "STATUT_EMAIL", None)],
    ),
    "an operation is new": (
        small(OPERATIONS | {"Autre": element("X")}),
        [(INFO, What.OPERATION_NEW, "Autre", None)],
    ),
    "a mandatory element is new": (
        sent(SENT + element("Langue")),
        [(ERROR, What.NEW_MANDATORY, EMAIL, "Langue")],
    ),
    "an optional element is new": (
        sent(SENT + element("Langue", minOccurs=0)),
        [(INFO, What.NEW, EMAIL, "Langue")],
    ),
    "an element that can be nil is new": (
        sent(SENT + element("Langue", nillable="true")),
        [(INFO, What.NEW, EMAIL, "Langue")],
    ),
    "a bound element is gone": (
        sent(SENT.replace(element("REFCLIENT", minOccurs=0), "")),
        [(ERROR, What.GONE, EMAIL, "REFCLIENT")],
    ),
    "an element that nothing is bound to is gone": (
        sent(SENT.replace(element("Autre", "t:Kind", minOccurs=0), "")),
        [(INFO, What.GONE, EMAIL, "Autre")],
    ),
    "a bound element has another name": (
        sent(SENT.replace('"DESTINATION"', '"Destinataire"')),
        [(ERROR, What.RENAMED, EMAIL, "DESTINATION")],
    ),
    "two neighbours have other names": (
        sent(SENT.replace('"TEXTE"', '"Corps"').replace('"HTML"', '"Page"')),
        [(ERROR, What.RENAMED, EMAIL, "TEXTE"), (ERROR, What.RENAMED, EMAIL, "HTML")],
    ),
    "an element has another name and became mandatory": (
        sent(SENT.replace(element("REFCLIENT", minOccurs=0), element("Reference"))),
        [(ERROR, What.RENAMED, EMAIL, "REFCLIENT"), (ERROR, What.NOW_MANDATORY, EMAIL, "Reference")],
    ),
    "an element became mandatory": (
        sent(SENT.replace(element("SUJET", minOccurs=0), element("SUJET"))),
        [(ERROR, What.NOW_MANDATORY, EMAIL, "SUJET")],
    ),
    "an element became optional": (
        sent(SENT.replace(element("HTML"), element("HTML", minOccurs=0))),
        [(INFO, What.NOW_OPTIONAL, EMAIL, "HTML")],
    ),
    "an element may come more often": (
        sent(SENT.replace(element("TEXTE"), element("TEXTE", maxOccurs="unbounded"))),
        [(WARNING, What.OCCURS, EMAIL, "TEXTE")],
    ),
    "an element has another type": (
        sent(SENT.replace(element("TEXTE"), element("TEXTE", "xs:base64Binary"))),
        [(WARNING, What.TYPE, EMAIL, "TEXTE")],
    ),
    "an enumeration has other values": (
        wsdl(OPERATIONS, types=enumeration("Kind", "a", "c")),
        [(WARNING, What.TYPE, EMAIL, "Autre")],
    ),
    "two elements changed places": (
        sent(
            SENT.replace('"TEXTE"', '"-"').replace('"HTML"', '"TEXTE"').replace('"-"', '"HTML"')
        ),
        [(WARNING, What.ORDER, EMAIL, "TEXTE")],
    ),
    "the service moved": (
        small(address="http://elsewhere.example/soap"),
        [(ERROR, What.ADDRESS, None, None)],
    ),
    "the style is another": (
        small().replace(b'style="document"', b'style="rpc"').replace(b' element="t:STATUT_EMAIL"', b' type="xs:string"').replace(b' element="t:ENVOYER_EMAIL"', b' type="xs:string"').replace(b' element="t:Ping"', b' type="xs:string"'),
        [],
    ),
    "a SOAP action is another": (
        small().replace(b'soapAction="STATUT_EMAIL"', b'soapAction="urn:other"'),
        [(ERROR, What.ACTION, "STATUT_EMAIL", None)],
    ),
    "the SOAP version is another": (
        small().replace(b"schemas.xmlsoap.org/wsdl/soap/", b"schemas.xmlsoap.org/wsdl/soap12/"),
        [(ERROR, What.SOAP, None, None)],
    ),
    "the service has another name": (
        small().replace(b'<wsdl:service name="Small">', b'<wsdl:service name="Other">'),
        [(INFO, What.SERVICE, None, None)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("change", [name for name, (_, said) in CHANGES.items() if said])
async def test_a_change_is_said_with_what_it_means(tmp_path: Path, change: str) -> None:
    new, expected = CHANGES[change]

    assert await differences(tmp_path, small(), new) == expected


async def test_another_style_is_an_error_of_each_operation(tmp_path: Path) -> None:
    new, _ = CHANGES["the style is another"]

    found = await differences(tmp_path, small(), new)

    styles = [(severity, name) for severity, what, name, _ in found if what is What.STYLE]
    assert styles == [(ERROR, EMAIL), (ERROR, "Ping"), (ERROR, "STATUT_EMAIL")]


async def test_another_namespace_is_an_error(tmp_path: Path) -> None:
    new = small().replace(b'elementFormDefault="qualified"', b"")

    found = await differences(tmp_path, small(), new)

    assert (ERROR, What.NAMESPACE, EMAIL, "TEXTE") in found


async def test_a_renamed_struct_is_told_once_and_not_with_all_that_it_holds(tmp_path: Path) -> None:
    inside = element("A") + element("B")

    found = await differences(
        tmp_path, sent(SENT + struct("Un", inside)), sent(SENT + struct("Deux", inside))
    )

    assert [(what, path) for _, what, _, path in found] == [(What.RENAMED, "Un")]


async def test_a_difference_names_function_and_values(tmp_path: Path) -> None:
    before = await contract(tmp_path, small())
    after = await contract(
        tmp_path, sent(SENT.replace(element("TEXTE"), element("TEXTE", "xs:int")))
    )

    (found,) = compare(before.shape, after.shape, before.uses())

    assert found.shown() == {
        "severity": "warning",
        "function": "ENVOYER_EMAIL",
        "operation": "ENVOYER_EMAIL",
        "path": "TEXTE",
        "what": "type",
        "old": "string",
        "new": "int",
    }


async def test_another_result_is_a_warning(tmp_path: Path) -> None:
    def answering(kind: str) -> bytes:
        content = small()
        answer = struct("STATUT_EMAILResponse", element("STATUT_EMAILResult", kind, minOccurs=0))
        message = '<wsdl:message name="Out"><wsdl:part name="p" element="t:STATUT_EMAILResponse"/></wsdl:message>'
        return (
            content.replace(b"</xs:schema>", answer.encode() + b"</xs:schema>")
            .replace(b"<wsdl:portType", message.encode() + b"<wsdl:portType")
            .replace(
                b'<wsdl:input message="t:STATUT_EMAIL"/>',
                b'<wsdl:input message="t:STATUT_EMAIL"/><wsdl:output message="t:Out"/>',
            )
            .replace(
                b'soapAction="STATUT_EMAIL"/><wsdl:input><soap:body use="literal"/></wsdl:input>',
                b'soapAction="STATUT_EMAIL"/><wsdl:input><soap:body use="literal"/></wsdl:input>'
                b'<wsdl:output><soap:body use="literal"/></wsdl:output>',
            )
        )

    found = await differences(tmp_path, answering("xs:string"), answering("xs:int"))

    assert found == [(WARNING, What.RESULT, "STATUT_EMAIL", "STATUT_EMAILResult")]


@pytest.mark.parametrize("dialect", ["asmx", "wcf", "bare", "php", "rpc_header"])
async def test_every_manner_of_wsdl_has_a_shape_of_all_its_operations(dialect: str) -> None:
    path = Path(__file__).parent / "wsdl" / f"{dialect}.wsdl"
    soap = Soap(Wire(timeout=1, concurrency=1), FUNCTIONS)

    one, again = await soap.load(str(path), None), await soap.load(str(path), None)
    kept = await soap.load(str(path), None, one.to_keep)

    assert one.fingerprint == again.fingerprint == kept.fingerprint
    assert compare(one.shape, kept.shape, one.uses()) == []
    for name, used in one.uses().items():
        paths = {row["path"] for row in one.shape["operations"][name]["paths"]}
        # What a call fills is written alike in both.
        assert used.paths <= paths, used.function


async def test_what_is_new_in_a_header_is_told_by_its_path(tmp_path: Path) -> None:
    whole = (Path(__file__).parent / "wsdl" / "rpc_header.wsdl").read_bytes()
    more = re.sub(
        rb'(<[\w:]*element name="UTILISATEUR"[^>]*/>)',
        rb"\1" + b'<xs:element name="CLE" type="xs:string"/>',
        whole,
        count=1,
    )
    prefix = re.search(rb"<(\w+):element name=\"UTILISATEUR\"", whole)
    assert prefix is not None
    more = more.replace(
        b'<xs:element name="CLE" type="xs:string"',
        b'<%b:element name="CLE" type="%b:string"' % (prefix[1], prefix[1]),
    )

    found = await differences(tmp_path, whole, more)

    assert found
    assert {(what, path) for _, what, _, path in found} == {
        (What.NEW_MANDATORY, "header/acces/CLE")
    }
