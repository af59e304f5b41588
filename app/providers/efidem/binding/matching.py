"""Which element is which documented parameter, by name."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from app.providers.efidem.binding.elements import Slot, is_collection
from app.providers.efidem.binding.names import normalised
from app.providers.manual import Parameter, Shape

_SEVERAL: Final = frozenset({Shape.OBJECTS, Shape.TEXTS})
_CERTAIN: Final = 3  # letters from which a name inside another means something


@dataclass(slots=True)
class Claims:
    """What was found where, and what is left."""

    left: list[Slot]
    found: dict[str, Slot] = field(default_factory=dict)  # by documented name
    families: dict[str, list[Slot]] = field(default_factory=dict)  # VARIABLE1, VARIABLE2, ...
    notes: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def take(self, parameter: Parameter, slot: Slot) -> None:
        """Give an element to a parameter."""
        self.found[parameter.name] = slot
        self.left.remove(slot)


def claim(
    parameters: Sequence[Parameter],
    slots: Iterable[Slot],
    pinned: Mapping[str, str],
    above: str = "",
) -> Claims:
    """Find each parameter: pinned, else by its spellings, else as the only name that contains its."""
    claims = Claims(left=list(slots))
    for one in parameters:
        if (where := pinned.get(above + one.name)) is not None:
            _claim_pinned(claims, one, where)
    for one in parameters:
        if one.name not in claims.found and above + one.name not in pinned:
            _claim_spelled(claims, one)
    for one in parameters:
        if one.name not in claims.found and (family := _family(one, claims.left)):
            claims.families[one.name] = family
            claims.left = [slot for slot in claims.left if slot not in family]
    _claim_contained(claims, [one for one in parameters if above + one.name not in pinned])
    return claims


def at(slots: Iterable[Slot], where: str) -> Slot | None:
    """Return the element that an operator named, by its path or its name alone."""
    alike = [one for one in slots if where in {one.shown, one.keys[-1], one.name}]
    return alike[0] if len(alike) == 1 else None


def spelled(parameter: Parameter, slots: Iterable[Slot]) -> list[Slot]:
    """Return the elements with a documented name of a parameter: the best, and the highest, first."""
    candidates = sorted(slots, key=lambda slot: len(slot.keys))
    names = dict.fromkeys(normalised(one) for one in (parameter.name, *parameter.spellings))
    return [slot for name in names for slot in candidates if normalised(slot.name) == name]


def _claim_pinned(claims: Claims, parameter: Parameter, where: str) -> None:
    slot = at(claims.left, where)
    if slot is None:
        claims.wrong.append(
            f"the WSDL has no single element {where}, which is pinned for {parameter.name}"
        )
    else:
        claims.take(parameter, slot)


def _claim_spelled(claims: Claims, parameter: Parameter) -> None:
    alike = spelled(parameter, claims.left)
    if parameter.shape in _SEVERAL:
        # The document calls a campaign's array DESTINATION, and lists an address of that name.
        alike.sort(key=lambda slot: not is_collection(slot.element))
    if alike:
        claims.take(parameter, alike[0])
        twice = [one for one in alike[1:] if normalised(one.name) == normalised(alike[0].name)]
        if twice:
            claims.notes.append(
                f"{parameter.name} stands at {alike[0].shown} and {twice[0].shown}:"
                " the first was taken, to confirm"
            )


def _family(parameter: Parameter, left: list[Slot]) -> list[Slot]:
    """Return the numbered elements that a parameter such as VARIABLEX stands for, in order."""
    if not parameter.name.endswith("X"):
        return []
    stem = re.escape(normalised(parameter.name)[:-1])
    numbered = {
        int(found[1]): slot
        for slot in left
        if (found := re.fullmatch(rf"{stem}([0-9]{{1,3}})", normalised(slot.name)))
    }
    return [numbered[number] for number in sorted(numbered)]


def _claim_contained(claims: Claims, parameters: Sequence[Parameter]) -> None:
    """Take the only remaining element whose name contains that of a required parameter."""
    wanting = [one for one in parameters if one.required and one.name not in claims.found]
    likely = {
        one.name: [
            slot
            for slot in claims.left
            if len(one.name) >= _CERTAIN and normalised(one.name) in normalised(slot.name)
        ]
        for one in wanting
        if one.shape is not Shape.BOOLEAN
    }
    for one in wanting:
        mine = likely.get(one.name, [])
        if len(mine) == 1 and sum(mine[0] in slots for slots in likely.values()) == 1:
            claims.take(one, mine[0])
            claims.notes.append(f"{one.name} was taken to be {mine[0].shown}: to confirm")
