"""The form that the WSDL gives a value: a text, a struct, or a collection in one of five manners."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from zeep import xsd
from zeep.xsd.elements import Element

from app.providers.efidem.binding.leaves import CannotBind, Leaf, Single
from app.providers.manual import FileContent

NAME: Final = "NOM"  # of a file, as our tables call it
CONTENT: Final = "CONTENU"


class Manner(StrEnum):
    """How a collection is declared."""

    REPEATED = "repeated"  # the element itself
    WRAPPED = "wrapped"  # a struct with one repeated element
    GROUPED = "grouped"  # a struct whose group is repeated
    ENCODED = "encoded"  # an array of SOAP's own encoding
    SINGLE = "single"  # no collection: it holds one at most


@dataclass(frozen=True, slots=True)
class Family:
    """Numbered elements, such as VARIABLE1 to VARIABLE5, as one value."""

    named: str
    keys: Sequence[tuple[str, ...]]
    items: Sequence["Form"]

    def spread(self, given: object) -> dict[tuple[str, ...], Any]:
        """Return each value by its place, the first given first."""
        several = tuple(given.values()) if isinstance(given, Mapping) else given
        assert isinstance(several, tuple | list)
        if len(several) > len(self.keys):
            why = f"the WSDL takes {len(self.keys)} of {self.named}, not {len(several)}"
            raise CannotBind(why, self.named)
        return {
            key: form.carried(one)
            for key, form, one in zip(self.keys, self.items, several, strict=False)
        }


@dataclass(frozen=True, slots=True)
class Struct:
    """An object, field by field."""

    element: Element
    fields: Mapping[str, tuple[str, "Form"]]  # documented name -> key and form
    families: Mapping[str, "Family"]
    fixed: Mapping[str, Any]  # key -> what is sent where nothing is given

    def carried(self, given: object) -> Any:  # noqa: ANN401 -- zeep's values
        """Return an object's values by the WSDL's names."""
        values = dict(self.fixed)
        if isinstance(given, FileContent):
            given = {NAME: given.name, CONTENT: given.content}
        assert isinstance(given, Mapping)
        for documented, (key, form) in self.fields.items():
            if (one := given.get(documented)) is not None:
                values[key] = form.carried(one)
        for documented, family in self.families.items():
            if (one := given.get(documented)) is not None:
                values |= {keys[-1]: text for keys, text in family.spread(one).items()}
        # A plain dict inside a SOAP array would lose its own arrays.
        return self.element.type(**values)


@dataclass(frozen=True, slots=True)
class Lone:
    """A single value in a struct that holds nothing else."""

    element: Element
    key: str
    inside: Leaf

    def carried(self, given: Single) -> Any:  # noqa: ANN401 -- zeep's values
        """Return the struct."""
        return self.element.type(**{self.key: self.inside.carried(given)})


@dataclass(frozen=True, slots=True)
class Around:
    """An object of which the document gives one field only, such as a recipient's address."""

    field: str  # documented name
    inside: Struct

    def carried(self, given: Single) -> Any:  # noqa: ANN401 -- zeep's values
        """Return the object."""
        return self.inside.carried({self.field: given})


@dataclass(frozen=True, slots=True)
class Instead:
    """A single value where the document has an object: the object's one field that the WSDL takes."""

    field: str  # documented name
    inside: Leaf

    def carried(self, given: Mapping[str, Any]) -> Any:  # noqa: ANN401 -- zeep's values
        """Return that field."""
        return self.inside.carried(given[self.field])


@dataclass(frozen=True, slots=True)
class Many:
    """A collection."""

    named: str
    manner: Manner
    element: Element
    key: str  # of what is repeated inside a wrapper
    item: "Form"

    def carried(self, given: object) -> Any:  # noqa: ANN401 -- zeep's values
        """Return the items as the WSDL wants them collected."""
        several = given if isinstance(given, tuple | list) else (given,)
        items = [self.item.carried(one) for one in several]
        match self.manner:
            case Manner.REPEATED:
                return items
            case Manner.WRAPPED:
                return self.element.type(**{self.key: items})
            case Manner.GROUPED:
                return self.element.type(_value_1=[{self.key: one} for one in items])
            case Manner.ENCODED:
                return self.element.type(items) if items else xsd.Nil
            case Manner.SINGLE:
                if len(items) > 1:
                    why = f"the WSDL takes one {self.named} only, not {len(items)}"
                    raise CannotBind(why, self.named)
                return items[0] if items else None


Form = Leaf | Lone | Struct | Around | Instead | Many
