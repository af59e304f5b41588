"""What stands in a SOAP body: by its shape alone."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from lxml import etree

from app.providers.efidem.answer.documents import document_in
from app.providers.efidem.answer.envelope import elements, is_fault
from app.providers.efidem.answer.kinds import (
    CODE,
    IDENTIFIER,
    Code,
    Document,
    Fault,
    Identifier,
    Read,
    StatusObject,
    Text,
    Unreadable,
)

_NIL: Final = "{http://www.w3.org/2001/XMLSchema-instance}nil"
_TRUE: Final = frozenset({"true", "1"})
_FAULT_CODE: Final = re.compile(r"[A-Za-z][\w.-]{0,39}", re.ASCII)
_SENDER: Final = frozenset({"Client", "Sender"})
_STATUS_FIELD: Final = "codestatut"
_OF_A_FILE: Final = 2  # fields of the object LISTE_FICHIER: its name, and its content
_NAMES: Final = re.compile(r"nom|name")


def result_of(element: etree._Element) -> Read:
    """Return what the one element of a SOAP body says."""
    return _fault(element) if is_fault(element) else _result(element)


def _result(element: etree._Element) -> Read:
    """Unwrap what holds a single child, and read what is inside."""
    inside = elements(element)
    while len(inside) == 1 and _name(inside[0]) != _STATUS_FIELD and not _is_nil(element):
        (element,) = inside
        inside = elements(element)
    whole = element.text or ""
    text = whole.strip()
    if _is_nil(element) or not (inside or text):
        return Unreadable("the result is empty")
    if inside:
        return _object(inside)
    if IDENTIFIER.fullmatch(text):
        return Identifier(text)
    return Code(text) if CODE.fullmatch(text) else Text(whole)


def _object(fields: Sequence[etree._Element]) -> Read:
    values: dict[str, str] = {}
    for one in fields:
        name = _name(one)
        if name in values:
            return Unreadable("the result names a field twice")
        values[name] = (one.text or "").strip()
    code = values.get(_STATUS_FIELD)
    if code is not None and CODE.fullmatch(code):
        return StatusObject(
            code=code,
            date=values.get("datestatut") or None,
            label=values.get("descriptionstatut") or None,
        )
    is_file = code is None and len(fields) == _OF_A_FILE and not any(map(elements, fields))
    file = _file(values) if is_file else None
    return file or Unreadable("the result is an object without a status code")


def _file(values: Mapping[str, str]) -> Document | None:
    """Return a file, if it is sure which of two fields is its content."""
    names = [one for one in values if _NAMES.search(one)]
    if len(names) != 1:
        names = []  # they do not tell; a name may look like base64 too
    contents = {
        one: content
        for one, text in values.items()
        if one not in names
        and not IDENTIFIER.fullmatch(text)
        and (content := document_in(text)) is not None
    }
    if len(contents) != 1:
        return None
    ((held, content),) = contents.items()
    (name,) = (text for one, text in values.items() if one != held)
    return Document(content, name or None)


def _fault(fault: etree._Element) -> Fault:
    namespace = etree.QName(fault).namespace
    code = fault.findtext("faultcode") or fault.findtext(
        f"{{{namespace}}}Code/{{{namespace}}}Value"
    )
    name = (code or "").rpartition(":")[2].strip()
    # Anything but a name could hold what was sent.
    return Fault(sender=name in _SENDER, code=name if _FAULT_CODE.fullmatch(name) else "")


def _is_nil(element: etree._Element) -> bool:
    return element.get(_NIL, "").strip() in _TRUE


def _name(element: etree._Element) -> str:
    return etree.QName(element).localname.replace("_", "").casefold()
