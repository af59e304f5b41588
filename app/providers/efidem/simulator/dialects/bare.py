"""Dialect `bare`: document/literal bare, SOAP 1.1.

Each function has one request element of its own struct type, with the trio in a nested struct
`Authentification`; an array is its element repeated, without a wrapper; what is inside an element
is unqualified; and most answers are an element that holds just a text.
"""

from lxml import etree

from app.providers.efidem.simulator.catalogue import TRIO, Catalogue, Field, Function
from app.providers.efidem.simulator.contract import Contract, Rules
from app.providers.efidem.simulator.dialects import xsd
from app.providers.efidem.simulator.dialects.dialect import Answer, Dialect, text_of
from app.providers.efidem.simulator.dialects.spelling import Spelling
from app.providers.efidem.simulator.dialects.translation import Translation
from app.providers.efidem.simulator.envelope import SOAP_11, Opened, Unreadable

_NAMESPACE = "urn:efidem:bare"
_TRIO_STRUCT = "Authentification"
_SPELLING = Spelling(
    functions={"SUIVRE_EMAIL_RELAIS": "STATUT_EMAIL_RELAIS"},  # chapter "Index des fonctions"
    # With the trio in a struct of its own, the second MOT_DE_PASSE can have the document's name.
    names={"AJOUTER_UTILISATEUR/MOT_DE_PASSE_UTILISATEUR": "MOT_DE_PASSE"},
)


class Bare(Dialect):
    """A service that was written from its schema."""

    versions = (SOAP_11,)

    def __init__(self, contract: Contract) -> None:
        super().__init__(contract)
        self._translation = Translation(
            contract, _SPELLING, parameters_in=None, fields_in=None, arrays_repeat=True
        )
        self._functions = {
            f"{_SPELLING.function(name)}_REQUETE": name for name in self.catalogue.functions
        }
        self._rules = Rules(etree.fromstring(_schema(self.catalogue)))

    def wsdl(self, host: str) -> bytes:
        """Return the WSDL, with every type in it."""
        return _wsdl(self.catalogue, host)

    def request(self, opened: Opened, action: str | None) -> etree._Element:  # noqa: ARG002
        """Return the call that the Body's element stands for, once it is valid by the schema."""
        name = etree.QName(opened.content)
        function = self._functions.get(name.localname)
        if function is None or name.namespace != _NAMESPACE:
            raise Unreadable("the Body holds no request of this WSDL")
        if fault := self._rules.fault_of(opened.content):
            raise Unreadable(f"the request is not valid by this WSDL: {fault}")
        trio, content = opened.content[0], opened.content
        content.remove(trio)
        return self._translation.request(function, content, trio)

    def response(self, function: str, answer: Answer) -> etree._Element:
        """Write `<Function>_REPONSE`."""
        name = f"{{{_NAMESPACE}}}{_SPELLING.function(function)}_REPONSE"
        response = etree.Element(name, nsmap={"b": _NAMESPACE})
        if isinstance(answer, (str, bytes)):
            response.text = text_of(answer, self.catalogue.functions[function].result)
        else:
            for field, text in answer.items():
                etree.SubElement(response, field).text = text
        return response


def _schema(catalogue: Catalogue) -> str:
    trio = tuple(Field(name, "xs:string", mandatory=True, repeated=False) for name in TRIO)
    structs = [(_TRIO_STRUCT, trio), *catalogue.objects()]
    objects = "".join(xsd.struct(name, _elements(catalogue, name, all_)) for name, all_ in structs)
    functions = "".join(_function(catalogue, one) for one in catalogue.functions.values())
    return (
        f'<xs:schema xmlns:xs="{xsd.NAMESPACE}" xmlns:tns="{_NAMESPACE}" '
        f'targetNamespace="{_NAMESPACE}" elementFormDefault="unqualified">'
        f"{objects}{xsd.enumerations(catalogue)}{functions}</xs:schema>"
    )


def _function(catalogue: Catalogue, function: Function) -> str:
    name = _SPELLING.function(function.name)
    others = function.parameters[len(TRIO) :]
    content = (
        f'<xs:element name="{_TRIO_STRUCT}" type="tns:{_TRIO_STRUCT}"/>'
        f"{_elements(catalogue, function.name, others)}"
    )
    return (
        xsd.struct(f"DEMANDE_{name}", content)
        + f'<xs:element name="{name}_REQUETE" type="tns:DEMANDE_{name}"/>'
        + f'<xs:element name="{name}_REPONSE" type="{_SPELLING.type(function.result)}"/>'
    )


def _elements(catalogue: Catalogue, owner: str, fields: tuple[Field, ...]) -> str:
    return "".join(
        xsd.element(
            _SPELLING.name(owner, one.name),
            _SPELLING.type(item.type if item else one.type),
            mandatory=one.mandatory and item is None,
            repeated=item is not None,
        )
        for one in fields
        for item in [catalogue.item_of(one.type)]
    )


def _wsdl(catalogue: Catalogue, host: str) -> bytes:
    names = [_SPELLING.function(name) for name in catalogue.functions]
    messages = "".join(
        f'<wsdl:message name="{name}_REQUETE">'
        f'<wsdl:part name="requete" element="tns:{name}_REQUETE"/></wsdl:message>'
        f'<wsdl:message name="{name}_REPONSE">'
        f'<wsdl:part name="reponse" element="tns:{name}_REPONSE"/></wsdl:message>'
        for name in names
    )
    port_type = "".join(
        f'<wsdl:operation name="{name}"><wsdl:input message="tns:{name}_REQUETE"/>'
        f'<wsdl:output message="tns:{name}_REPONSE"/></wsdl:operation>'
        for name in names
    )
    body = '<soap:body use="literal"/>'
    binding = "".join(
        f'<wsdl:operation name="{name}"><soap:operation soapAction=""/>'
        f"<wsdl:input>{body}</wsdl:input><wsdl:output>{body}</wsdl:output></wsdl:operation>"
        for name in names
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<wsdl:definitions targetNamespace="{_NAMESPACE}" xmlns:tns="{_NAMESPACE}" '
        'xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" '
        'xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/">'
        f"<wsdl:types>{_schema(catalogue)}</wsdl:types>{messages}"
        f'<wsdl:portType name="Multicanal">{port_type}</wsdl:portType>'
        '<wsdl:binding name="Multicanal" type="tns:Multicanal">'
        '<soap:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>'
        f"{binding}</wsdl:binding>"
        '<wsdl:service name="EfidemSimulator"><wsdl:port name="Multicanal" '
        f'binding="tns:Multicanal"><soap:address location="{host}/soap"/></wsdl:port>'
        "</wsdl:service></wsdl:definitions>"
    ).encode()
