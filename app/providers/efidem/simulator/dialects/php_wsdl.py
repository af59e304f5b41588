"""The WSDL of dialect `php`, written as nusoap writes it."""

from app.providers.efidem.simulator.catalogue import Catalogue, Function
from app.providers.efidem.simulator.dialects.spelling import Spelling

NAMESPACE = "urn:efidem"
ENCODING_STYLE = "http://schemas.xmlsoap.org/soap/encoding/"
SPELLING = Spelling(
    functions={"SUIVRE_EMAIL_RELAIS": "STATUT_EMAIL_RELAIS"},  # chapter "Index des fonctions"
    names={
        # Parts of one message have different names.
        "AJOUTER_UTILISATEUR/MOT_DE_PASSE_UTILISATEUR": "MOT_DE_PASSE2",
        # The prose of chapter MULTI_ENVOYER_SMS; its table has DESTINATAIRE.
        "MULTI_ENVOYER_SMS/DESTINATAIRE": "DESTINATION",
    },
    types={
        "xs:string": "xsd:string",
        "xs:int": "xsd:int",
        "xs:boolean": "xsd:boolean",
        "xs:date": "xsd:string",
        "xs:dateTime": "xsd:string",
        "xs:base64Binary": "xsd:string",
    },
)

_TRANSPORT = "http://schemas.xmlsoap.org/soap/http"
_DOCUMENTATION = {
    "ENVOYER_EMAIL": "Envoyer un email à un destinataire unique",
    "COURRIER_ENVOYER": "Envoyer un courrier postal (pli C5 ou C6, fichiers joints imprimés)",
    "ENVOYER_FAX": "Fax dématérialisé : la fonction n'est plus maintenue depuis l'année 2024",
}


def wsdl(catalogue: Catalogue, host: str) -> str:
    """Return the whole WSDL, for a service at `host`."""
    functions = list(catalogue.functions.values())
    messages = "".join(_messages(one) for one in functions)
    port_type = "".join(_operation(SPELLING.function(one.name), one.name) for one in functions)
    binding = "".join(_bound(SPELLING.function(one.name)) for one in functions)
    return (
        '<?xml version="1.0" encoding="ISO-8859-1"?>\n'
        '<definitions xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/" '
        'xmlns:xsd="http://www.w3.org/2001/XMLSchema" '
        f'xmlns:SOAP-ENC="{ENCODING_STYLE}" xmlns:tns="{NAMESPACE}" '
        'xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" '
        'xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" '
        f'xmlns="http://schemas.xmlsoap.org/wsdl/" targetNamespace="{NAMESPACE}">\n'
        f"<types>{_schema(catalogue)}</types>{messages}"
        f'<portType name="MulticanalPortType">{port_type}</portType>'
        '<binding name="MulticanalBinding" type="tns:MulticanalPortType">'
        f'<soap:binding style="rpc" transport="{_TRANSPORT}"/>{binding}</binding>'
        '<service name="EfidemSimulator"><port name="MulticanalPort" '
        f'binding="tns:MulticanalBinding"><soap:address location="{host}/soap"/></port>'
        "</service></definitions>"
    )


def _schema(catalogue: Catalogue) -> str:
    objects = "".join(
        f'<xsd:complexType name="{name}"><xsd:all>'
        + "".join(
            f'<xsd:element name="{SPELLING.name(name, one.name)}" '
            f'type="{SPELLING.type(one.type)}"{"" if one.mandatory else _OPTIONAL}/>'
            for one in fields
        )
        + "</xsd:all></xsd:complexType>"
        for name, fields in catalogue.objects()
    )
    arrays = "".join(
        f'<xsd:complexType name="{name}"><xsd:complexContent>'
        '<xsd:restriction base="SOAP-ENC:Array"><xsd:attribute ref="SOAP-ENC:arrayType" '
        f'wsdl:arrayType="{SPELLING.type(item.type)}[]"/>'
        "</xsd:restriction></xsd:complexContent></xsd:complexType>"
        for name, item in catalogue.arrays()
    )
    enumerations = "".join(
        f'<xsd:simpleType name="{name}"><xsd:restriction base="xsd:string">'
        + "".join(f'<xsd:enumeration value="{value}"/>' for value in values)
        + "</xsd:restriction></xsd:simpleType>"
        for name, values in catalogue.enumerations.items()
    )
    return (
        f'<xsd:schema targetNamespace="{NAMESPACE}">'
        f'<xsd:import namespace="{ENCODING_STYLE}"/>'
        '<xsd:import namespace="http://schemas.xmlsoap.org/wsdl/"/>'
        f"{objects}{arrays}{enumerations}</xsd:schema>"
    )


_OPTIONAL = ' minOccurs="0"'


def _messages(function: Function) -> str:
    name = SPELLING.function(function.name)
    parts = "".join(
        f'<part name="{SPELLING.name(function.name, one.name)}" type="{SPELLING.type(one.type)}"/>'
        for one in function.parameters
    )
    return (
        f'<message name="{name}Request">{parts}</message>'
        f'<message name="{name}Response">'
        f'<part name="return" type="{SPELLING.type(function.result)}"/></message>'
    )


def _operation(name: str, documented: str) -> str:
    words = _DOCUMENTATION.get(documented)
    documentation = f"<documentation>{words}</documentation>" if words else ""
    return (
        f'<operation name="{name}">{documentation}<input message="tns:{name}Request"/>'
        f'<output message="tns:{name}Response"/></operation>'
    )


def _bound(name: str) -> str:
    body = f'<soap:body use="encoded" namespace="{NAMESPACE}" encodingStyle="{ENCODING_STYLE}"/>'
    return (
        f'<operation name="{name}"><soap:operation soapAction="{NAMESPACE}#{name}" style="rpc"/>'
        f"<input>{body}</input><output>{body}</output></operation>"
    )
