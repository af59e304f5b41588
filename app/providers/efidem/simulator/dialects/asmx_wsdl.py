"""The WSDL of dialect `asmx`, written as .NET writes it."""

from app.providers.efidem.simulator.catalogue import Catalogue, Field, Function
from app.providers.efidem.simulator.dialects.spelling import Spelling

NAMESPACE = "http://tempuri.org/"
SPELLING = Spelling(
    functions={
        "TRANSFORMER_NUMERO": "TRANSFORMER_NUEMRO",  # chapter "Fonctions annexes"
        "COURRIER_STATUT": "COURRIER_SUIVRE",  # chapter "Index des fonctions"
    },
    names={
        "AppID": "ApplID",  # chapter "Envoyer et suivre des emails"
        # C# cannot have two parameters of one name.
        "AJOUTER_UTILISATEUR/MOT_DE_PASSE_UTILISATEUR": "MOT_DE_PASSE_2",
    },
    types={
        "xs:string": "s:string",
        "xs:int": "s:int",
        "xs:boolean": "s:boolean",
        "xs:date": "s:dateTime",  # .NET has no date without a time
        "xs:dateTime": "s:dateTime",
        "xs:base64Binary": "s:base64Binary",
    },
)
# "Tableau de destinataires": the chapter of objects has DESTINATAIRE for the multiple sends only.
ADDRESSES = frozenset({"DESTINATIONS_A", "DESTINATIONS_CC"})

_XS = "http://www.w3.org/2001/XMLSchema"
_TEXTS = Field("string", "xs:string", mandatory=False, repeated=True)
_VALUE_TYPES = frozenset({"xs:int", "xs:boolean", "xs:date", "xs:dateTime"})
_PORTS = ("HttpGet", "HttpPost", "Soap", "Soap12")


def schema(catalogue: Catalogue) -> str:
    """Return the schema in the WSDL."""
    functions = "".join(_function(catalogue, function) for function in catalogue.functions.values())
    objects = "".join(
        f'<s:complexType name="{name}"><s:sequence>{_elements(catalogue, name, fields)}'
        "</s:sequence></s:complexType>"
        for name, fields in catalogue.structs.items()
    )
    enumerations = "".join(
        f'<s:simpleType name="{name}"><s:restriction base="s:string">'
        + "".join(f'<s:enumeration value="{value}"/>' for value in values)
        + "</s:restriction></s:simpleType>"
        for name, values in catalogue.enumerations.items()
    )
    texts = _elements(catalogue, "ArrayOfString", (_TEXTS,))
    # The last two are what HttpGet and HttpPost answer.
    return (
        f'<s:schema xmlns:s="{_XS}" xmlns:tns="{NAMESPACE}" elementFormDefault="qualified" '
        f'targetNamespace="{NAMESPACE}">{functions}{objects}{enumerations}'
        f'<s:complexType name="ArrayOfString"><s:sequence>{texts}</s:sequence></s:complexType>'
        '<s:element name="string" nillable="true" type="s:string"/>'
        '<s:element name="int" type="s:int"/></s:schema>'
    )


def wsdl(catalogue: Catalogue, host: str) -> bytes:
    """Return the whole WSDL, for a service at `host`."""
    functions = list(catalogue.functions.values())
    simple = [one for one in functions if _is_simple(one)]
    served = {"HttpGet": simple, "HttpPost": simple, "Soap": functions}
    messages = "".join(_messages(port, one) for port, ones in served.items() for one in ones)
    port_types = "".join(
        f'<wsdl:portType name="Multicanal{port}">'
        + "".join(_operation(port, one) for one in ones)
        + "</wsdl:portType>"
        for port, ones in served.items()
    )
    bindings = (
        _http_binding("HttpGet", "GET", "<http:urlEncoded/>", simple)
        + _http_binding(
            "HttpPost",
            "POST",
            '<mime:content type="application/x-www-form-urlencoded"/>',
            simple,
        )
        + _soap_binding("Soap", "soap", functions)
        + _soap_binding("Soap12", "soap12", functions)
    )
    prefixes = {"HttpGet": "http", "HttpPost": "http", "Soap": "soap", "Soap12": "soap12"}
    ports = "".join(
        f'<wsdl:port name="Multicanal{port}" binding="tns:Multicanal{port}">'
        f'<{prefixes[port]}:address location="{host}/soap"/></wsdl:port>'
        for port in _PORTS
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<wsdl:definitions xmlns:tm="http://microsoft.com/wsdl/mime/textMatching/" '
        'xmlns:mime="http://schemas.xmlsoap.org/wsdl/mime/" '
        'xmlns:http="http://schemas.xmlsoap.org/wsdl/http/" '
        'xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" '
        'xmlns:soap12="http://schemas.xmlsoap.org/wsdl/soap12/" '
        f'xmlns:s="{_XS}" xmlns:tns="{NAMESPACE}" targetNamespace="{NAMESPACE}" '
        'xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/">'
        f"<wsdl:types>{schema(catalogue)}</wsdl:types>{messages}{port_types}{bindings}"
        f'<wsdl:service name="EfidemSimulator">{ports}</wsdl:service></wsdl:definitions>'
    ).encode()


