"""ENVOYER_EMAIL, ENVOYER_SMS and COURRIER_ENVOYER: a message is accepted, or answered with a code."""

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from app.providers.efidem.simulator import codes
from app.providers.efidem.simulator.behaviours import (
    Behaviour,
    for_email,
    for_number,
    for_postcode,
)
from app.providers.efidem.simulator.call import Call, File
from app.providers.efidem.simulator.ledger import Accepted
from app.providers.efidem.simulator.recipients import clean_number
from app.providers.efidem.simulator.simulation import Reply, Silence, Simulation

_SLOW_ANSWER = 30.0  # seconds


@dataclass(frozen=True, slots=True)
class Sending:
    """One sending function: its codes, and the names that the document gives its parameters."""

    function: str
    codes: tuple[codes.Code, ...]
    recipient: str
    cleaned: Callable[[str], str]
    behaviour: Callable[[str], Behaviour]
    rejection: str  # the code that a rejected recipient meets
    content: tuple[str, ...]
    billing_code: str
    reference: str | None = None
    subject: str | None = None
    files: str | None = None


SENDINGS = (
    Sending(
        function="ENVOYER_EMAIL",
        codes=codes.ENVOYER_EMAIL,
        recipient="DESTINATION",
        cleaned=str,
        behaviour=for_email,
        rejection="-9",
        content=("SUJET", "TEXTE", "HTML"),
        billing_code="CODE_FACTURATION",
        reference="REFCLIENT",
        subject="SUJET",
        files="LISTE_FICHIERS",
    ),
    Sending(
        function="ENVOYER_SMS",
        codes=codes.ENVOYER_SMS,
        recipient="DESTINATION",
        cleaned=clean_number,
        behaviour=for_number,
        rejection="-9",
        content=("TEXTE",),
        billing_code="CODE_FACTURATION",
    ),
    Sending(
        function="COURRIER_ENVOYER",
        codes=codes.COURRIER_ENVOYER,
        recipient="Adresse_postale/CODE_POSTAL",
        cleaned=str,
        behaviour=for_postcode,
        rejection="505",
        content=(),
        billing_code="Facturation",
        reference="Reference_client",
        subject="Sujet",
        files="Liste_Fichier",
    ),
)
SENDING_BY_FUNCTION = {sending.function: sending for sending in SENDINGS}


async def send(sending: Sending, call: Call, simulation: Simulation) -> Reply:
    """Accept the message of `call` or refuse it, as its recipient asks."""
    if refusal := codes.first_code(sending.codes, call):
        return refusal.code
    accepted = _accepted(sending, call)
    outcome = simulation.outcomes.of(accepted.recipient)
    if outcome.answer is not None:
        if outcome.accepted:
            simulation.ledger.append(accepted, simulation.now())
        return outcome.answer
    return await _behave(sending.behaviour(accepted.recipient), sending, accepted, simulation)


async def _behave(
    behaviour: Behaviour, sending: Sending, accepted: Accepted, simulation: Simulation
) -> Reply:
    if behaviour is Behaviour.REJECTED:
        return sending.rejection
    if behaviour is Behaviour.NOT_SENT:
        return Silence.CONNECTION_CUT
    submission = simulation.ledger.append(accepted, simulation.now())
    if behaviour is Behaviour.LOST:
        return Silence.CONNECTION_CUT
    if behaviour is Behaviour.SLOW:
        await asyncio.sleep(_SLOW_ANSWER * simulation.pace)
    return submission.id


def _accepted(sending: Sending, call: Call) -> Accepted:
    files = call.files(sending.files) if sending.files else ()
    return Accepted(
        function=sending.function,
        recipient=sending.cleaned(call.text(sending.recipient)),
        reference=_given(call, sending.reference),
        billing_code=_given(call, sending.billing_code),
        subject=_given(call, sending.subject),
        content_sha256=_content_hash(sending, call, files),
        files=files,
    )


def _given(call: Call, parameter: str | None) -> str | None:
    return (call.text(parameter) or None) if parameter else None


def _content_hash(sending: Sending, call: Call, files: tuple[File, ...]) -> str:
    """Hash the texts, then each file's hash, a NUL between them; of an SMS just its text."""
    parts = [*(call.exact(name) for name in sending.content), *(file.sha256 for file in files)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
