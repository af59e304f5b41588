"""What an operator pins because no WSDL says it: which name is which, and values for the unknown.

In the file that MULTICANAL_EFIDEM_BINDINGS names, per documented function:

    [functions.ENVOYER_EMAIL]
    operation = "EnvoyerMail"

    [functions.ENVOYER_EMAIL.parameters]    # documented name = the WSDL's name, or its path
    SUJET = "Titre_du_message"

    [functions.ENVOYER_EMAIL.constants]     # an element that the document does not know = its value
    Langue = "FR"

A field of a documented object is written "Adresse_postale.PAYS". Where dates are texts, their format
stands at the top: date_format = "%d/%m/%Y".
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from pydantic import BaseModel, ConfigDict

from app.providers.efidem.functions import FUNCTIONS, TRIO
from app.providers.manual import Function, Parameter


class FunctionPins(BaseModel):
    """What is pinned for one function."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    operation: str | None = None
    parameters: dict[str, str] = {}
    constants: dict[str, str] = {}


NOTHING: Final = FunctionPins()
DATES: Final = "%Y-%m-%d"  # no document says it


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """All that is pinned for the binding."""

    functions: Mapping[str, FunctionPins] = field(default_factory=dict)  # by documented name
    date_format: str = DATES  # of dates that the WSDL declares as texts


def wrong_names(
    pins: Mapping[str, FunctionPins], functions: Iterable[Function] = FUNCTIONS
) -> list[str]:
    """Return the places that name what the document does not know."""
    known = {one.name: one for one in functions}
    wrong = [f"functions.{name}" for name in pins if name not in known]
    for name, pinned in pins.items():
        if name in known:
            parameters = {
                full for one in (*TRIO, *known[name].parameters) for full in _names(one, "")
            }
            wrong += [
                f"functions.{name}.parameters.{one}"
                for one in pinned.parameters
                if one not in parameters
            ]
    return wrong


def _names(parameter: Parameter, above: str) -> Iterator[str]:
    yield above + parameter.name
    for one in parameter.fields:
        yield from _names(one, f"{above}{parameter.name}.")
