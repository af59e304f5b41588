"""What an operator pins because no WSDL says it: which name is which, and values for the unknown.

In the file that MULTICANAL_EFIDEM_BINDINGS names, per documented function:

    [functions.ENVOYER_EMAIL]
    operation = "EnvoyerMail"

    [functions.ENVOYER_EMAIL.parameters]    # documented name = the WSDL's name, or its path
    SUJET = "Titre_du_message"

    [functions.ENVOYER_EMAIL.constants]     # an element that the document does not know = its value
    Langue = "FR"

A field of a documented object is written "Adresse_postale.PAYS". The new password that
AJOUTER_UTILISATEUR takes is written MOT_DE_PASSE_2: MOT_DE_PASSE is the credentials'. Where dates are
texts, their format stands at the top: date_format = "%d/%m/%Y".
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

    def own(self, function: Function) -> dict[str, str]:
        """Return the pins of a function's own parameters by their names, without the credentials'."""
        others = {name: at for name, at in self.parameters.items() if name not in _TRIO}
        second = {
            one.name: others.pop(pin_name(one))
            for one in function.parameters
            if pin_name(one) != one.name and pin_name(one) in others
        }
        return others | second


NOTHING: Final = FunctionPins()
_TRIO: Final = frozenset(one.name for one in TRIO)
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
            } | {pin_name(one) for one in known[name].parameters}
            wrong += [
                f"functions.{name}.parameters.{one}"
                for one in pinned.parameters
                if one not in parameters
            ]
    return wrong


def pin_name(parameter: Parameter) -> str:
    """Return the name that a function's parameter is pinned by: no credential's."""
    return f"{parameter.name}_2" if parameter.name in _TRIO else parameter.name


def _names(parameter: Parameter, above: str) -> Iterator[str]:
    yield above + parameter.name
    for one in parameter.fields:
        yield from _names(one, f"{above}{parameter.name}.")
