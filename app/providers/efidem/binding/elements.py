"""What a WSDL declares, read from zeep: elements, where they stand, what they can hold."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from zeep import xsd
from zeep.wsdl.bindings.soap import SoapOperation
from zeep.wsdl.messages.soap import SoapMessage
from zeep.xsd.elements import Choice, Element
from zeep.xsd.elements.indicators import OrderIndicator

HEADER: Final = "_soapheaders"  # the key by which zeep takes headers


@dataclass(frozen=True, slots=True)
class Slot:
    """One element of a request, and the keys by which zeep takes its value."""

    keys: tuple[str, ...]
    element: Element
    optional: bool

    @property
    def name(self) -> str:
        """The element's own name."""
        return str(self.element.name)

    @property
    def shown(self) -> str:
        """Where it stands, as an operator reads and pins it."""
        return "/".join("header" if key == HEADER else key for key in self.keys)

    @property
    def mandatory(self) -> bool:
        """Whether a request without a value for it would be wrong."""
        return not self.optional and is_mandatory(self.element)

    def inside(self) -> list["Slot"]:
        """Return the elements of a struct."""
        return [
            Slot((*self.keys, key), one, optional)
            for key, one, optional in _declared(self.element.type)
        ]


def is_mandatory(element: Element) -> bool:
    """Say whether an element may neither be left out nor be nil."""
    return bool(element.min_occurs > 0 and not element.nillable and element.default is None)


def body_of(operation: SoapOperation) -> list[Slot]:
    """Return what stands at the top of a request."""
    body = _input(operation).body
    return [] if body is None else members(body)


def headers_of(operation: SoapOperation) -> list[Slot]:
    """Return the header blocks of a request: each may be left out."""
    header = _input(operation).header
    return [] if header is None else [
        Slot((HEADER, key), one, optional=True) for key, one, _ in _declared(header.type)
    ]  # fmt: skip


def _input(operation: SoapOperation) -> SoapMessage:
    said = operation.input
    assert isinstance(said, SoapMessage)  # zeep sets it for every operation of a binding
    return said


def members(element: Element) -> list[Slot]:
    """Return what an element's struct holds, by keys that begin there."""
    return [Slot((key,), one, optional) for key, one, optional in _declared(element.type)]


def is_struct(element: Element) -> bool:
    """Say whether an element is one struct, and no collection in any manner."""
    return (
        not element.accepts_multiple
        and not is_soap_array(element)
        and only_repeated(element) is None
        and bool(members(element))
    )


def is_collection(element: Element) -> bool:
    """Say whether an element can hold several, in any manner."""
    return (
        element.accepts_multiple
        or is_soap_array(element)
        or only_repeated(element) is not None
        or repeated_group(element) is not None
    )


def is_soap_array(element: Element) -> bool:
    """Say whether an element is an array of SOAP's own encoding."""
    return getattr(element.type, "_array_type", None) is not None


def only_repeated(element: Element) -> Slot | None:
    """Return the single repeated element inside a wrapper such as ArrayOfString."""
    inside = members(element)
    return inside[0] if len(inside) == 1 and inside[0].element.accepts_multiple else None


def repeated_group(element: Element) -> OrderIndicator | None:
    """Return the group that is repeated as a whole inside a wrapper."""
    nested = getattr(element.type, "elements_nested", [])
    if len(nested) == 1 and isinstance(nested[0][1], OrderIndicator):
        group = nested[0][1]
        if group.accepts_multiple and len(group) == 1 and isinstance(group[0], Element):
            return group
    return None


def array_item(element: Element) -> Element | None:
    """Return what a SOAP array holds; None where the WSDL does not say."""
    inside = members(element)
    if len(inside) == 1:
        return inside[0].element
    kind = element.type._array_type.array_type  # noqa: SLF001 -- no other way
    return None if kind is None else xsd.Element("item", kind)


def simple(element: Element) -> bool:
    """Say whether an element holds a text, and no elements."""
    if not isinstance(element.type, xsd.ComplexType):
        return True
    nested = element.type.elements_nested
    # An extension of a simple type: its only "element" is the text itself.
    return len(nested) == 1 and isinstance(nested[0][1], Element) and not is_soap_array(element)


def _declared(kind: Any) -> Iterator[tuple[str, Element, bool]]:  # noqa: ANN401 -- zeep's types
    """Yield key, element, and whether a choice or an optional group makes it optional."""
    if not isinstance(kind, xsd.ComplexType) or getattr(kind, "_array_type", None) is not None:
        group = getattr(kind, "_element", None)
        if not isinstance(group, OrderIndicator):
            return
    optional = set(_optional([one for _, one in kind.elements_nested], above=False))
    for key, one in kind.elements:
        if isinstance(one, Element) and key is not None and not key.startswith("_value_"):
            yield str(key), one, id(one) in optional


def _optional(parts: Iterable[object], *, above: bool) -> Iterator[int]:
    for one in parts:
        if isinstance(one, OrderIndicator):
            loose = above or isinstance(one, Choice) or one.min_occurs == 0
            yield from _optional(one, above=loose)
        elif above:
            yield id(one)
