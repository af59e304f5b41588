"""The WSDL of dialect `rpc12`, and the XSD that it imports."""

from app.providers.efidem.simulator.catalogue import TRIO, Catalogue, Field, Function
from app.providers.efidem.simulator.dialects import xsd
from app.providers.efidem.simulator.dialects.spelling import Spelling

NAMESPACE = "urn:efidem:rpc"
TYPES = "urn:efidem:rpc:types"
HEADER = "AUTHENTIFICATION"
RESULT = "RESULTAT"
SPELLING = Spelling(
    functions={
        "COURRIER_ENVOYER": "ENVOYER_COURRIER",  # chapter "Objets"
        "COURRIER_STATUT": "COURRIER_SUIVRE",  # chapter "Index des fonctions"
        "SUIVRE_EMAIL_RELAIS": "STATUT_EMAIL_RELAIS",  # the same
        "TRANSFORMER_NUMERO": "TRANSFORMER_NUEMRO",  # chapter "Fonctions annexes"
    },
    names={
        "AppID": "ApplID",  # chapter "Envoyer et suivre des courriers"
        # The object of this name, in the prose of chapter MULTI_ENVOYER_EMAIL.
        "MULTI_ENVOYER_EMAIL/DESTINATION": "DESTINATAIRE",
        # The prose of chapter MULTI_ENVOYER_SMS; its table has DESTINATAIRE.
        "MULTI_ENVOYER_SMS/DESTINATAIRE": "DESTINATION",
        # With the trio in the header, the second MOT_DE_PASSE can have the document's name.
        "AJOUTER_UTILISATEUR/MOT_DE_PASSE_UTILISATEUR": "MOT_DE_PASSE",
    },
)
# RAPPORT's "fichier au format CSV" comes as a text here; files that go are binary.
_RESULTS = {"RAPPORT": "xs:string"}

_TRANSPORT = "http://schemas.xmlsoap.org/soap/http"
_TRIO = tuple(Field(name, "xs:string", mandatory=True, repeated=False) for name in TRIO)


def schema(catalogue: Catalogue) -> bytes:
    """Return the types, arrays and the header's element."""
    objects = "".join(
        xsd.struct(name, _elements(name, fields)) for name, fields in catalogue.structs.items()
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<xs:schema xmlns:xs="{xsd.NAMESPACE}" xmlns:typ="{TYPES}" targetNamespace="{TYPES}" '
        f'elementFormDefault="qualified">{objects}{xsd.enumerations(catalogue)}'
        f'<xs:element name="{HEADER}"><xs:complexType><xs:sequence>{_elements(HEADER, _TRIO)}'
        "</xs:sequence></xs:complexType></xs:element></xs:schema>"
    ).encode()


def wsdl(catalogue: Catalogue, host: str) -> bytes:
    """Return the WSDL, for a service at `host`."""
    functions = list(catalogue.functions.values())
    messages = "".join(_messages(one) for one in functions)
    names = [SPELLING.function(one.name) for one in functions]
    port_type = "".join(
        f'<wsdl:operation name="{name}"><wsdl:input message="tns:{name}Demande"/>'
        f'<wsdl:output message="tns:{name}Reponse"/></wsdl:operation>'
        for name in names
    )
    binding = "".join(_bound(name) for name in names)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<wsdl:definitions targetNamespace="{NAMESPACE}" xmlns:tns="{NAMESPACE}" '
        f'xmlns:typ="{TYPES}" xmlns:xs="{xsd.NAMESPACE}" '
        'xmlns:soap12="http://schemas.xmlsoap.org/wsdl/soap12/" '
        'xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/">'
        f'<wsdl:import namespace="{TYPES}" location="{host}/efidem.xsd"/>'
        f'{messages}<wsdl:message name="Entete">'
        f'<wsdl:part name="{HEADER}" element="typ:{HEADER}"/></wsdl:message>'
        f'<wsdl:portType name="Multicanal">{port_type}</wsdl:portType>'
        '<wsdl:binding name="Multicanal" type="tns:Multicanal">'
        f'<soap12:binding style="rpc" transport="{_TRANSPORT}"/>{binding}</wsdl:binding>'
        '<wsdl:service name="EfidemSimulator"><wsdl:port name="Multicanal" '
        f'binding="tns:Multicanal"><soap12:address location="{host}/soap"/></wsdl:port>'
        "</wsdl:service></wsdl:definitions>"
    ).encode()


def result_type(function: Function) -> str:
    """Return the type of what `function` answers."""
    return SPELLING.type(_RESULTS.get(function.name, function.result), "typ")


def _elements(owner: str, fields: tuple[Field, ...]) -> str:
    return "".join(
        xsd.element(
            SPELLING.name(owner, one.name),
            SPELLING.type(one.type, "typ"),
            mandatory=one.mandatory and not one.repeated,
            repeated=one.repeated,
        )
        for one in fields
    )


def _messages(function: Function) -> str:
    name = SPELLING.function(function.name)
    parts = "".join(
        f'<wsdl:part name="{SPELLING.name(function.name, one.name)}" '
        f'type="{SPELLING.type(one.type, "typ")}"/>'
        for one in function.parameters[len(TRIO) :]
    )
    return (
        f'<wsdl:message name="{name}Demande">{parts}</wsdl:message>'
        f'<wsdl:message name="{name}Reponse">'
        f'<wsdl:part name="{RESULT}" type="{result_type(function)}"/></wsdl:message>'
    )


def _bound(name: str) -> str:
    body = f'<soap12:body use="literal" namespace="{NAMESPACE}"/>'
    header = f'<soap12:header message="tns:Entete" part="{HEADER}" use="literal"/>'
    return (
        f'<wsdl:operation name="{name}"><soap12:operation soapAction="{NAMESPACE}/{name}"/>'
        f"<wsdl:input>{header}{body}</wsdl:input>"
        f"<wsdl:output>{body}</wsdl:output></wsdl:operation>"
    )
