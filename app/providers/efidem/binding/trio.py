"""Find where a request carries the credentials: the group that holds all three together.

They are taken out before parameters are looked for: AJOUTER_UTILISATEUR has a MOT_DE_PASSE of its
own, and the two must never be exchanged.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from app.providers.efidem.binding.elements import Slot, is_struct, simple
from app.providers.efidem.binding.matching import at, spelled
from app.providers.efidem.functions import TRIO

_DEEPEST: Final = 2  # structs inside one another


@dataclass(frozen=True, slots=True)
class Trio:
    """The three elements, by their documented names."""

    slots: Mapping[str, Slot]
    place: str | None = None  # None: not together anywhere
    wrong: Sequence[str] = field(default_factory=tuple)
    notes: Sequence[str] = field(default_factory=tuple)


def find(body: list[Slot], headers: list[Slot], pinned: Mapping[str, str]) -> Trio:
    """Return the trio: in a header, else in the deepest struct, else at the top."""
    groups = [
        *(block.inside() for block in headers if is_struct(block.element)),
        headers,
        *_structs(body, _DEEPEST),
        body,
    ]
    if any(one.name in pinned for one in TRIO):
        return _pinned([slot for group in groups for slot in group], pinned)
    for group in groups:
        taken = {one.name: alike for one in TRIO if (alike := _alike(one.name, group))}
        if len(taken) == len(TRIO):
            return _together({name: alike[0] for name, alike in taken.items()}, taken)
    partly = {one.name: alike[0] for one in TRIO if (alike := _alike(one.name, body))}
    missing = [f"the WSDL has no parameter {one.name}" for one in TRIO if one.name not in partly]
    return Trio(partly, None, missing or ("the WSDL does not hold the credentials together",))


def _together(slots: Mapping[str, Slot], alike: Mapping[str, list[Slot]]) -> Trio:
    first = next(iter(slots.values()))
    place = first.shown.rpartition("/")[0] or "top level"
    twice = [
        f"{name} stands twice beside the credentials: the first was taken to be theirs"
        for name, several in alike.items()
        if len(several) > 1
    ]
    return Trio(slots, place, notes=twice)


def _pinned(slots: list[Slot], pinned: Mapping[str, str]) -> Trio:
    unique = list({slot.keys: slot for slot in slots}.values())
    names = {one.name: pinned.get(one.name, one.name) for one in TRIO}
    found = {name: slot for name, where in names.items() if (slot := at(unique, where))}
    wrong = [
        f"the WSDL has no single element {where} for {name}"
        for name, where in names.items()
        if name not in found
    ]
    return Trio(found, "pinned", wrong)


def _alike(name: str, group: list[Slot]) -> list[Slot]:
    (documented,) = [one for one in TRIO if one.name == name]
    alike = spelled(documented, [one for one in group if simple(one.element)])
    return [one for one in alike if not one.element.accepts_multiple]


def _structs(slots: list[Slot], depth: int) -> list[list[Slot]]:
    """Return the contents of nested structs, the deepest first."""
    inside = [one.inside() for one in slots if is_struct(one.element)]
    if depth == 0:
        return []
    deeper = [group for slots_inside in inside for group in _structs(slots_inside, depth - 1)]
    return deeper + inside
