"""What Efidem answered: an identifier, a code, a status, a fault, or nothing that we can read.

The grammar is closed, and read with a parser that follows no entity, no DTD and no address. What
does not fit it is unreadable, and never raises.
"""

import re
from dataclasses import dataclass
from typing import Final

from lxml import etree

_SOAP: Final = (
    "http://schemas.xmlsoap.org/soap/envelope/",
    "http://www.w3.org/2003/05/soap-envelope",
)
_NIL: Final = "{http://www.w3.org/2001/XMLSchema-instance}nil"
# "GUID simplifié": 32 hexadecimal digits; dashes and braces are tolerated.
_IDENTIFIER: Final = re.compile(
    r"(\{)?(?:[0-9a-fA-F]{32}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})(?(1)\})",
    re.ASCII,
)
_CODE: Final = re.compile(r"-?[0-9]{1,6}", re.ASCII)
_FAULT_CODE: Final = re.compile(r"[A-Za-z][\w.-]{0,39}", re.ASCII)
_SENDER: Final = frozenset({"Client", "Sender"})
_STATUS_FIELD: Final = "codestatut"


@dataclass(frozen=True, slots=True)
class Identifier:
    """The provider's id of a message, as it wrote it."""

    text: str


@dataclass(frozen=True, slots=True)
class Code:
    """A number, as text."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusObject:
    """An object STATUTS (chapter "Objets")."""

    code: str
    date: str | None
    label: str | None


@dataclass(frozen=True, slots=True)
class Fault:
    """A SOAP fault."""

    sender: bool  # the provider says that the request, not the provider, is at fault
    code: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Anything else."""

    why: str


Read = Identifier | Code | StatusObject | Fault | Unreadable


def read(body: bytes) -> Read:
    """Return what an HTTP body says."""
    if not body.strip():
        return Unreadable("the answer is empty")
    # A DTD is refused before it is read: the parser would expand what it declares.
    if b"<!DOCTYPE" in body[:65_536] or b"<!ENTITY" in body:
        return Unreadable("the answer holds a DTD")
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        # A comment inside a number would cut it in two.
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(body.lstrip(), parser)
    except (etree.XMLSyntaxError, ValueError):
        return Unreadable("the answer is not XML")
    if root.getroottree().docinfo.internalDTD is not None:
        # Written in an encoding that hid it from the search above.
        return Unreadable("the answer holds a DTD")
    for namespace in _SOAP:
        if root.tag == f"{{{namespace}}}Envelope":
            return _in_body(root.find(f"{{{namespace}}}Body"), namespace)
    return Unreadable("the answer is not a SOAP envelope")


def _in_body(body: etree._Element | None, namespace: str) -> Read:
    children = _elements(body) if body is not None else []
    if len(children) != 1:
        return Unreadable(f"the SOAP body holds {len(children)} elements")
    (child,) = children
    if child.tag == f"{{{namespace}}}Fault":
        return _fault(child, namespace)
    return _result(child)


def _result(element: etree._Element) -> Read:
    """Unwrap what holds a single child, and read what is inside."""
    while len(inside := _elements(element)) == 1 and _local(inside[0]) != _STATUS_FIELD:
        (element,) = inside
    if inside:
        return _status(inside)
    text = (element.text or "").strip()
    if element.get(_NIL) in {"true", "1"} or not text:
        return Unreadable("the result is empty")
    if _IDENTIFIER.fullmatch(text):
        return Identifier(text)
    if _CODE.fullmatch(text):
        return Code(text)
    return Unreadable("the result is neither an identifier nor a code")


def _status(fields: list[etree._Element]) -> Read:
    values: dict[str, str] = {}
    for one in fields:
        name = _local(one)
        if name in values:
            return Unreadable("the result names a field twice")
        values[name] = (one.text or "").strip()
    code = values.get(_STATUS_FIELD, "")
    if not _CODE.fullmatch(code):
        return Unreadable("the result is an object without a status code")
    return StatusObject(
        code=code,
        date=values.get("datestatut") or None,
        label=values.get("descriptionstatut") or None,
    )


def _fault(fault: etree._Element, namespace: str) -> Fault:
    code = fault.findtext("faultcode") or fault.findtext(
        f"{{{namespace}}}Code/{{{namespace}}}Value"
    )
    name = (code or "").rpartition(":")[2].strip()
    # Anything but a name could hold what was sent.
    return Fault(sender=name in _SENDER, code=name if _FAULT_CODE.fullmatch(name) else "")


def _elements(parent: etree._Element) -> list[etree._Element]:
    return list(parent.iterchildren("*"))


def _local(element: etree._Element) -> str:
    return etree.QName(element).localname.replace("_", "").casefold()
