"""What Efidem's status codes mean: no table of ours, for its document lists none.

An operator writes the map, per function, in the file that MULTICANAL_EFIDEM_BINDINGS names:

    [statuses.STATUT_EMAIL]
    "30" = { status = "delivered", label = "Délivré" }
    "41" = { status = "failed", type = "permanent", reason = "invalid_recipient" }

A code that the map lacks leaves the status as it is and is kept raw: nothing is guessed. The file
is read again when it changed; what is pinned about the WSDL is taken at the next start.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from app.domain.outcome import Failure, Report
from app.domain.status import Status
from app.domain.withheld import withheld
from app.providers.efidem.meanings import AnswerRow, Reason, completed, wrong_meanings
from app.providers.efidem.pins import DATES, FunctionPins, Pinned, wrong_names
from app.providers.efidem.report_columns import ReportFormat
from app.providers.manual import Function
from app.providers.operator_file import OperatorFile, read_toml

SIMULATOR_SERVICE: Final = "EfidemSimulator"  # the service's name in our own simulator's WSDL
SIMULATOR: Final = Path(__file__).with_name("simulator.toml")
_RETRYABLE: Final = "temporary"


class StatusRow(BaseModel):
    """What one code means."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    status: Literal["submitted", "sent", "delivered", "failed", "returned"]
    label: str | None = None
    type: Literal["permanent", "temporary", "technical", "unknown"] = "unknown"
    reason: Reason = "unmapped"


class Bindings(BaseModel):
    """What an operator writes down because no document says it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    statuses: dict[str, dict[str, StatusRow]] = {}
    answers: dict[str, dict[str, AnswerRow]] = {}
    functions: dict[str, FunctionPins] = {}
    date_format: str = DATES
    report: ReportFormat | None = None

    @property
    def pinned(self) -> Pinned:
        """What is said about the WSDL."""
        return Pinned(functions=self.functions, date_format=self.date_format)

    def completed(self, function: Function) -> Function:
        """Return a function with the codes that its list lacks and the operator knows."""
        told = self.statuses.get(function.name, {})
        return completed(function, told, self.answers.get(function.name, {}))


def read_bindings(path: Path) -> Bindings:
    """Read an operator's file; a ValueError names every wrong place in it."""
    return read_toml(path, Bindings, _wrong)


def followed(path: Path | None) -> OperatorFile[Bindings]:
    """Return what an operator's file says whenever it is asked; raises ValueError as above."""
    return OperatorFile(path, read_bindings, Bindings())


@cache
def of_simulator() -> Mapping[str, Mapping[str, StatusRow]]:
    """Return what the codes of our own simulator mean."""
    return read_bindings(SIMULATOR).statuses


def _wrong(said: Bindings) -> list[str]:
    return [*wrong_names(said.functions), *wrong_meanings(said.statuses, said.answers)]


def merged(
    first: Mapping[str, Mapping[str, StatusRow]], then: Mapping[str, Mapping[str, StatusRow]]
) -> Mapping[str, Mapping[str, StatusRow]]:
    """Return the codes of two maps; where both name one, the second one's row."""
    return {name: {**first.get(name, {}), **then.get(name, {})} for name in {**first, **then}}


def report(
    statuses: Mapping[str, Mapping[str, StatusRow]],
    function: str,
    code: str,
    label: str | None,
    occurred: str | None,
) -> Report:
    """Return what a code of a status function says of a message."""
    label = withheld(label) if label else None
    row = statuses.get(function, {}).get(code)
    if row is None:
        return Report(code=code, status=None, label=label, occurred=occurred, unmapped_in=function)
    words = label or row.label
    failure = None
    status = Status(row.status)
    if status is Status.FAILED:
        failure = Failure(
            type=row.type,
            reason=row.reason,
            retryable=row.type == _RETRYABLE,
            provider_code=code,
            label=words,
        )
    return Report(code=code, status=status, label=words, occurred=occurred, failure=failure)
