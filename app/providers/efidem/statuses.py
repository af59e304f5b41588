"""What Efidem's status codes mean: no table of ours, for its document lists none.

An operator writes the map, per function, in the file that MULTICANAL_EFIDEM_BINDINGS names:

    [statuses.STATUT_EMAIL]
    "30" = { status = "delivered", label = "Délivré" }
    "41" = { status = "failed", type = "permanent", reason = "invalid_recipient" }

A code that the map lacks leaves the status as it is and is kept raw: nothing is guessed.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from app.domain.outcome import Failure, Report
from app.domain.status import Status
from app.providers.efidem.pins import DATES, FunctionPins, Pinned, wrong_names

SIMULATOR: Final = Path(__file__).with_name("simulator.toml")
_RETRYABLE: Final = "temporary"


class StatusRow(BaseModel):
    """What one code means."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    status: Literal["submitted", "sent", "delivered", "failed", "returned"]
    label: str | None = None
    type: Literal["permanent", "temporary", "technical", "unknown"] = "unknown"
    reason: str = "unmapped"


class Bindings(BaseModel):
    """What an operator writes down because no document says it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    statuses: dict[str, dict[str, StatusRow]] = {}
    functions: dict[str, FunctionPins] = {}
    date_format: str = DATES

    @property
    def pinned(self) -> Pinned:
        """What is said about the WSDL."""
        return Pinned(functions=self.functions, date_format=self.date_format)


def read_bindings(path: Path) -> Bindings:
    """Read an operator's file; a ValueError names every wrong place in it."""
    try:
        bindings = Bindings.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except ValidationError as fault:
        places = [".".join(str(part) for part in error["loc"]) for error in fault.errors()]
        raise _wrong(path, places) from None
    except (OSError, tomllib.TOMLDecodeError) as fault:
        message = f"{path} cannot be read as TOML: {fault}"
        raise ValueError(message) from None
    if places := wrong_names(bindings.functions):
        raise _wrong(path, places)
    return bindings


def _wrong(path: Path, places: list[str]) -> ValueError:
    return ValueError(f"{path} has wrong entries: {', '.join(places)}")


def report(
    statuses: Mapping[str, Mapping[str, StatusRow]],
    function: str,
    code: str,
    label: str | None,
    occurred: str | None,
) -> Report:
    """Return what a code of a status function says of a message."""
    row = statuses.get(function, {}).get(code)
    if row is None:
        return Report(code=code, status=None, label=label, occurred=occurred)
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
