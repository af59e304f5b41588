"""RAPPORT: what was accepted between two days, as a CSV file for a French spreadsheet."""

import csv
import io
from collections.abc import Iterator

from app.providers.efidem.simulator.call import Call
from app.providers.efidem.simulator.days import day_of, paris
from app.providers.efidem.simulator.following import status_of
from app.providers.efidem.simulator.ledger import Submission
from app.providers.efidem.simulator.sending import SENDING_BY_FUNCTION
from app.providers.efidem.simulator.simulation import Simulation
from app.providers.efidem.simulator.statuses import FOLLOWINGS

# The document tells nothing of the file but that it is CSV.
COLUMNS = (
    *("date", "heure", "type", "destinataire"),
    *("reference", "code_facturation", "messageid", "statut"),
)
ENCODING = "iso-8859-1"

_FOLLOWING_BY_SENDER = {
    sender: following for following in reversed(FOLLOWINGS) for sender in following.sent_by
}


def report(call: Call, simulation: Simulation) -> bytes:
    """Return the file; both days belong to it."""
    written = io.StringIO()
    writer = csv.writer(written, delimiter=";", lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows(_row(one, simulation) for one in _between(call, simulation))
    return written.getvalue().encode(ENCODING, errors="replace")


def _between(call: Call, simulation: Simulation) -> Iterator[Submission]:
    first, last = (day_of(call.text(parameter)) for parameter in ("DATE_DEBUT", "DATE_FIN"))
    if first is None or last is None:  # answered with a code before
        return
    known = simulation.now() - simulation.report_lag
    for submission in simulation.ledger:
        if submission.at <= known and first <= paris(submission.at).date() <= last:
            yield submission


def _row(submission: Submission, simulation: Simulation) -> tuple[str, ...]:
    moment = paris(submission.at)
    following = _FOLLOWING_BY_SENDER[submission.function]
    return (
        f"{moment:%d/%m/%Y}",
        f"{moment:%H:%M:%S}",
        SENDING_BY_FUNCTION[submission.function].medium,
        submission.recipient,
        submission.reference or "",
        submission.billing_code or "",
        submission.id,
        status_of(following, submission, simulation).status.words,
    )
