"""Find the form of a parameter's value: from the types that the WSDL declares, not from names."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from zeep import xsd
from zeep.xsd.elements import Element

from app.providers.efidem.binding import elements
from app.providers.efidem.binding.declared import Declared
from app.providers.efidem.binding.elements import Slot
from app.providers.efidem.binding.forms import (
    CONTENT,
    NAME,
    Around,
    Family,
    Form,
    Instead,
    Lone,
    Manner,
    Many,
    Struct,
)
from app.providers.efidem.binding.leaves import Leaf, empty
from app.providers.efidem.binding.matching import Claims, at, claim
from app.providers.efidem.pins import FunctionPins
from app.providers.manual import Parameter, Shape, Value, unused

_OBJECTS: Final = frozenset({Shape.FILES, Shape.OBJECT, Shape.OBJECTS})
_LONE: Final = frozenset({Shape.TEXT, Shape.BOOLEAN, Shape.DATE, Shape.OBJECT})


class Shaper:
    """Finds forms for one function, and keeps what was wrong or worth telling."""

    def __init__(self, declared: Declared, pins: FunctionPins, date_format: str) -> None:
        self._declared = declared
        self._pins = pins
        self._date_format = date_format
        self.paths: dict[str, str] = {}  # documented name of a field -> the WSDL's
        self.allowed: dict[str, list[str]] = {}  # enumerations
        self.lost: list[Parameter] = []  # optional fields that the WSDL has no place for
        self.wrong: list[str] = []
        self.notes: list[str] = []

    def form(self, parameter: Parameter, slot: Slot, named: str) -> Form:
        """Return the form of a value at an element, items and fields included."""
        collected = self._collection(slot, named, lambda item: self._one(parameter, item, named))
        if collected is not None:
            return collected
        form = self._one(parameter, slot, named)
        if parameter.shape in _LONE:
            return form
        return Many(named, Manner.SINGLE, slot.element, "", form)

    def family(self, parameter: Parameter, slots: list[Slot]) -> Family:
        """Return the form of numbered elements."""
        items = [self.leaf(one, parameter.name) for one in slots]
        return Family(parameter.name, [one.keys for one in slots], items)

    def leaf(self, slot: Slot, named: str) -> Leaf:
        """Return the form of a single value."""
        allowed = self._declared.allowed(slot.element)
        return Leaf(named, slot.element, allowed, self._date_format)

    def absent(self, element: Element) -> Any:  # noqa: ANN401 -- zeep's values
        """Return what stands for no value where one is demanded; None where nothing can."""
        if elements.is_soap_array(element):
            return xsd.Nil
        if elements.only_repeated(element) or elements.repeated_group(element):
            return element.type()
        if element.accepts_multiple:
            return None
        if elements.simple(element):
            return empty(self.leaf(Slot(("",), element, optional=False), ""))
        inside = {
            one.keys[-1]: self.absent(one.element)
            for one in elements.members(element)
            if one.mandatory
        }
        return xsd.Nil if None in inside.values() else element.type(**inside)

    def constant(self, slot: Slot, named: str, value: str) -> Any:  # noqa: ANN401 -- zeep's values
        """Return a pinned value as zeep takes it."""
        if isinstance(slot.element.type, xsd.Boolean):
            return value.casefold() in {"true", "1"}
        return self.leaf(slot, named).carried(value)

    def _collection(self, slot: Slot, named: str, of: Callable[[Slot], Form]) -> Many | None:
        element = slot.element
        if elements.is_soap_array(element):
            item = elements.array_item(element)
            if item is None:
                self.wrong.append(f"the WSDL does not say what the array {named} holds")
                item = element
            return Many(named, Manner.ENCODED, element, "", of(Slot(slot.keys, item, True)))
        if element.accepts_multiple:
            return Many(named, Manner.REPEATED, element, "", of(slot))
        if (repeated := elements.only_repeated(element)) is not None:
            return Many(named, Manner.WRAPPED, element, repeated.keys[-1], of(repeated))
        if (group := elements.repeated_group(element)) is not None:
            only = Slot((str(group[0].name),), group[0], optional=True)
            return Many(named, Manner.GROUPED, element, only.name, of(only))
        return None

    def _one(self, parameter: Parameter, slot: Slot, named: str) -> Form:
        if parameter.shape is Shape.OBJECTS and elements.simple(slot.element):
            return self._instead(parameter, slot, named)
        if parameter.shape in _OBJECTS:
            return self._object(parameter, slot, named)
        if parameter.fields and len(elements.members(slot.element)) > 1:
            return Around(_key(parameter), self._object(parameter, slot, named))
        if elements.simple(slot.element):
            leaf = self.leaf(slot, named)
            self._look_at(parameter, leaf)
            return leaf
        return self._inside(parameter, slot, named)

    def _look_at(self, parameter: Parameter, leaf: Leaf) -> None:
        """Tell what a single value's type makes of it."""
        if parameter.shape is Shape.TEXT and isinstance(leaf.element.type, xsd.Boolean):
            self.wrong.append(
                f"{leaf.named} is a boolean for the WSDL, and a text for the document"
            )
        if leaf.allowed:
            lost = [one for one in parameter.values if leaf.choice(one) is None]
            self.allowed[leaf.named] = [*leaf.allowed]
            if lost:
                takes = ", ".join(leaf.allowed)
                self.wrong.append(f"{leaf.named} takes {takes}, and not {', '.join(lost)}")
        dated = isinstance(leaf.element.type, xsd.Date | xsd.DateTime)
        if parameter.shape is Shape.DATE and not dated:
            self.notes.append(f"{leaf.named} is written as {self._date_format}: to confirm")

    def _inside(self, parameter: Parameter, slot: Slot, named: str) -> Form:
        """Return the form of a single value in a struct that holds nothing else."""
        match elements.members(slot.element):
            case [only] if elements.simple(only.element):
                leaf = self.leaf(only, named)
                self._look_at(parameter, leaf)
                self.paths[named] = f"{slot.shown}/{only.name}"
                return Lone(slot.element, only.keys[-1], leaf)
            case _:
                self.wrong.append(f"{named} is a struct, whose fields the document does not list")
                return self.leaf(slot, named)

    def _instead(self, parameter: Parameter, slot: Slot, named: str) -> Instead:
        """Return the form of objects of which the WSDL takes one text each."""
        key = _key(parameter)
        self.lost += _lost(parameter, {key})
        self.notes.append(f"{named} holds texts, each taken to be {key}: to confirm")
        return Instead(key, self.leaf(slot, named))

    def _object(self, parameter: Parameter, slot: Slot, named: str) -> Struct:
        slots = elements.members(slot.element)
        if parameter.shape is Shape.FILES:
            claims = self._file(parameter, slots, named)
        else:
            claims = claim(parameter.fields, slots, self._pins.parameters, f"{named}.")
        self.wrong += [*claims.wrong]
        self.notes += [f"{named}: {one}" for one in claims.notes]
        self.wrong += [
            f"{parameter.name} has no field {one.name}"
            for one in parameter.fields
            if one.required and one.name not in claims.found and one.name not in claims.families
        ]
        fixed: dict[str, Any] = {}
        fields: dict[str, tuple[str, Form]] = {}
        by_name = {one.name: one for one in parameter.fields}
        for documented, one in claims.found.items():
            fields[documented] = one.keys[-1], self.form(by_name[documented], one, f"{named}.{documented}")  # fmt: skip
            self.paths.setdefault(f"{named}.{documented}", one.name)
            if one.mandatory:
                self._fix(fixed, one, self.absent(one.element), by_name[documented])
        self._fill(claims, fixed, named)
        families = {
            documented: self.family(by_name[documented], slots)
            for documented, slots in claims.families.items()
        }
        for documented, several in claims.families.items():
            for one in several:
                if one.mandatory:
                    self._fix(fixed, one, self.absent(one.element), by_name[documented])
        self.lost += _lost(parameter, {*claims.found, *claims.families})
        return Struct(slot.element, fields, families, fixed)

    def _fix(self, fixed: dict[str, Any], slot: Slot, value: object, field: Parameter) -> None:
        if value is not None:
            fixed[slot.keys[-1]] = value
        elif not field.required:
            self.wrong.append(f"the WSDL demands {slot.name}, which has no empty value")

    def _fill(self, claims: Claims, fixed: dict[str, Any], named: str) -> None:
        """Give what no field is: the pinned constants, and nothing for what may be left out."""
        pinned = {
            one.removeprefix(f"{named}."): value
            for one, value in self._pins.constants.items()
            if one.startswith(f"{named}.")
        }
        for name, value in pinned.items():
            slot = at(claims.left, name)
            if slot is None:
                self.wrong.append(f"the WSDL has no single element {named}.{name}, which is pinned")
            else:
                claims.left.remove(slot)
                fixed[slot.keys[-1]] = self.constant(slot, f"{named}.{name}", value)
        self.wrong += [
            f"the WSDL demands {named}.{one.name}" for one in claims.left if one.mandatory
        ]

    def _file(self, parameter: Parameter, slots: list[Slot], named: str) -> Claims:
        """Find a file's fields: the content is the binary one, the name the text that is left."""
        binary = [one for one in slots if isinstance(one.element.type, xsd.Base64Binary)]
        pins = self._pins.parameters
        if len(binary) != 1 or f"{named}.{CONTENT}" in pins:
            return claim(parameter.fields, slots, pins, f"{named}.")
        others = [one for one in parameter.fields if one.name != CONTENT]
        claims = claim(others, [one for one in slots if one not in binary], pins, f"{named}.")
        claims.found[CONTENT] = binary[0]
        texts = [one for one in claims.left if isinstance(one.element.type, xsd.String)]
        name = next((one for one in others if one.name == NAME), None)
        if name is not None and NAME not in claims.found and len(texts) == 1:
            claims.take(name, texts[0])
        return claims


def _key(parameter: Parameter) -> str:
    """Return the field that an object cannot do without."""
    return next(one.name for one in parameter.fields if one.required)


def _lost(parameter: Parameter, found: Iterable[str]) -> list[Parameter]:
    """Return the optional fields that are not found, each as a parameter of the function."""
    return [
        replace(one, name=f"{parameter.name}.{one.name}", value=_given(parameter, one))
        for one in parameter.fields
        if not one.required and one.value is not unused and one.name not in found
    ]


def _given(parameter: Parameter, field: Parameter) -> Callable[[Any], Value]:
    """Return a function that says whether any of a parameter's objects has a field."""

    def given(handed: object) -> bool:
        value = parameter.value(handed)
        several = value if isinstance(value, tuple) else (value,)
        return any(field.value(one) for one in several if isinstance(one, Mapping))

    return given
