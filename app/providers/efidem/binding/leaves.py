"""How a single value is written, by the type that the WSDL gives its element."""

import base64
import re
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Final

from zeep import xsd
from zeep.xsd.elements import Element

from app.providers.efidem.binding.names import normalised, words

# zeep's types by their parents: the narrower first.
_BITS: Final = ((xsd.Byte, 7), (xsd.Short, 15), (xsd.Int, 31), (xsd.Long, 63))
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
_YES_OR_NO: Final = {
    True: ("true", "oui", "yes", "vrai", "1", "o", "y"),
    False: ("false", "non", "no", "faux", "0", "n"),
}

Single = str | bytes | bool | date


class CannotBind(Exception):
    """The WSDL cannot be had or read, or cannot carry a call; `why` says so, without secrets."""

    def __init__(self, why: str, of: str | None = None) -> None:
        self.why = why
        self.of = of  # the documented name of the parameter that is at fault
        super().__init__(why)


@dataclass(frozen=True, slots=True)
class Leaf:
    """One value at one element."""

    named: str  # as the document and the report name it
    element: Element
    allowed: tuple[str, ...]  # an enumeration's values
    date_format: str

    def carried(self, given: Single) -> str | bytes | bool | date:
        """Return what zeep renders for a value; raises CannotBind for what the type cannot hold."""
        kind = self.element.type
        if self.allowed:
            return self._chosen(given)
        match given:
            case bytes():
                # zeep encodes bytes for base64Binary only; a string takes the text ready made.
                is_binary = isinstance(kind, xsd.Base64Binary)
                return given if is_binary else base64.b64encode(given).decode()
            case bool():
                return _truth(kind, given)
            case date():
                return _dated(kind, given, self.date_format)
            case str():
                return self._text(given)

    @property
    def takes_any_text(self) -> bool:
        """Whether `carried` refuses no text; it refuses nothing else either, then."""
        return not self.allowed and not isinstance(self.element.type, xsd.Integer)

    @property
    def changes_no_text(self) -> bool:
        """Whether `carried` returns every text as it is."""
        kinds = (xsd.Base64Binary, xsd.DateTime, xsd.Integer)
        return not self.allowed and not isinstance(self.element.type, kinds)

    def choice(self, value: str) -> str | None:
        """Return the one allowed value that is or contains a documented one."""
        wanted = normalised(value)
        for alike in (
            [one for one in self.allowed if one == value],
            [one for one in self.allowed if normalised(one) == wanted],
            [one for one in self.allowed if value.casefold() in words(one)],
            [one for one in self.allowed if wanted and wanted in normalised(one)],
        ):
            if len(alike) == 1:
                return alike[0]
        return None

    def _chosen(self, given: Single) -> str:
        values = _YES_OR_NO[given] if isinstance(given, bool) else (str(given),)
        for value in values:
            if (chosen := self.choice(value)) is not None:
                return chosen
        raise CannotBind(f"{self.named} takes one of {', '.join(self.allowed)}", self.named)

    def _text(self, given: str) -> str | bytes:
        kind = self.element.type
        if isinstance(kind, xsd.Base64Binary):
            return given.encode()
        if isinstance(kind, xsd.DateTime) and _DAY.fullmatch(given):
            return f"{given}T00:00:00"
        if isinstance(kind, xsd.Integer) and not _fits(kind, given):
            why = f"{self.named} cannot be carried: the WSDL's type is a number"
            raise CannotBind(why, self.named)
        return given


def _fits(kind: xsd.Integer, given: str) -> bool:
    if not re.fullmatch(r"[+-]?[0-9]{1,30}", given):
        return False
    bits = next((bits for one, bits in _BITS if isinstance(kind, one)), 128)
    return -(1 << bits) <= int(given) < 1 << bits


def _truth(kind: xsd.AnyType, given: bool) -> str | bool:
    if isinstance(kind, xsd.Boolean):
        return given
    if isinstance(kind, xsd.Decimal):
        return str(int(given))
    return str(given).lower()


def _dated(kind: xsd.AnyType, given: date, written: str) -> str | date:
    if isinstance(kind, xsd.DateTime):
        return given if isinstance(given, datetime) else datetime.combine(given, time())
    if isinstance(kind, xsd.Date):
        return given.date() if isinstance(given, datetime) else given
    return given.strftime(written)


def empty(leaf: Leaf) -> str | bytes | bool | None:
    """Return what stands for "no value" where an element may not be left out; None: nothing can."""
    kind = leaf.element.type
    if leaf.allowed:
        return "" if "" in leaf.allowed else None
    if isinstance(kind, xsd.Boolean):
        return False
    if isinstance(kind, xsd.Base64Binary):
        return b""
    # What no type is given for takes any text.
    return "" if isinstance(kind, xsd.String) or type(kind) in _UNTYPED else None


_UNTYPED: Final = frozenset({xsd.AnyType, xsd.AnySimpleType})
