"""What an operator says of codes that 123-fax's document lacks.

In the file that MULTICANAL_FAX123_BINDINGS names:

    [acknowledgements]        # etat_e of the callback
    "31099" = { status = "failed", type = "temporary", reason = "busy", label = "occupé" }

    [answers]                 # of http.php
    "114" = { meaning = "refused", reason = "invalid_recipient" }

`refused`, `deferred` and `blocked` say that nothing was sent: a fax that waited for the code's
meaning as `uncertain` fails, or is sent again. Only an operator who knows that from the provider may
write it. A row of the provider's document stands. The file is read again when it changed.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.domain.outcome import Failure, Report
from app.domain.status import Status
from app.providers.fax123.acknowledgement import CODES, NAME
from app.providers.fax123.functions import HTTP_PHP
from app.providers.manual import Answer, Function, Meaning
from app.providers.operator_file import OperatorFile, read_toml

Reason = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]  # one of ours
Label = Annotated[str, Field(max_length=500)]

_ANSWER: Final = re.compile(r"[0-9]{3}", re.ASCII)
_ACKNOWLEDGEMENT: Final = re.compile(r"0|[1-9][0-9]{0,9}", re.ASCII)
_DOCUMENTED: Final = frozenset(row.code for row in CODES)
_RETRYABLE: Final = "temporary"


class AcknowledgementRow(BaseModel):
    """What one code of an acknowledgement means."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    status: Literal["delivered", "partially_delivered", "failed"]
    type: Literal["permanent", "temporary", "technical", "unknown"] = "unknown"
    reason: Reason = "unmapped"
    label: Label | None = None


class AnswerRow(BaseModel):
    """What one answer to the call means."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    meaning: Literal["accepted", "refused", "deferred", "blocked"]
    reason: Reason | None = None
    label: Label = ""


class Bindings(BaseModel):
    """What an operator writes down because no document says it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    acknowledgements: dict[str, AcknowledgementRow] = {}
    answers: dict[str, AnswerRow] = {}

    @cached_property
    def reports(self) -> Mapping[str, Report]:
        """What acknowledgements mean, by code."""
        return {code: _report(code, row) for code, row in self.acknowledgements.items()}

    @cached_property
    def function(self) -> Function:
        """The provider's function with the operator's answers."""
        added = [
            Answer(code, Meaning(row.meaning), row.label, row.reason)
            for code, row in self.answers.items()
        ]
        return replace(HTTP_PHP, answers=(*HTTP_PHP.answers, *added))


def read_bindings(path: Path) -> Bindings:
    """Read an operator's file; a ValueError names every wrong place in it."""
    return read_toml(path, Bindings, _wrong)


def followed(path: Path | None) -> OperatorFile[Bindings]:
    """Return what an operator's file says whenever it is asked; raises ValueError as above."""
    return OperatorFile(path, read_bindings, Bindings())


def remedy(function: str, code: str) -> str:
    """Return the lines that an operator completes; as they stand, they are refused: no guess."""
    section, row, said = "answers", 'meaning = "?"', "accepted, refused, deferred, blocked"
    if function == NAME:
        section, row = "acknowledgements", 'status = "?"'
        said = "delivered, partially_delivered, failed"
    return (
        f"# in the file that MULTICANAL_FAX123_BINDINGS names; for ?: {said}\n"
        f"[{section}]\n"
        f'"{code}" = {{ {row} }}\n'
    )


def _wrong(said: Bindings) -> Iterator[str]:
    known = "the provider's document says what it means"
    for code in said.acknowledgements:
        if not _ACKNOWLEDGEMENT.fullmatch(code):
            yield f"acknowledgements.{code} (no code)"
        elif code in _DOCUMENTED:
            yield f"acknowledgements.{code} ({known})"
    for code in said.answers:
        if not _ANSWER.fullmatch(code):
            yield f"answers.{code} (no code)"
        elif code in HTTP_PHP.table:
            yield f"answers.{code} ({known})"


def _report(code: str, row: AcknowledgementRow) -> Report:
    failure, status = None, Status(row.status)
    if status is Status.FAILED:
        failure = Failure(
            type=row.type,
            reason=row.reason,
            retryable=row.type == _RETRYABLE,
            provider_code=code,
            label=row.label,
        )
    return Report(code=code, status=status, label=row.label, failure=failure)
