"""efidem.wsdl: which functions it declares, and which requests are valid."""

from copy import deepcopy
from pathlib import Path
from typing import Protocol, cast

from lxml import etree

from app.providers.efidem.simulator.catalogue import Catalogue

NAMESPACE = "urn:efidem:multicanal"

_WSDL = Path(__file__).parent.parent / "efidem.wsdl"
_PREFIXES = {
    "wsdl": "http://schemas.xmlsoap.org/wsdl/",
    "soap": "http://schemas.xmlsoap.org/wsdl/soap/",
    "xs": "http://www.w3.org/2001/XMLSchema",
}


def qualified(path: str) -> str:
    """Return `path`, a slash between names, with each name in the provider's namespace."""
    return "/".join(f"{{{NAMESPACE}}}{name}" for name in path.split("/"))


class _BrokenRule(Protocol):
    """An entry of lxml's error log, whose message would repeat the request's contents."""

    type_name: str
    line: int


class Rules:
    """A schema, and what breaks it."""

    def __init__(self, schema: etree._Element) -> None:
        self._schema = etree.XMLSchema(schema)

    def fault_of(self, request: etree._Element) -> str | None:
        """Say which rule of the schema `request` breaks, without a word of its contents."""
        if self._schema.validate(request):
            return None
        first = cast("list[_BrokenRule]", self._schema.error_log)[0]
        return f"{first.type_name} in line {first.line}"


class Contract:
    """The WSDL, read once."""

    def __init__(self) -> None:
        self._definitions = etree.parse(str(_WSDL)).getroot()
        schema = self._definitions.find("wsdl:types/xs:schema", _PREFIXES)
        address = self._definitions.find("wsdl:service/wsdl:port/soap:address", _PREFIXES)
        if schema is None or address is None:
            raise ValueError(f"{_WSDL.name} lacks its schema or its address")
        self.rules = Rules(schema)
        # Dialects write dates in their own ways, which their own schemas judge.
        self.rules_for_any_date = Rules(_with_dates_as_text(schema))
        self.catalogue = Catalogue(schema)
        self._address = address

    def wsdl(self, address: str) -> bytes:
        """Return the WSDL for a service that listens at `address`."""
        self._address.set("location", address)
        return etree.tostring(self._definitions, xml_declaration=True, encoding="UTF-8")


def _with_dates_as_text(schema: etree._Element) -> etree._Element:
    copy = deepcopy(schema)
    for element in copy.iterfind(".//xs:element[@type='xs:date']", _PREFIXES):
        element.set("type", "xs:string")
    return copy
