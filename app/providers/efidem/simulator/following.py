"""STATUT_EMAIL, STATUT_SMS, STATUT_COMPLET_SMS and COURRIER_STATUT: where a message is."""

from collections.abc import Mapping
from typing import NamedTuple

from app.providers.efidem.simulator.call import Call
from app.providers.efidem.simulator.codes import first_code
from app.providers.efidem.simulator.ledger import Submission
from app.providers.efidem.simulator.sending import SENDING_BY_FUNCTION
from app.providers.efidem.simulator.simulation import Reply, Simulation
from app.providers.efidem.simulator.statuses import Following, Status, last_step, paris_time


class _Found(NamedTuple):
    status: Status
    at: float | None = None


async def follow(following: Following, call: Call, simulation: Simulation) -> Reply:
    """Answer the status of a message that `following`'s sending function accepted."""
    if refusal := first_code(following.codes, call):
        found = _Found(Status(refusal.code, refusal.words))
    else:
        submission = simulation.ledger.find(call.text("MESSAGEID"))
        found = _status(following, submission, simulation)
    if following.answers_object:
        return _object(found, call.text("MESSAGEID"))
    return found.status.code


def _status(following: Following, submission: Submission | None, simulation: Simulation) -> _Found:
    if submission is None or submission.function != following.sent_by:
        return _Found(following.unknown)
    fixed = simulation.outcomes.of(submission.recipient).status
    if fixed is not None:
        return _Found(Status(fixed, _words(following, fixed)), simulation.now())
    behaviour = SENDING_BY_FUNCTION[submission.function].behaviour(submission.recipient)
    step = last_step(behaviour, simulation.now() - submission.at, simulation.pace)
    if step is None:
        return _Found(following.no_status)
    reached = submission.at + step.after * simulation.pace
    return _Found(following.stages[step.stage], reached)


def _words(following: Following, code: str) -> str:
    return next((status.words for status in following.stages.values() if status.code == code), "")


def _object(found: _Found, message_id: str) -> Mapping[str, str]:
    """Write STATUT_SMS or STATUTS (chapter "Objets"), in the schema's order."""
    date = {} if found.at is None else {"DATE_STATUT": paris_time(found.at)}
    return {
        "CODE_STATUT": found.status.code,
        **date,
        "DESCRIPTION_STATUT": found.status.words,
        "MESSAGEID": message_id,
    }
