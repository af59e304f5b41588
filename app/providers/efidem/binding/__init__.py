"""Bind the documented functions to the WSDL at hand: by names and types that it declares.

What a function needs and the WSDL lacks blocks that function only, and is said. A documented
optional parameter that the WSDL lacks is listed: a request that uses it can be refused.
"""

from collections.abc import Iterable
from typing import Any

from zeep.wsdl.bindings.soap import SoapBinding, SoapOperation

from app.providers.efidem.binding import elements, trio
from app.providers.efidem.binding.bound import Bound, Credential, Place
from app.providers.efidem.binding.declared import Declared
from app.providers.efidem.binding.elements import Slot
from app.providers.efidem.binding.leaves import CannotBind
from app.providers.efidem.binding.matching import Claims, at, claim
from app.providers.efidem.binding.names import Named, normalised, operations_of
from app.providers.efidem.binding.opening import opened
from app.providers.efidem.binding.shaping import Shaper
from app.providers.efidem.pins import NOTHING, FunctionPins, Pinned
from app.providers.manual import Function, Parameter, unused

__all__ = ["Bound", "CannotBind", "bind", "normalised"]


def bind(
    binding: SoapBinding, functions: Iterable[Function], declared: Declared, pinned: Pinned
) -> dict[str, Bound]:
    """Bind every function, by its documented name."""
    functions = tuple(functions)
    named = operations_of(binding.all(), functions, pinned.functions)
    bound: dict[str, Bound] = {}
    for one in functions:
        found = named[one.name]
        if found.operation is None:
            bound[one.name] = Bound(function=one, found=found.found, blocked=[found.why])
        else:
            pins = pinned.functions.get(one.name, NOTHING)
            shaper = Shaper(declared, pins, pinned.date_format)
            operation = binding.get(found.operation)
            bound[one.name] = _Binder(one, found, pins, shaper).bind(operation)
    return bound


class _Binder:
    """Binds one function to one operation."""

    def __init__(
        self, function: Function, named: Named, pins: FunctionPins, shaper: Shaper
    ) -> None:
        self._function = function
        self._named = named
        self._pins = pins
        self._shaper = shaper
        self._places: list[Place] = []
        self._missing: list[Parameter] = []
        self._fixed: list[tuple[Slot, Any]] = []
        self._constants: dict[str, str] = {}
        self._blocked: list[str] = []

    def bind(self, operation: SoapOperation) -> Bound:
        """Take the credentials out, then find the parameters, then look at what is left."""
        body, headers = elements.body_of(operation), elements.headers_of(operation)
        credentials = trio.find(body, headers, self._pins.parameters)
        taken = {one.keys for one in credentials.slots.values()}
        slots = opened(body, self._function, credentials.slots.values(), self._shaper.notes)
        if credentials.place is not None:
            # What else stands in the credentials' header is sent along with them.
            slots += [
                one
                for block in headers
                if any(keys[: len(block.keys)] == block.keys for keys in taken)
                for one in (block.inside() if block.keys not in taken else ())
            ]
        claims = claim(
            self._function.parameters,
            [one for one in slots if one.keys not in taken],
            self._pins.own(self._function),
        )
        self._blocked += [*credentials.wrong, *claims.wrong]
        for parameter in self._function.parameters:
            self._bind_parameter(parameter, claims)
        self._set_constants(claims, headers)
        self._look_at_what_is_left(claims, taken)
        return Bound(
            function=self._function,
            operation=self._named.operation,
            found=self._named.found,
            places=self._places,
            credentials={
                name: Credential(slot, self._shaper.leaf(slot, name))
                for name, slot in credentials.slots.items()
            },
            trio_place=credentials.place,
            fixed=self._fixed,
            constants=self._constants,
            fields=self._shaper.paths,
            allowed=self._shaper.allowed,
            missing=self._missing,
            notes=[*credentials.notes, *claims.notes, *self._shaper.notes],
            blocked=self._blocked,
        )

    def _bind_parameter(self, parameter: Parameter, claims: Claims) -> None:
        name = parameter.name
        if name in claims.families:
            self._bind_family(parameter, claims.families[name])
            return
        slot = claims.found.get(name)
        if parameter.value is unused:
            # It is known, and carries nothing: where the WSDL demands it, it is empty.
            if slot is not None and slot.mandatory:
                self._leave_empty(parameter, slot)
            return
        if slot is None:
            if parameter.required:
                self._blocked.append(f"the WSDL has no parameter {name}")
            else:
                self._missing.append(parameter)
            return
        wrong_before = len(self._shaper.wrong)
        form = self._shaper.form(parameter, slot, name)
        wrong = self._shaper.wrong[wrong_before:]
        if wrong and not parameter.required and not slot.mandatory:
            # Neither the document nor the WSDL demands it: who uses it is refused.
            self._shaper.lost = []
            self._missing.append(parameter)
            self._shaper.notes += [one for one in wrong if name not in one.split()]
            return
        self._blocked += wrong
        self._missing += self._shaper.lost
        self._shaper.lost = []
        self._places.append(Place(parameter, slot, form))
        if slot.mandatory:
            self._leave_empty(parameter, slot)

    def _bind_family(self, parameter: Parameter, slots: list[Slot]) -> None:
        if parameter.value is not unused:
            self._places.append(Place(parameter, None, self._shaper.family(parameter, slots)))
        for one in slots:
            if one.mandatory:
                self._leave_empty(parameter, one)

    def _leave_empty(self, parameter: Parameter, slot: Slot) -> None:
        """Say what is sent where a request has no value."""
        value = self._shaper.absent(slot.element)
        if value is not None:
            self._fixed.append((slot, value))
        elif not parameter.required and slot.shown not in self._pins.constants:
            self._blocked.append(f"the WSDL demands {slot.shown}, which has no empty value")

    def _set_constants(self, claims: Claims, headers: list[Slot]) -> None:
        own = {one.parameter.name: one.slot for one in self._places if one.slot is not None}
        for where, value in self._pins.constants.items():
            if "." in where and where.partition(".")[0] in own:
                continue  # a field of an object: the object's form has it
            slot = at([*claims.left, *claims.found.values(), *headers], where)
            if slot is None:
                self._blocked.append(f"the WSDL has no single element {where}, which is pinned")
                continue
            if slot in claims.left:
                claims.left.remove(slot)
            self._constants[slot.shown] = value
            try:
                self._fixed.append((slot, self._shaper.constant(slot, where, value)))
            except CannotBind as fault:
                self._blocked.append(fault.why)

    def _look_at_what_is_left(self, claims: Claims, taken: set[tuple[str, ...]]) -> None:
        used = taken | {slot.keys for slot, _ in self._fixed}
        used |= {one.slot.keys for one in self._places if one.slot is not None}
        self._blocked += [
            f"the WSDL demands {one.shown}, which the document does not know"
            for one in claims.left
            if one.mandatory and _is_sent(one, used)
        ]


def _is_sent(slot: Slot, used: set[tuple[str, ...]]) -> bool:
    """Say whether the struct that an element stands in is part of the request."""
    above = slot.keys[:-1]
    return not above or any(keys[: len(above)] == above for keys in used)
