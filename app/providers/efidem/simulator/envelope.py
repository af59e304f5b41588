"""SOAP 1.1 envelopes: requests are read with a hardened parser, answers and faults are written."""

import re
from collections.abc import Mapping

from lxml import etree

from app.providers.efidem.simulator.contract import NAMESPACE, Contract, qualified

_SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
# A DTD can only stand before the root element. The groups are atomic: many comments in the prolog
# must not make the search explode.
_DTD = re.compile(rb"(?>\xef\xbb\xbf)?(?>\s+|<\?.*?\?>|<!--.*?-->)*+<!DOCTYPE", re.DOTALL)


class Unreadable(Exception):
    """The request cannot be taken for a call of one of the declared functions."""


def read(body: bytes, contract: Contract) -> etree._Element:
    """Return the request in `body`: a declared function's element, valid by the WSDL's schema."""
    content = _content_of(_parsed(body))
    name = etree.QName(content)
    if name.namespace != NAMESPACE or name.localname not in contract.functions:
        raise Unreadable("the Body holds no function of this WSDL")
    if fault := contract.fault_of(content):
        raise Unreadable(f"the request is not valid by this WSDL: {fault}")
    return content


def answer(function: str, value: str | Mapping[str, str]) -> bytes:
    """Write what `function` answers: a text, or an object's fields in the schema's order."""
    response = etree.Element(qualified(f"{function}Response"), nsmap={"efi": NAMESPACE})
    result = etree.SubElement(response, qualified(f"{function}Result"))
    if isinstance(value, str):
        result.text = value
    else:
        for name, text in value.items():
            etree.SubElement(result, qualified(name)).text = text
    return _enveloped(response)


def fault(code: str, words: str) -> bytes:
    """Write a SOAP Fault: `Client` if the request was wrong, `Server` if it was not."""
    element = etree.Element(f"{{{_SOAP}}}Fault", nsmap={"soap": _SOAP})
    etree.SubElement(element, "faultcode").text = f"soap:{code}"
    etree.SubElement(element, "faultstring").text = words
    return _enveloped(element)


def _parsed(body: bytes) -> etree._Element:
    if _DTD.match(body):
        raise Unreadable("a DTD is not allowed")
    # UTF-8 whatever the XML declaration says: another encoding could hide a DTD from the search
    # above. huge_tree, because an attachment may well exceed libxml2's ten million characters.
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=True,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        return etree.fromstring(body, parser)
    except etree.XMLSyntaxError:
        raise Unreadable("the request is not well-formed XML in UTF-8") from None


def _content_of(envelope: etree._Element) -> etree._Element:
    body = envelope.find(f"{{{_SOAP}}}Body")
    if envelope.tag != f"{{{_SOAP}}}Envelope" or body is None or len(body) != 1:
        raise Unreadable("the request is not a SOAP 1.1 envelope with one element in its Body")
    return body[0]


def _enveloped(content: etree._Element) -> bytes:
    envelope = etree.Element(f"{{{_SOAP}}}Envelope", nsmap={"soap": _SOAP})
    etree.SubElement(envelope, f"{{{_SOAP}}}Body").append(content)
    return etree.tostring(envelope, xml_declaration=True, encoding="UTF-8")
