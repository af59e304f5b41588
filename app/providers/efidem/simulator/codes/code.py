"""What a function's list of codes is made of."""

from typing import NamedTuple

from app.providers.efidem.simulator.call import Call
from app.providers.efidem.simulator.conditions import Condition


class Code(NamedTuple):
    """One line of the document's table, and when the simulator answers it."""

    code: str
    words: str
    applies: Condition


def first_code(codes: tuple[Code, ...], call: Call) -> Code | None:
    """Return the first of `codes` that applies to `call`."""
    return next((code for code in codes if code.applies(call)), None)
