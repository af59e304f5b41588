"""What of a WSDL the wire depends on, as plain values: two WSDLs of one shape are called alike.

Prefixes, comments, white space, the order of operations and what an operator pins are no part of
it; the order of elements in a sequence is. All operations of the port stand in it, documented or
not.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from zeep import xsd
from zeep.wsdl.bindings.soap import Soap12Binding, SoapBinding, SoapOperation
from zeep.xsd.elements import All, Choice, Element
from zeep.xsd.elements import Any as AnyElement
from zeep.xsd.elements.indicators import Group, OrderIndicator

from app.providers.efidem.binding import elements
from app.providers.efidem.binding.declared import Declared
from app.providers.efidem.binding.documents import without_query

MOST: Final = 2_000  # elements of one operation: types that hold one another could make millions
# How a path begins.
_HEADER: Final = "header"
IN: Final = "in"
OUT: Final = "out"


def shape_of(
    binding: SoapBinding, declared: Declared, *, service: str, port: str, address: str
) -> dict[str, Any]:
    """Return the shape of one port; `address` is the one that the WSDL itself names."""
    return {
        "service": service,
        "port": port,
        "address": without_query(address),
        "soap": "1.2" if isinstance(binding, Soap12Binding) else "1.1",
        "operations": {
            str(name): _operation(operation, declared)
            for name, operation in sorted(binding.all().items())
        },
    }


def _operation(operation: SoapOperation, declared: Declared) -> dict[str, Any]:
    encoded = declared.is_encoded(operation)
    body = operation.input and operation.input.body
    rows: list[dict[str, Any]] = []
    for place, message in ((IN, operation.input), (OUT, operation.output)):
        walker = _Walker(declared, place, named_types=encoded)
        for above, top in ((_HEADER, message and message.header), ("", message and message.body)):
            if top is not None:
                rows += walker.rows(top, above)
    return {
        "style": f"{operation.style}/{'encoded' if encoded else 'literal'}",
        "soapaction": str(operation.soapaction or ""),
        "element": None if body is None else str(body.qname),
        "paths": rows,
    }


class _Walker:
    """Lists every element of one message, each once along its way."""

    def __init__(self, declared: Declared, place: str, *, named_types: bool) -> None:
        self._declared = declared
        self._place = place
        self._named_types = named_types  # an encoded message carries the names of its types
        self._left = MOST

    def rows(self, top: Element, above: str) -> Iterator[dict[str, Any]]:
        """Yield what stands inside an element."""
        yield from self._inside(top, above, ())

    def _inside(
        self, element: Element, above: str, way: tuple[int, ...]
    ) -> Iterator[dict[str, Any]]:
        kind = element.type
        if id(kind) in way:
            return  # a type that holds itself
        way = (*way, id(kind))
        if elements.is_soap_array(element):
            item = elements.array_item(element)
            if item is not None:
                yield from self._element(item, f"{above}/item", (False, True), way)
            return
        for part, loose, many in _parts(_nested(kind), loose=False, many=False):
            name = getattr(part, "attr_name", None) or "*"  # xs:any has no name
            path = f"{above}/{name}" if above else str(name)
            yield from self._element(part, path, (loose, many), way)
        for name, attribute in getattr(kind, "attributes", ()):
            if isinstance(attribute, xsd.Attribute):
                row = self._row(attribute, f"{above}/@{name}")
                yield row | {"min": int(attribute.required), "max": 1, "nillable": False}

    def _element(
        self,
        element: Element,
        path: str,
        within: tuple[bool, bool],
        way: tuple[int, ...],
    ) -> Iterator[dict[str, Any]]:
        if self._left == 0:
            return
        self._left -= 1
        loose, many = within
        yield self._row(element, path) | {
            "min": 0 if loose else element.min_occurs,
            "max": "unbounded" if many else element.max_occurs,
            "nillable": bool(getattr(element, "nillable", False)),
        }
        if not isinstance(element, AnyElement):
            yield from self._inside(element, path, way)

    def _row(self, element: Any, path: str) -> dict[str, Any]:  # noqa: ANN401 -- zeep's
        qualified = getattr(element, "qname", None)
        return {
            "place": self._place,
            "path": path,
            "type": self._type(element),
            "namespace": None if qualified is None else qualified.namespace,
            "allowed": sorted(self._declared.allowed(element)),
        }

    def _type(self, element: Any) -> str:  # noqa: ANN401 -- zeep's
        kind = element.type
        if self._named_types and getattr(kind, "is_global", False) and kind.qname is not None:
            return str(kind.qname)
        if isinstance(kind, xsd.ComplexType):
            if elements.is_soap_array(element):
                return "array"
            return "text" if elements.simple(element) else "struct"
        # A restriction of a built-in type is a class below that type's.
        built_in = getattr(kind, "_default_qname", None)
        return "anyType" if built_in is None else str(built_in.localname)


def _nested(kind: Any) -> list[object]:  # noqa: ANN401 -- zeep's types
    return [one for _, one in kind.elements_nested] if isinstance(kind, xsd.ComplexType) else []


def _parts(parts: Iterable[object], *, loose: bool, many: bool) -> Iterator[tuple[Any, bool, bool]]:
    """Yield elements, whether their group may be left out, and whether it may come again."""
    for one in parts:
        match one:
            case OrderIndicator():
                inside = {
                    "loose": loose or isinstance(one, Choice) or one.min_occurs == 0,
                    "many": many or one.accepts_multiple,
                }
                # In xs:all the order is the sender's to choose.
                ordered = sorted(one, key=_name) if isinstance(one, All) else one
                yield from _parts(ordered, **inside)
            case Group():
                yield from _parts(
                    [one.child],
                    loose=loose or one.min_occurs == 0,
                    many=many or one.accepts_multiple,
                )
            case _:  # an element, or xs:any
                yield one, loose, many


def _name(part: Any) -> str:  # noqa: ANN401 -- zeep's
    return str(part.name)
