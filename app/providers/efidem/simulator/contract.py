"""The simulator's WSDL: which functions it declares, and which requests are valid."""

from pathlib import Path
from typing import Protocol, cast

from lxml import etree

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


class Contract:
    """The WSDL, read once."""

    def __init__(self) -> None:
        self._definitions = etree.parse(str(_WSDL)).getroot()
        schema = self._definitions.find("wsdl:types/xs:schema", _PREFIXES)
        address = self._definitions.find("wsdl:service/wsdl:port/soap:address", _PREFIXES)
        if schema is None or address is None:
            raise ValueError(f"{_WSDL.name} lacks its schema or its address")
        self._schema = etree.XMLSchema(schema)
        self._address = address
        self.functions = frozenset(
            str(operation.get("name"))
            for operation in self._definitions.iterfind("wsdl:portType/wsdl:operation", _PREFIXES)
        )

    def wsdl(self, address: str) -> bytes:
        """Return the WSDL for a service that listens at `address`."""
        self._address.set("location", address)
        return etree.tostring(self._definitions, xml_declaration=True, encoding="UTF-8")

    def fault_of(self, request: etree._Element) -> str | None:
        """Say which rule of the schema `request` breaks, without a word of its contents."""
        if self._schema.validate(request):
            return None
        first = cast("list[_BrokenRule]", self._schema.error_log)[0]
        return f"{first.type_name} in line {first.line}"
