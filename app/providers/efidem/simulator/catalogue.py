"""The functions and objects of efidem.wsdl, from which the other dialects' WSDLs are written."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from lxml import etree

_XS = {"xs": "http://www.w3.org/2001/XMLSchema"}

TRIO = ("UTILISATEUR", "MOT_DE_PASSE", "AppID")


class Field(NamedTuple):
    """A parameter of a function, or a field of an object."""

    name: str
    type: str  # "xs:string" and the like, or the bare name of a type of the document
    mandatory: bool
    repeated: bool


class Function(NamedTuple):
    """A function: its parameters in the document's order, and the type that it answers."""

    name: str
    parameters: tuple[Field, ...]
    result: str


class Catalogue:
    """What the schema of efidem.wsdl declares."""

    def __init__(self, schema: etree._Element) -> None:
        self.structs: Mapping[str, tuple[Field, ...]] = {
            str(one.get("name")): _fields(one) for one in schema.iterfind("xs:complexType", _XS)
        }
        self.enumerations: Mapping[str, tuple[str, ...]] = {
            str(one.get("name")): tuple(
                str(value.get("value")) for value in one.iterfind(".//xs:enumeration", _XS)
            )
            for one in schema.iterfind("xs:simpleType", _XS)
        }
        elements = {
            str(one.get("name")): _fields(one) for one in schema.iterfind("xs:element", _XS)
        }
        self.functions: Mapping[str, Function] = {
            name: Function(name, fields, elements[f"{name}Response"][0].type)
            for name, fields in elements.items()
            if not name.endswith("Response")
        }

    def item_of(self, kind: str) -> Field | None:
        """Return the one repeated field that makes `kind` an array, or nothing."""
        fields = self.structs.get(kind, ())
        return fields[0] if len(fields) == 1 and fields[0].repeated else None

    def objects(self) -> Iterable[tuple[str, tuple[Field, ...]]]:
        """Return the structs that are no arrays."""
        return ((name, fields) for name, fields in self.structs.items() if not self.item_of(name))

    def arrays(self) -> Iterable[tuple[str, Field]]:
        """Return the arrays, each with its item."""
        items = ((name, self.item_of(name)) for name in self.structs)
        return ((name, item) for name, item in items if item)


def _fields(owner: etree._Element) -> tuple[Field, ...]:
    return tuple(
        Field(
            name=str(one.get("name")),
            type=str(one.get("type")).removeprefix("tns:"),
            mandatory=one.get("minOccurs") != "0",
            repeated=one.get("maxOccurs") == "unbounded",
        )
        for one in owner.iterfind(".//xs:element", _XS)
    )
