"""The functions of chapter "Fonctions annexes" that only look at something."""

from collections.abc import Callable
from dataclasses import dataclass

from app.providers.efidem.simulator import codes
from app.providers.efidem.simulator.call import Call
from app.providers.efidem.simulator.esmtp import description_of
from app.providers.efidem.simulator.recipients import clean_number
from app.providers.efidem.simulator.report import report
from app.providers.efidem.simulator.simulation import Reply, Simulation


@dataclass(frozen=True, slots=True)
class Tool:
    """One such function, and what it answers when none of its codes applies."""

    function: str
    codes: tuple[codes.Code, ...]
    answer: Callable[[Call, Simulation], str | bytes]


def _submitted(call: Call, simulation: Simulation) -> str:
    return str(simulation.ledger.submitted(call.text("CODE_FACTURATION")))


def _valid(_call: Call, _simulation: Simulation) -> str:
    return "1"  # the document tells only what an invalid address gives


def _transformed(call: Call, _simulation: Simulation) -> str:
    return clean_number(call.text("NUMERO"))


def _described(call: Call, _simulation: Simulation) -> str:
    return description_of(call.text("CODE_ESMTP")) or "-99"


TOOLS = (
    Tool("RAPPORT", codes.RAPPORT, report),
    Tool("COMPTE_SOUMIS_CODE_FACTURATION", codes.COMPTE_SOUMIS_CODE_FACTURATION, _submitted),
    Tool("VERIFIER_ADRESSE_EMAIL", codes.VERIFIER_ADRESSE_EMAIL, _valid),
    Tool("OBTENIR_CODE_ESMTP", codes.OBTENIR_CODE_ESMTP, _described),
    Tool("TRANSFORMER_NUMERO", codes.TRANSFORMER_NUMERO, _transformed),
)


async def use(tool: Tool, call: Call, simulation: Simulation) -> Reply:
    """Answer what `tool` finds, or the code that applies."""
    refusal = codes.first_code(tool.codes, call)
    return tool.answer(call, simulation) if refusal is None else refusal.code
