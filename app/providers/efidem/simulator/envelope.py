"""SOAP envelopes: requests are read with a hardened parser, answers and faults are written."""

import re
from typing import NamedTuple, cast

from lxml import etree

# A DTD can only stand before the root element. The groups are atomic: many comments in the prolog
# must not make the search explode.
_DTD = re.compile(rb"(?>\xef\xbb\xbf)?(?>\s+|<\?.*?\?>|<!--.*?-->)*+<!DOCTYPE", re.DOTALL)


class Version(NamedTuple):
    """A version of SOAP."""

    number: str
    namespace: str
    media_type: str


SOAP_11 = Version("1.1", "http://schemas.xmlsoap.org/soap/envelope/", "text/xml")
SOAP_12 = Version("1.2", "http://www.w3.org/2003/05/soap-envelope", "application/soap+xml")
_CODES_12 = {"Client": "Sender", "Server": "Receiver"}


class Opened(NamedTuple):
    """What an envelope held."""

    version: Version
    header: etree._Element | None
    content: etree._Element  # the one element of its Body


class Unreadable(Exception):
    """The request cannot be taken for a call of one of the declared functions."""


def opened(body: bytes, versions: tuple[Version, ...]) -> Opened:
    """Return what the envelope in `body` holds, if it is of one of `versions`."""
    root = _parsed(body)
    version = next((one for one in versions if root.tag == f"{{{one.namespace}}}Envelope"), None)
    content = None if version is None else root.find(f"{{{version.namespace}}}Body")
    if version is None or content is None or len(content) != 1:
        known = " or ".join(one.number for one in versions)
        raise Unreadable(f"the request is not a SOAP {known} envelope with one element in its Body")
    return Opened(version, root.find(f"{{{version.namespace}}}Header"), content[0])


def sealed(version: Version, content: etree._Element, encoding: str = "UTF-8") -> bytes:
    """Put `content` into an envelope."""
    envelope = etree.Element(f"{{{version.namespace}}}Envelope", nsmap={"soap": version.namespace})
    etree.SubElement(envelope, f"{{{version.namespace}}}Body").append(content)
    return cast("bytes", etree.tostring(envelope, xml_declaration=True, encoding=encoding))


def fault(version: Version, code: str, words: str) -> etree._Element:
    """Write a SOAP Fault: `Client` if the request was wrong, `Server` if it was not."""
    element = etree.Element(f"{{{version.namespace}}}Fault", nsmap={"soap": version.namespace})
    if version is SOAP_11:
        etree.SubElement(element, "faultcode").text = f"soap:{code}"
        etree.SubElement(element, "faultstring").text = words
        return element
    value = _path(element, version, "Code", "Value")
    value.text = f"soap:{_CODES_12[code]}"
    text = _path(element, version, "Reason", "Text")
    text.set("{http://www.w3.org/XML/1998/namespace}lang", "en")
    text.text = words
    return element


def _path(element: etree._Element, version: Version, *names: str) -> etree._Element:
    for name in names:
        element = etree.SubElement(element, f"{{{version.namespace}}}{name}")
    return element


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
