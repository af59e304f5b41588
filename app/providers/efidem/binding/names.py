"""Which name of a WSDL is which name of the document."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from app.providers.efidem.pins import FunctionPins
from app.providers.manual import Function

_LONG: Final = 8  # letters from which one edit is still the same name
_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


class Found(StrEnum):
    """How an operation was found."""

    PINNED = "pinned"
    EXACT = "exact"
    OTHER_SPELLING = "other spelling"
    REORDERED = "reordered"
    ONE_EDIT = "one edit"
    NOT_FOUND = "not found"


GUESSED: Final = frozenset({Found.REORDERED, Found.ONE_EDIT})


@dataclass(frozen=True, slots=True)
class Named:
    """The operation that a function is, or why there is none."""

    operation: str | None
    found: Found
    why: str = ""


def normalised(name: str) -> str:
    """Return a name without case, accents and punctuation."""
    return "".join(letter for letter in _plain(name).casefold() if letter.isalnum())


def words(name: str) -> tuple[str, ...]:
    """Return a name's words in alphabetical order: ENVOYER_SMS and SmsEnvoyer have the same."""
    return tuple(sorted(word.casefold() for word in _WORD.findall(_plain(name))))


def one_edit_apart(left: str, right: str) -> bool:
    """Say whether one letter more, less, other or exchanged with the next makes the same name."""
    if left == right or abs(len(left) - len(right)) > 1:
        return False
    if _digits(left) != _digits(right):
        return False  # a number tells versions apart
    at = next((i for i, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), -1)
    if at < 0:
        return True
    one, two = left[at:], right[at:]
    exchanged = one[:2] == two[:2][::-1] and one[2:] == two[2:]
    return exchanged or one[1:] == two[1:] or one[1:] == two or one == two[1:]


def operations_of(
    offered: Iterable[str], functions: Iterable[Function], pins: Mapping[str, FunctionPins]
) -> dict[str, Named]:
    """Return which offered operation each function is: what is certain first, no operation twice."""
    free = list(offered)
    named: dict[str, Named] = {}
    waiting = list(functions)
    for one in list(waiting):
        pinned = pins[one.name].operation if one.name in pins else None
        if pinned is not None:
            named[one.name] = _pinned(pinned, free)
            waiting.remove(one)
    # An operation that is pinned, or a function's by name, is nobody else's by likeness.
    free = [one for one in free if one not in {found.operation for found in named.values()}]
    for one in list(waiting):
        if (certain := _by_name(one, free)).operation is not None:
            named[one.name] = certain
            waiting.remove(one)
    free = [one for one in free if one not in {found.operation for found in named.values()}]
    for found, alike in ((Found.REORDERED, _reordered), (Found.ONE_EDIT, _one_edit)):
        likely = {one.name: [name for name in free if alike(one, name)] for one in waiting}
        for one in list(waiting):
            if likely[one.name]:
                named[one.name] = _only(found, one.name, likely)
                waiting.remove(one)
    return named | {
        one.name: Named(None, Found.NOT_FOUND, "the WSDL has no such operation") for one in waiting
    }


def _plain(name: str) -> str:
    decomposed = unicodedata.normalize("NFKD", name)
    return "".join(letter for letter in decomposed if letter.isascii())


def _pinned(pinned: str, offered: Iterable[str]) -> Named:
    if pinned in offered:
        return Named(pinned, Found.PINNED)
    return Named(None, Found.PINNED, f"the WSDL has no operation {pinned}, which is pinned")


def _by_name(function: Function, offered: list[str]) -> Named:
    for spelling in (function.name, *function.spellings):
        alike = [one for one in offered if normalised(one) == normalised(spelling)]
        # Case alone may tell two operations apart.
        if len(alike) == 1 or spelling in alike:
            operation = spelling if spelling in alike else alike[0]
            exact = normalised(operation) == normalised(function.name)
            return Named(operation, Found.EXACT if exact else Found.OTHER_SPELLING)
    return Named(None, Found.NOT_FOUND)


def _reordered(function: Function, offered: str) -> bool:
    return any(words(one) == words(offered) for one in (function.name, *function.spellings))


def _one_edit(function: Function, offered: str) -> bool:
    name = normalised(offered)
    return any(
        min(len(name), len(spelling)) >= _LONG and one_edit_apart(spelling, name)
        for spelling in map(normalised, (function.name, *function.spellings))
    )


def _digits(name: str) -> str:
    return "".join(one for one in name if one.isdigit())


def _only(found: Found, function: str, likely: Mapping[str, list[str]]) -> Named:
    mine = likely[function]
    if len(mine) == 1 and [one for one, names in likely.items() if mine[0] in names] == [function]:
        return Named(mine[0], found)
    names = ", ".join(mine)
    why = f"the WSDL has no such operation, and {names} could be it or another's: pin one"
    return Named(None, Found.NOT_FOUND, why)
