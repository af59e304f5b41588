"""A message is accepted, or answered with a code, as its recipients ask."""

import asyncio
import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence

from app.providers.efidem.simulator.behaviours import Behaviour
from app.providers.efidem.simulator.call import Call, File
from app.providers.efidem.simulator.codes import first_code
from app.providers.efidem.simulator.ledger import Accepted
from app.providers.efidem.simulator.sending import Sending
from app.providers.efidem.simulator.simulation import Reply, Silence, Simulation

SLOW_ANSWER = 30.0  # seconds
_BOOLEANS = {"1": "true", "0": "false"}  # XML Schema has two ways to write each


async def send(sending: Sending, call: Call, simulation: Simulation) -> Reply:
    """Accept the message of `call` for all its recipients, or refuse it for all."""
    if refusal := first_code(sending.codes, call):
        return refusal.code
    accepted = list(_accepted(sending, call))
    outcomes = [simulation.outcomes.of(one.recipient) for one in accepted]
    for outcome in outcomes:
        if outcome.answer is not None:
            if outcome.accepted:
                simulation.ledger.append(accepted, simulation.now())
            return outcome.answer
    behaviours = {sending.behaviour(one.recipient) for one in accepted}
    return await _behave(behaviours, sending, accepted, simulation)


async def _behave(
    behaviours: Collection[Behaviour],
    sending: Sending,
    accepted: Sequence[Accepted],
    simulation: Simulation,
) -> Reply:
    if Behaviour.REJECTED in behaviours:
        return sending.rejection
    if Behaviour.NOT_SENT in behaviours:
        return Silence.CONNECTION_CUT
    message_id = simulation.ledger.append(accepted, simulation.now())
    if Behaviour.LOST in behaviours:
        return Silence.CONNECTION_CUT
    if Behaviour.SLOW in behaviours:
        await asyncio.sleep(SLOW_ANSWER * simulation.pace)
    return message_id


def _accepted(sending: Sending, call: Call) -> Iterator[Accepted]:
    files = call.files(sending.files) if sending.files else ()
    content = _content_hash(sending, call, files)
    for recipient, place in _recipients(sending, call):
        yield Accepted(
            function=sending.function,
            recipient=sending.cleaned(recipient.text(sending.recipient)),
            reference=_given(recipient, sending.reference) or _given(call, sending.reference),
            billing_code=_given(call, sending.billing_code),
            subject=_given(call, sending.subject),
            content_sha256=content,
            files=files,
            details={**_details(sending, call), **_details(sending, recipient), **place},
        )


def _recipients(sending: Sending, call: Call) -> Iterator[tuple[Call, Mapping[str, str]]]:
    """Return each recipient, with the array that it stood in where there are several."""
    if not sending.arrays:
        yield call, {}
    for array in sending.arrays:
        place = {"array": array} if len(sending.arrays) > 1 else {}
        for recipient in call.recipients(array):
            yield recipient, place


def _details(sending: Sending, call: Call) -> Mapping[str, str]:
    found = {path.rpartition("/")[2]: call.text(path) for path in sending.details}
    booleans = {"OUVERTURE", "CLICS", "Couleur"}
    return {
        name: _BOOLEANS.get(text, text) if name in booleans else text
        for name, text in found.items()
        if text
    }


def _given(call: Call, parameter: str | None) -> str | None:
    return (call.text(parameter) or None) if parameter else None


def _content_hash(sending: Sending, call: Call, files: tuple[File, ...]) -> str:
    """Hash the texts, then each file's hash, a NUL between them; of an SMS just its text."""
    parts = [*(call.exact(name) for name in sending.content), *(file.sha256 for file in files)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
