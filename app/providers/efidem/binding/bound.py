"""A documented function bound to an operation: what zeep renders for a call, and what is reported."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.providers.efidem.binding.elements import Slot
from app.providers.efidem.binding.forms import Family, Form
from app.providers.efidem.binding.leaves import Leaf
from app.providers.efidem.binding.names import GUESSED, Found
from app.providers.manual import Function, Parameter, Shape, Value


@dataclass(frozen=True, slots=True)
class Place:
    """Where a parameter goes, and in what form."""

    parameter: Parameter
    slot: Slot | None  # None: numbered elements
    form: Form | Family

    @property
    def shown(self) -> str:
        """The element's path."""
        if isinstance(self.form, Family):
            return ", ".join("/".join(one) for one in self.form.keys)
        assert self.slot is not None
        return self.slot.shown


@dataclass(frozen=True, slots=True)
class Credential:
    """One of the trio, and where it goes."""

    slot: Slot
    form: Leaf


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A documented function, and how the WSDL offers it."""

    function: Function
    operation: str | None = None
    found: Found = Found.NOT_FOUND
    places: Sequence[Place] = ()
    credentials: Mapping[str, Credential] = field(default_factory=dict)  # by documented name
    trio_place: str | None = None
    fixed: Sequence[tuple[Slot, Any]] = ()  # mandatory elements without a value, and constants
    constants: Mapping[str, str] = field(default_factory=dict)  # path -> what is pinned
    fields: Mapping[str, str] = field(default_factory=dict)  # of objects: documented -> the WSDL's
    allowed: Mapping[str, Sequence[str]] = field(default_factory=dict)  # enumerations
    missing: Sequence[Parameter] = ()  # optional, and not in the WSDL
    notes: Sequence[str] = ()
    blocked: Sequence[str] = ()  # why it cannot be called
    # Nothing of a message but its files and variables can be what the WSDL's types do not take.
    takes_any_text: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        """Look at every place that is neither the files' nor the variables'."""
        apart = (Shape.FILES, Shape.VARIABLES)
        forms = [place.form for place in self.places if place.parameter.shape not in apart]
        forms += [one.form for one in self.credentials.values()]
        found = all(isinstance(one, Leaf) and one.takes_any_text for one in forms)
        object.__setattr__(self, "takes_any_text", found)

    @property
    def trio(self) -> Mapping[str, str]:
        """Where the credentials go, by their documented names."""
        return {name: one.slot.shown for name, one in self.credentials.items()}

    def paths(self) -> Iterator[str]:
        """Yield every element that a call may fill."""
        yield from self.trio.values()
        yield from (slot.shown for slot, _ in self.fixed)
        for place in self.places:
            yield from place.shown.split(", ")  # a family has several

    @property
    def to_confirm(self) -> bool:
        """Whether the operation was found by likeness only."""
        return self.found in GUESSED

    def arguments(self, handed: object, credentials: Mapping[str, str]) -> dict[str, Any]:
        """Return what zeep renders: one call's values by the WSDL's names; raises CannotBind."""
        given = {one.parameter.name: one.parameter.value(handed) for one in self.places}
        return self.filled(given, credentials)

    def filled(self, given: Mapping[str, Value], credentials: Mapping[str, str]) -> dict[str, Any]:
        """Return what zeep renders for values by their documented names."""
        values: dict[str, Any] = {}
        for slot, value in self.fixed:
            _put(values, slot.keys, value)
        for documented, one in self.credentials.items():
            _put(values, one.slot.keys, one.form.carried(credentials[documented]))
        for place in self.places:
            value = given.get(place.parameter.name)
            if value is None:
                continue
            if isinstance(place.form, Family):
                for keys, text in place.form.spread(value).items():
                    _put(values, keys, text)
            else:
                assert place.slot is not None
                _put(values, place.slot.keys, place.form.carried(value))  # type: ignore[arg-type]
        return values

    def report(self) -> dict[str, object]:
        """Return what an operator reads about this function."""
        found = [f"found as {self.operation} ({self.found}): confirm or pin"]
        return {
            "function": self.function.name,
            "operation": self.operation,
            "found": str(self.found),
            "parameters": {place.parameter.name: place.shown for place in self.places},
            "warnings": [
                *(found if self.to_confirm else ()),
                *(f"the WSDL has no parameter {one.name}" for one in self.missing),
                *self.notes,
            ],
            "blocked": list(self.blocked),
        }


def _put(values: dict[str, Any], keys: tuple[str, ...], value: object) -> None:
    """Set a value at its path; a fixed empty struct on the way gives way to it."""
    *above, last = keys
    for key in above:
        values = values.setdefault(key, {})
    values[last] = value