def _function(catalogue: Catalogue, function: Function) -> str:
    name = SPELLING.function(function.name)
    result = Field(f"{name}Result", function.result, mandatory=False, repeated=False)
    return (
        f'<s:element name="{name}"><s:complexType><s:sequence>'
        f"{_elements(catalogue, function.name, function.parameters)}"
        "</s:sequence></s:complexType></s:element>"
        f'<s:element name="{name}Response"><s:complexType><s:sequence>'
        f"{_elements(catalogue, function.name, (result,))}"
        "</s:sequence></s:complexType></s:element>"
    )


def _elements(catalogue: Catalogue, owner: str, fields: tuple[Field, ...]) -> str:
    return "".join(
        f'<s:element minOccurs="{int(_is_value(catalogue, one.type))}" '
        + ('maxOccurs="unbounded" nillable="true" ' if one.repeated else 'maxOccurs="1" ')
        + f'name="{SPELLING.name(owner, one.name)}" type="{_type(one)}"/>'
        for one in fields
    )


def _type(one: Field) -> str:
    return SPELLING.type("ArrayOfString" if one.name in ADDRESSES else one.type)


def _is_value(catalogue: Catalogue, kind: str) -> bool:
    """Say whether `kind` is one of .NET's value types, which have no null."""
    return kind in _VALUE_TYPES or kind in catalogue.enumerations


def _is_simple(function: Function) -> bool:
    """Say whether .NET can offer `function` without SOAP."""
    kinds = {one.type for one in function.parameters}
    return all(kind.startswith("xs:") for kind in kinds) and function.result in {
        "xs:string",
        "xs:int",
    }


def _messages(port: str, function: Function) -> str:
    name = SPELLING.function(function.name)
    if port == "Soap":
        inward = f'<wsdl:part name="parameters" element="tns:{name}"/>'
        outward = f'<wsdl:part name="parameters" element="tns:{name}Response"/>'
    else:
        inward = "".join(
            f'<wsdl:part name="{SPELLING.name(function.name, one.name)}" type="s:string"/>'
            for one in function.parameters
        )
        outward = f'<wsdl:part name="Body" element="tns:{function.result.removeprefix("xs:")}"/>'
    return (
        f'<wsdl:message name="{name}{port}In">{inward}</wsdl:message>'
        f'<wsdl:message name="{name}{port}Out">{outward}</wsdl:message>'
    )


def _operation(port: str, function: Function) -> str:
    name = SPELLING.function(function.name)
    return (
        f'<wsdl:operation name="{name}"><wsdl:input message="tns:{name}{port}In"/>'
        f'<wsdl:output message="tns:{name}{port}Out"/></wsdl:operation>'
    )


def _http_binding(port: str, verb: str, inward: str, functions: list[Function]) -> str:
    operations = "".join(
        f'<wsdl:operation name="{SPELLING.function(one.name)}">'
        f'<http:operation location="/{SPELLING.function(one.name)}"/>'
        f"<wsdl:input>{inward}</wsdl:input>"
        '<wsdl:output><mime:mimeXml part="Body"/></wsdl:output></wsdl:operation>'
        for one in functions
    )
    return (
        f'<wsdl:binding name="Multicanal{port}" type="tns:Multicanal{port}">'
        f'<http:binding verb="{verb}"/>{operations}</wsdl:binding>'
    )


def _soap_binding(port: str, prefix: str, functions: list[Function]) -> str:
    body = f'<{prefix}:body use="literal"/>'
    operations = "".join(
        f'<wsdl:operation name="{SPELLING.function(one.name)}">'
        f'<{prefix}:operation soapAction="{NAMESPACE}{SPELLING.function(one.name)}" '
        f'style="document"/><wsdl:input>{body}</wsdl:input>'
        f"<wsdl:output>{body}</wsdl:output></wsdl:operation>"
        for one in functions
    )
    return (
        f'<wsdl:binding name="Multicanal{port}" type="tns:MulticanalSoap">'
        f'<{prefix}:binding transport="http://schemas.xmlsoap.org/soap/http"/>'
        f"{operations}</wsdl:binding>"
    )
