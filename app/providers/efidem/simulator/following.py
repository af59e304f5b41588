"""The status functions: where a message is, or one of its recipients."""

from collections.abc import Mapping
from typing import NamedTuple

from app.providers.efidem.simulator.call import Call
from app.providers.efidem.simulator.codes import first_code
from app.providers.efidem.simulator.days import paris
from app.providers.efidem.simulator.ledger import Submission
from app.providers.efidem.simulator.sending import SENDING_BY_FUNCTION
from app.providers.efidem.simulator.simulation import Reply, Simulation
from app.providers.efidem.simulator.statuses import Following, Status, last_step


class Found(NamedTuple):
    """A status, and the moment since which it holds."""

    status: Status
    at: float | None = None


async def follow(following: Following, call: Call, simulation: Simulation) -> Reply:
    """Answer the status of a message that `following`'s sending functions accepted."""
    if refusal := first_code(following.codes, call):
        found = Found(Status(refusal.code, refusal.words))
    else:
        found = status_of(following, _asked_for(following, call, simulation), simulation)
    if following.answers_object:
        return _object(found, call.text("MESSAGEID"))
    return found.status.code


def status_of(following: Following, submission: Submission | None, simulation: Simulation) -> Found:
    """Return what `following` says about `submission`."""
    if submission is None:
        return Found(following.unknown)
    fixed = simulation.outcomes.of(submission.recipient).status
    if fixed is not None:
        return Found(Status(fixed, _words(following, fixed)), simulation.now())
    behaviour = SENDING_BY_FUNCTION[submission.function].behaviour(submission.recipient)
    step = last_step(behaviour, simulation.now() - submission.at, simulation.pace)
    if step is None:
        return Found(following.no_status)
    reached = submission.at + step.after * simulation.pace
    return Found(following.stages[step.stage], reached)


def _asked_for(following: Following, call: Call, simulation: Simulation) -> Submission | None:
    """Return the message that `call` is about; of a campaign of SMS, its first recipient."""
    wanted = following.recipient and call.text(following.recipient)
    return next(
        (
            one
            for one in simulation.ledger.find(call.text("MESSAGEID"))
            if one.function in following.sent_by
            if following.recipient is None or following.is_recipient(one, wanted or "")
        ),
        None,
    )


def _words(following: Following, code: str) -> str:
    return next((status.words for status in following.stages.values() if status.code == code), "")


def _object(found: Found, message_id: str) -> Mapping[str, str]:
    """Write STATUT_SMS or STATUTS (chapter "Objets"), in the schema's order."""
    date = (
        {} if found.at is None else {"DATE_STATUT": paris(found.at).isoformat(timespec="seconds")}
    )
    return {
        "CODE_STATUT": found.status.code,
        **date,
        "DESCRIPTION_STATUT": found.status.words,
        "MESSAGEID": message_id,
    }
