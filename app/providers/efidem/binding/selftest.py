"""Prove a bound function before it is used: each value arrives once, and none is lost on the way."""

import base64
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from lxml import etree
from zeep import xsd

from app.providers.efidem.binding.bound import Bound, Place
from app.providers.efidem.binding.forms import (
    CONTENT,
    Around,
    Family,
    Form,
    Instead,
    Lone,
    Manner,
    Many,
    Struct,
)
from app.providers.efidem.binding.leaves import CannotBind, Leaf
from app.providers.efidem.functions import TRIO

Render = Callable[[Bound, Mapping[str, Any]], bytes]
_SOME_DAY = date(2001, 2, 3)


def proven(bound: Bound, render: Render) -> Bound:
    """Return a function as it is, or blocked where its request does not hold what it should."""
    if bound.blocked:
        return bound
    marks = Marks()
    credentials = {one.name: marks.text(bound.credentials[one.name].form) for one in TRIO}
    given = {one.parameter.name: marks.value(one) for one in bound.places}
    least = {
        one.parameter.name: given[one.parameter.name]
        for one in bound.places
        if one.parameter.required
    }
    try:
        wrong = marks.not_once(render(bound, bound.filled(given, credentials)))
        render(bound, bound.filled(least, credentials))
    except CannotBind as fault:
        wrong = [fault.why]
    except (ValueError, TypeError, LookupError, AttributeError) as fault:
        # What zeep raises for values that its own types do not take.
        wrong = [f"its request cannot be rendered: {type(fault).__name__}"]
    return replace(bound, blocked=wrong) if wrong else bound


@dataclass(slots=True)
class Marks:
    """Values that occur nowhere else, and what each stands for."""

    expected: dict[str, str] = field(default_factory=dict)

    def value(self, place: Place) -> Any:  # noqa: ANN401 -- as a function's parameter gives it
        """Return a value for a parameter."""
        form = place.form
        if isinstance(form, Family):
            return tuple(self.text(one) for one in form.items if isinstance(one, Leaf))
        return self._for(form)

    def text(self, leaf: Leaf) -> str:
        """Return a text that an element can hold; what cannot be unmistakable is not looked for."""
        if leaf.allowed:
            return leaf.allowed[0]
        kind = leaf.element.type
        number = str(71 + len(self.expected))
        if isinstance(kind, xsd.Decimal):
            return self._kept(number, leaf)
        if isinstance(kind, xsd.Boolean | xsd.Date | xsd.DateTime):
            return str(_SOME_DAY)
        mark = f"mark-{number}-é&<"
        if isinstance(kind, xsd.Base64Binary):
            self._kept(base64.b64encode(mark.encode()).decode(), leaf)
            return mark
        return self._kept(mark, leaf)

    def not_once(self, envelope: bytes) -> list[str]:
        """Return what an envelope lacks, or holds more than once."""
        texts = Counter(one.text for one in etree.fromstring(envelope).iter() if one.text)
        return [
            f"its value for {named} would arrive {texts[mark]} times"
            for mark, named in self.expected.items()
            if texts[mark] != 1
        ]

    def _for(self, form: Form) -> Any:  # noqa: ANN401
        match form:
            case Leaf():
                return self.text(form)
            case Lone(inside=inside):
                return self.text(inside)
            case Struct():
                return self._struct(form)
            case Around(field=field, inside=inside):
                return self._for(inside.fields[field][1])
            case Instead(field=field, inside=inside):
                return {field: self.text(inside)}
            case Many(manner=Manner.SINGLE, item=item):
                return (self._for(item),)
            case Many(item=item):
                return (self._for(item), self._for(item))

    def _struct(self, form: Struct) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for documented, (_, inside) in form.fields.items():
            if documented == CONTENT and isinstance(inside, Leaf):
                content = f"content-{71 + len(self.expected)}".encode()
                self._kept(base64.b64encode(content).decode(), inside)
                values[documented] = content
            else:
                values[documented] = self._for(inside)
        for documented, family in form.families.items():
            values[documented] = tuple(
                self.text(one) for one in family.items if isinstance(one, Leaf)
            )
        return values

    def _kept(self, mark: str, leaf: Leaf) -> str:
        self.expected[mark] = leaf.named
        return mark
