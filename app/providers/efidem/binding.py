"""Bind the documented functions to the WSDL at hand: by names and types that it declares.

What a function needs and the WSDL lacks blocks that function only, and is said. A documented
optional parameter that the WSDL lacks is listed: a request that uses it can be refused.
"""

import base64
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from zeep import xsd
from zeep.wsdl.bindings.soap import SoapBinding
from zeep.xsd.elements import Element

from app.providers.efidem.functions import TRIO
from app.providers.manual import FileContent, Function, Parameter, Shape, Value, unused

_MANY: Final = 1


@dataclass(frozen=True, slots=True)
class Place:
    """Where a parameter goes."""

    parameter: Parameter
    element: str
    kind: Any  # the element's XML Schema type, as zeep holds it


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A documented function, and how the WSDL offers it."""

    function: Function
    operation: str | None = None
    found: str = "not found"  # exact, or by another spelling of the document
    places: Sequence[Place] = ()
    trio: Mapping[str, str] = field(default_factory=dict)  # documented name -> element
    fillers: Mapping[str, Any] = field(default_factory=dict)  # mandatory elements without a value
    missing: Sequence[Parameter] = ()  # optional, and not in the WSDL
    blocked: Sequence[str] = ()  # why it cannot be called

    def arguments(self, handed: object, credentials: Mapping[str, str]) -> dict[str, Any]:
        """Return what zeep renders: one call's values by the WSDL's names."""
        values: dict[str, Any] = {
            element: credentials[documented] for documented, element in self.trio.items()
        }
        values |= self.fillers
        for place in self.places:
            value = place.parameter.value(handed)
            if value is not None:
                values[place.element] = _shaped(place, value)
        return values

    def report(self) -> dict[str, object]:
        """Return what an operator reads about this function."""
        return {
            "function": self.function.name,
            "operation": self.operation,
            "found": self.found,
            "parameters": {place.parameter.name: place.element for place in self.places},
            "warnings": [f"the WSDL has no parameter {one.name}" for one in self.missing],
            "blocked": list(self.blocked),
        }


def normalised(name: str) -> str:
    """Return a name without case, accents and punctuation."""
    plain = unicodedata.normalize("NFKD", name).casefold()
    return "".join(letter for letter in plain if letter.isascii() and letter.isalnum())


def bind(binding: SoapBinding, functions: Iterable[Function]) -> dict[str, Bound]:
    """Bind every function, by its documented name."""
    operations = {normalised(name): name for name in binding.all()}
    return {function.name: _bind(binding, operations, function) for function in functions}


def _bind(binding: SoapBinding, operations: Mapping[str, str], function: Function) -> Bound:
    operation = _named(operations, (function.name, *function.spellings))
    if operation is None:
        return Bound(function=function, blocked=["the WSDL has no such operation"])
    elements = _elements(binding.get(operation).input.body.type)
    free = {normalised(name): name for name in elements}
    trio = {one.name: name for one in TRIO if (name := _take(free, one))}
    blocked = [f"the WSDL has no parameter {one.name}" for one in TRIO if one.name not in trio]
    places, missing = [], []
    for parameter in function.parameters:
        name = _take(free, parameter) if parameter.value is not unused else None
        wrong = _wrong_fields(parameter, elements[name]) if name is not None else []
        if name is not None and not (wrong and _is_optional(parameter, elements[name])):
            places.append(Place(parameter, name, elements[name]))
            blocked += wrong
        elif parameter.required:
            blocked.append(f"the WSDL has no parameter {parameter.name}")
        elif parameter.value is not unused:
            missing.append(parameter)
    unknown = [name for name in free.values() if _is_mandatory(elements[name])]
    blocked += [f"the WSDL demands {name}, which the document does not know" for name in unknown]
    exact = normalised(operation) == normalised(function.name)
    return Bound(
        function=function,
        operation=operation,
        found="exact" if exact else "other spelling",
        places=places,
        trio=trio,
        fillers={one.element: _absent(one.kind) for one in places if _is_mandatory(one.kind)},
        missing=missing,
        blocked=blocked,
    )


def _named(names: Mapping[str, str], spellings: Iterable[str]) -> str | None:
    return next((names[key] for one in spellings if (key := normalised(one)) in names), None)


def _take(free: dict[str, str], parameter: Parameter) -> str | None:
    """Return the element that a parameter is, and keep it from being another's."""
    for spelling in (parameter.name, *parameter.spellings):
        if (name := free.pop(normalised(spelling), None)) is not None:
            return name
    return None


def _elements(kind: Any) -> dict[str, Element]:  # noqa: ANN401 -- zeep's types
    return dict(getattr(kind, "elements", ()))


def _is_optional(parameter: Parameter, element: Element) -> bool:
    """Say whether a call can do without: for the document, and for the WSDL."""
    return not parameter.required and not _is_mandatory(element)


def _is_mandatory(element: Element) -> bool:
    return element.min_occurs > 0 and not element.nillable and element.default is None


def _absent(element: Element) -> Any:  # noqa: ANN401 -- zeep's values
    """Return what stands for "no value" in an element that may not be left out."""
    if isinstance(element.type, xsd.Boolean):
        return False
    return "" if isinstance(element.type, xsd.String) else {}


def _wrong_fields(parameter: Parameter, element: Element) -> list[str]:
    """Return what keeps an object or a list of files from being built."""
    if parameter.shape not in {Shape.FILES, Shape.OBJECT}:
        return []
    fields = _elements(_item(element)[1].type)
    free = {normalised(name): name for name in fields}
    wrong = [
        f"{parameter.name} has no field {one.name}"
        for one in parameter.fields
        if _take(free, one) is None and one.required
    ]
    unknown = [name for name in free.values() if _is_mandatory(fields[name])]
    return wrong + [f"the WSDL demands {parameter.name}.{name}" for name in unknown]


def _item(element: Element) -> tuple[str | None, Element]:
    """Return the repeated element of a list, and its name inside a wrapper (None: no wrapper)."""
    inside = _elements(element.type)
    if len(inside) == 1:
        ((name, only),) = inside.items()
        if only.accepts_multiple:
            return name, only
    return None, element


def _shaped(place: Place, value: Value) -> Any:  # noqa: ANN401 -- zeep's values
    match place.parameter.shape:
        case Shape.TEXT | Shape.BOOLEAN:
            return value
        case Shape.OBJECT:
            return _filled(place.parameter, place.kind, value)
        case Shape.FILES:
            wrapper, item = _item(place.kind)
            files = [_filled(place.parameter, item, _as_fields(one)) for one in value]  # type: ignore[union-attr]
            return files if wrapper is None else {wrapper: files}


def _as_fields(file: "FileContent | str") -> dict[str, str | bytes]:
    assert isinstance(file, FileContent)
    return {"NOM": file.name, "CONTENU": file.content}


def _filled(parameter: Parameter, element: Element, value: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return an object's values by the WSDL's names."""
    fields = _elements(element.type)
    names = {normalised(name): name for name in fields}
    filled: dict[str, Any] = {}
    for one in parameter.fields:
        name = _named(names, (one.name, *one.spellings))
        given = value.get(one.name)
        if name is None or (given is None and not _is_mandatory(fields[name])):
            continue
        filled[name] = _leaf(fields[name], given)
    return filled


def _leaf(element: Element, given: str | bytes | None) -> str | bytes:
    if isinstance(given, bytes) and not isinstance(element.type, xsd.Base64Binary):
        # zeep encodes bytes for base64Binary only; a string takes the text ready made.
        return base64.b64encode(given).decode()
    return "" if given is None else given
