"""The XML of an answer: from bytes to the one element in its SOAP body, in bounded memory.

The parser follows no entity, no DTD and no address. What could make its tree large is refused
before it is built: a hostile one would take fifty times its bytes.
"""

import codecs
import re
from functools import cache
from typing import Final

from lxml import etree

_SOAP: Final = (
    "http://schemas.xmlsoap.org/soap/envelope/",
    "http://www.w3.org/2003/05/soap-envelope",
)
_FAULTS: Final = frozenset(f"{{{namespace}}}Fault" for namespace in _SOAP)
_MOST_TAGS: Final = 20_000  # of an answer; ours have some forty
# More than any start tag of an envelope has. No attribute holds a "<" (XML 1.0, 3.1).
_MANY_ATTRIBUTES: Final = re.compile(
    rb"""<[^<>"'!?/][^<>"']*+(?:(?:"[^"<]*+"|'[^'<]*+')[^<>"']*+){50}"""
)
# An encoding that is not listed could hide a DTD from the search for one.
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"<\x00", "utf-16-le"),
    (b"\x00<", "utf-16-be"),
)
_CODECS: Final = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "us-ascii": "us-ascii",
    "ascii": "us-ascii",
    "iso-8859-1": "iso-8859-1",
    "iso-8859-15": "iso-8859-15",
    "windows-1252": "windows-1252",
}
_DECLARED: Final = re.compile(
    rb"""<\?xml\s[^>]{0,200}?\bencoding\s*=\s*["']([A-Za-z][A-Za-z0-9._-]{0,39})["']""", re.ASCII
)


class Malformed(Exception):
    """An answer that is no SOAP envelope with one body and one thing in it."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)


def in_body(body: bytes) -> etree._Element:
    """Return the one element in an answer's SOAP body; raises Malformed."""
    body = _in_utf8(body)
    if body.count(b"<") > _MOST_TAGS or _MANY_ATTRIBUTES.search(body):
        raise Malformed("the answer holds too many elements or attributes")
    root = _root(body)
    for namespace in _SOAP:
        if root.tag == f"{{{namespace}}}Envelope":
            bodies = root.findall(f"{{{namespace}}}Body")
            if len(bodies) > 1:
                raise Malformed(f"the SOAP envelope holds {len(bodies)} bodies")
            inside = elements(bodies[0]) if bodies else []
            if len(inside) != 1:
                raise Malformed(f"the SOAP body holds {len(inside)} elements")
            return inside[0]
    raise Malformed("the answer is not a SOAP envelope")


def elements(parent: etree._Element) -> list[etree._Element]:
    """Return the elements that stand in another."""
    return list(parent.iterchildren("*"))


def is_fault(element: etree._Element) -> bool:
    """Say whether an element is SOAP's own Fault."""
    return element.tag in _FAULTS


def _in_utf8(body: bytes) -> bytes:
    """Return an answer in UTF-8 without what precedes its XML, and without any DTD."""
    body = body.lstrip()
    if not body:
        raise Malformed("the answer is empty")
    codec = _codec_of(body)
    if codec != "utf-8":
        try:
            body = body.decode(codec).encode()
        except UnicodeError:
            raise Malformed("the answer is not in the encoding that it states") from None
    body = body.removeprefix(codecs.BOM_UTF8).lstrip()
    if b"<!DOCTYPE" in body:
        # Refused before it is read: the parser would take what it declares.
        raise Malformed("the answer holds a DTD")
    return body


def _codec_of(body: bytes) -> str:
    for mark, codec in _MARKS:
        if body.startswith(mark):
            return codec
    declared = _DECLARED.match(body)
    name = declared[1].decode("ascii").lower() if declared else "utf-8"
    if name not in _CODECS:
        raise Malformed("the answer is in an encoding that we do not read")
    return _CODECS[name]


@cache
def _parser() -> etree.XMLParser:
    # One for all answers: it keeps nothing of any, and to make one costs more than to read most.
    return etree.XMLParser(
        encoding="utf-8",  # whatever the declaration says: it was followed above
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        # A report may be longer than the ten million bytes that one text may have without it. What
        # it lifts beside is bounded above: no entity is declared, and the elements are few.
        huge_tree=True,
        # A comment inside a number would cut it in two.
        remove_comments=True,
        remove_pis=True,
    )


def _root(body: bytes) -> etree._Element:
    try:
        return etree.fromstring(body, _parser())
    except (etree.XMLSyntaxError, ValueError):
        raise Malformed("the answer is not XML") from None
