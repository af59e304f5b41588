"""What an operator says of codes that a function's list lacks.

In the file that MULTICANAL_EFIDEM_BINDINGS names:

    [answers.ENVOYER_EMAIL]
    "-12" = { meaning = "refused", reason = "forbidden_characters" }

`refused`, `deferred` and `blocked` say that nothing was sent: a message that waited for the code's
meaning as `uncertain` fails, or is sent again. Only an operator who knows that from the provider may
write it. A row of the provider's document stands: only what it leaves blank, or what we assumed
where it is silent, may be said otherwise.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.providers.efidem import functions as efidem
from app.providers.efidem.answer.kinds import CODE
from app.providers.manual import Answer, Function, Meaning

Reason = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]  # one of ours


class AnswerRow(BaseModel):
    """What one code of a function's answers means."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    meaning: Literal["accepted", "refused", "deferred", "blocked", "no_status", "negative"]
    reason: Reason | None = None
    label: Annotated[str, Field(max_length=500)] = ""


Rows = Mapping[str, Mapping[str, AnswerRow]]  # by function and code
BY_NAME: Final = {one.name: one for one in efidem.FUNCTIONS}
TELLING: Final = frozenset(
    one.name
    for one in (
        efidem.STATUT_EMAIL,
        efidem.STATUT_MULTI_EMAIL,
        efidem.SUIVRE_EMAIL_RELAIS,
        efidem.STATUT_SMS,
        efidem.STATUT_COMPLET_SMS,
        efidem.COURRIER_STATUT,
        efidem.STATUT_FAX,
    )
)
SENDING: Final = frozenset(
    one.name
    for one in (
        efidem.ENVOYER_EMAIL,
        efidem.MULTI_ENVOYER_EMAIL,
        efidem.ENVOYER_EMAIL_RELAIS,
        efidem.ENVOYER_SMS,
        efidem.MULTI_ENVOYER_SMS,
        efidem.COURRIER_ENVOYER,
        efidem.ENVOYER_FAX,
    )
)


def meanings_for(function: Function) -> Collection[str]:
    """Return what a code of a function may mean.

    `accepted` only where a code is what the function answers when it did what it was asked: where
    its success is an identifier, a code cannot stand for it.
    """
    if function.name in SENDING:
        return ("refused", "deferred", "blocked")
    if function.name in TELLING:
        return ("no_status", "blocked")
    answers_codes = any(row.meaning is Meaning.ACCEPTED for row in function.answers)
    return ("refused", "blocked", "negative", *(["accepted"] if answers_codes else []))


def wrong_meanings(statuses: Mapping[str, Mapping[str, Any]], answers: Rows) -> Iterator[str]:
    """Return the places of an operator's file that say what cannot be."""
    for name, rows in statuses.items():
        if name not in TELLING:
            yield f"statuses.{name} (no function that tells a status)"
        else:
            yield from _wrong_codes("statuses", BY_NAME[name], rows)
            both = sorted(set(rows) & set(answers.get(name, {})))
            yield from (f"statuses.{name}.{code} (also under answers)" for code in both)
    for name, said in answers.items():
        if name not in BY_NAME:
            yield f"answers.{name} (no function of the document)"
            continue
        yield from _wrong_codes("answers", BY_NAME[name], said)
        allowed = meanings_for(BY_NAME[name])
        for code, row in said.items():
            if row.meaning not in allowed:
                yield f"answers.{name}.{code}.meaning (only {', '.join(allowed)})"


def _wrong_codes(section: str, function: Function, codes: Collection[str]) -> Iterator[str]:
    for code in codes:
        if not CODE.fullmatch(code):
            yield f"{section}.{function.name}.{code} (no code)"
        elif is_documented(function, code):
            yield f"{section}.{function.name}.{code} (the provider's document says what it means)"


def is_documented(function: Function, code: str) -> bool:
    """Say whether the provider's document gives a code of a function its meaning."""
    row = function.table.get(code)
    return row is not None and not row.assumed and row.words != ""


def completed(
    function: Function, statuses: Collection[str], answers: Mapping[str, AnswerRow]
) -> Function:
    """Return a function with an operator's rows; `statuses`: the codes that tell a status."""
    if not statuses and not answers:
        return function
    kept = [one for one in function.answers if one.code not in {*statuses, *answers}]
    added = [
        Answer(code, Meaning(row.meaning), row.label, row.reason) for code, row in answers.items()
    ]
    return replace(function, answers=(*kept, *added))


def remedy(function: str, code: str) -> str:
    """Return the lines that an operator completes; as they stand, they are refused: no guess."""
    known = BY_NAME.get(function)
    section, row = "answers", 'meaning = "?"'
    if function in TELLING:
        section, row = "statuses", 'status = "?"'
    said = ", ".join(
        ("submitted", "sent", "delivered", "failed", "returned")
        if function in TELLING or known is None
        else meanings_for(known)
    )
    return (
        f"# in the file that MULTICANAL_EFIDEM_BINDINGS names; for ?: {said}\n"
        f"[{section}.{function}]\n"
        f'"{code}" = {{ {row} }}\n'
    )
