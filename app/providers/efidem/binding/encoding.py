"""Write the types that an rpc/encoded request must name: zeep renders arrays without them.

SOAP 1.1, section 5: servers that decode by the request alone (nusoap, SOAP::Lite) need xsi:type
for a value and arrayType for an array.
"""

from collections.abc import Mapping
from typing import Final

from lxml import etree
from zeep import Client
from zeep.wsdl.bindings.soap import SoapOperation
from zeep.xsd.elements import Element

from app.providers.efidem.binding import elements

_XSD: Final = "http://www.w3.org/2001/XMLSchema"
SOAP_ENCODING: Final = "http://schemas.xmlsoap.org/soap/encoding/"
_XSI: Final = "{http://www.w3.org/2001/XMLSchema-instance}"
_ARRAY_TYPE: Final = f"{{{SOAP_ENCODING}}}arrayType"


def declare(client: Client) -> None:
    """Let every envelope declare the prefixes that types need, once, at its top."""
    for prefix, namespace in (("xsd", _XSD), ("xsi", _XSI[1:-1]), ("enc", SOAP_ENCODING)):
        client.set_ns_prefix(prefix, namespace)


def encode(envelope: etree._Element, operation: SoapOperation) -> None:
    """Name the type of every value in an rpc request's body."""
    soap = etree.QName(envelope).namespace
    body = envelope.find(f"{{{soap}}}Body")
    if body is None:
        return
    top = {one.name: one.element for one in elements.body_of(operation)}
    for call in body:
        call.set(f"{{{soap}}}encodingStyle", SOAP_ENCODING)
        _name_each(call, top)


def _name_each(node: etree._Element, known: Mapping[str, Element]) -> None:
    for child in node:
        one = known.get(etree.QName(child).localname)
        if one is not None and child.get(f"{_XSI}nil") is None:
            _name(child, one)


def _name(node: etree._Element, element: Element) -> None:
    if elements.is_soap_array(element):
        _name_array(node, element)
        return
    kind = element.type
    if getattr(kind, "is_global", False) and kind.qname is not None:
        _set(node, f"{_XSI}type", kind.qname)
    _name_each(node, {one.name: one.element for one in elements.members(element)})


def _name_array(node: etree._Element, element: Element) -> None:
    item = elements.array_item(element)
    if item is None:
        return
    _set(node, f"{_XSI}type", etree.QName(SOAP_ENCODING, "Array"))
    _set(node, _ARRAY_TYPE, item.type.qname or etree.QName(_XSD, "anyType"))
    node.set(_ARRAY_TYPE, f"{node.get(_ARRAY_TYPE)}[{len(node)}]")
    for child in node:
        _name(child, item)


def _set(node: etree._Element, attribute: str, name: etree.QName) -> None:
    # lxml finds the prefix of a qualified name, or declares one; its stubs know texts only.
    node.set(attribute, name)  # type: ignore[arg-type]
