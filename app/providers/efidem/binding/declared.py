"""What zeep drops of a WSDL's documents: enumerations, and whether a body is encoded."""

from collections.abc import Iterable
from typing import Final

from lxml import etree
from zeep.wsdl.bindings.soap import SoapOperation
from zeep.xsd.elements import Element

_XSD: Final = "{http://www.w3.org/2001/XMLSchema}"
_WSDL: Final = "{http://schemas.xmlsoap.org/wsdl/}"

Name = tuple[str, str]  # namespace and local name


class Declared:
    """The documents of one WSDL, read once more."""

    def __init__(self, documents: Iterable[bytes]) -> None:
        self._allowed: dict[Name, tuple[str, ...]] = {}
        self._encoded: set[tuple[str, str]] = set()  # binding and operation
        for document in documents:
            root = etree.fromstring(
                document, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
            )
            for schema in root.iter(f"{_XSD}schema"):
                self._read_enumerations(schema)
            for binding in root.iter(f"{_WSDL}binding"):
                self._read_uses(binding)

    def allowed(self, element: Element) -> tuple[str, ...]:
        """Return the values that an element may have; empty where any will do."""
        named = getattr(element.type, "qname", None)
        if named is None:
            return ()
        return self._allowed.get((named.namespace or "", named.localname), ())

    @property
    def has_encoded(self) -> bool:
        """Whether any request is encoded."""
        return bool(self._encoded)

    def is_encoded(self, operation: SoapOperation) -> bool:
        """Say whether a request is encoded by section 5 of SOAP 1.1, types and all."""
        return (operation.binding.name.localname, operation.name) in self._encoded

    def _read_enumerations(self, schema: etree._Element) -> None:
        namespace = schema.get("targetNamespace", "")
        for simple in schema.iter(f"{_XSD}simpleType"):
            parent = simple.getparent()
            # zeep names an anonymous type after the element that it is in.
            name = simple.get("name") or (parent.get("name") if parent is not None else None)
            values = tuple(
                one.get("value", "")
                for one in simple.iterfind(f"{_XSD}restriction/{_XSD}enumeration")
            )
            if name and values:
                known = self._allowed.get((namespace, name), ())
                self._allowed[namespace, name] = tuple(dict.fromkeys((*known, *values)))

    def _read_uses(self, binding: etree._Element) -> None:
        for operation in binding.iterfind(f"{_WSDL}operation"):
            if operation.xpath("./*[local-name()='input']/*[local-name()='body']/@use='encoded'"):
                self._encoded.add((binding.get("name", ""), operation.get("name", "")))
