"""Open the structs that only hold parameters together, such as `request` or `parameters`."""

from collections.abc import Iterable
from typing import Final

from app.providers.efidem.binding.elements import Slot, is_struct
from app.providers.efidem.binding.matching import spelled
from app.providers.efidem.binding.names import normalised
from app.providers.manual import Function

_DEEPEST: Final = 2
_HOLDERS: Final = frozenset(
    ("request", "requete", "req", "parameters", "parametres", "params", "param", "input", "body",
     "arg0", "in", "data", "donnees", "message", "demande", "arguments", "args")
)  # fmt: skip


def opened(
    top: list[Slot], function: Function, trio: Iterable[Slot], notes: list[str]
) -> list[Slot]:
    """Return the elements in which parameters are looked for: at the top, and in opened structs."""
    credentials = list(trio)
    slots = list(top)
    for _ in range(_DEEPEST):
        for one in [one for one in slots if is_struct(one.element)]:
            if any(spelled(parameter, [one]) for parameter in function.parameters):
                continue  # a documented object
            beside = [
                other
                for other in slots
                if other != one and not any(_holds(other, part) for part in credentials)
            ]
            surely = _surely_opened(one, beside, credentials)
            if not surely and not _has_what_is_missing(one, beside, function):
                continue
            if not surely:
                notes.append(f"parameters were looked for in {one.shown}: to confirm")
            where = slots.index(one)
            slots[where : where + 1] = one.inside()
    return slots


def _surely_opened(slot: Slot, beside: list[Slot], credentials: list[Slot]) -> bool:
    """Say whether a struct is named like none, holds the credentials, or is all that there is."""
    return (
        normalised(slot.name) in _HOLDERS
        or any(_holds(slot, part) for part in credentials)
        or not beside
    )


def _has_what_is_missing(slot: Slot, beside: list[Slot], function: Function) -> bool:
    missing = [one for one in function.parameters if one.required and not spelled(one, beside)]
    inside = slot.inside()
    return bool(missing) and all(spelled(one, inside) for one in missing)


def _holds(slot: Slot, part: Slot) -> bool:
    """Say whether an element is another, or holds it."""
    return part.keys[: len(slot.keys)] == slot.keys
