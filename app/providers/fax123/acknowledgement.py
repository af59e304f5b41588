"""123-fax's acknowledgements: "Les codes retours d'accusé de réception", all thirty.

The list is certainly incomplete. Another code says that the fax was not received, and not why: the
message fails with the reason `unmapped`, its code is kept raw, and a later `0` corrects it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

from app.delivery.gateway import Acknowledgement
from app.domain.outcome import Failure, Report
from app.domain.status import Status


@dataclass(frozen=True, slots=True)
class Code:
    """One code: the document's words, and what they mean to us."""

    code: str
    words: str
    type: str  # of the failure
    reason: str
    retryable: bool = False
    pages_may_be_out: bool = False  # a transmission that broke: some pages may have arrived


RECEIVED: Final = "0"


def _no_answer(code: str) -> Code:
    return Code(code, "pas de réponse", "temporary", "no_answer", retryable=True)


def _conversion(code: str, words: str = "erreur de conversion de document") -> Code:
    return Code(code, words, "permanent", "document_invalid")


def _broken(code: str, words: str) -> Code:
    return Code(code, words, "temporary", "transmission_error", pages_may_be_out=True)


# fmt: off
CODES: Final[Sequence[Code]] = (
    # The left column of the document's table.
    Code(RECEIVED, "OK reçu", "", ""),
    _no_answer("31068"),
    Code("25011", "pas de fichier", "technical", "document_invalid", retryable=True),
    _conversion("25012"),
    _conversion("25013"),
    _conversion("25002"),
    Code("20008", "mauvais format de fichier", "permanent", "document_invalid"),
    _no_answer("31079"),
    _broken("31082", "le fax distant a interrompu la transmission"),
    Code("31083", "mauvais numéro", "permanent", "invalid_recipient"),
    _no_answer("30112"),
    _no_answer("30113"),
    Code("30133", "coordonnées incorrectes", "permanent", "invalid_recipient"),
    _broken("34000", "déconnexion distance"),
    Code("34012", "occupé", "temporary", "busy", retryable=True),
    # The right column.
    _broken("33126", "erreur de transmission"),
    _broken("34011", "raccroché distant"),
    _no_answer("304128"),  # six digits in the document; probably 30128, which is taken alike below
    _no_answer("30127"),
    _no_answer("5313"),
    _broken("5316", "erreur de transmission"),
    Code("31086", "la communication n'a pu s'établir", "temporary", "unreachable", retryable=True),
    _no_answer("30120"),
    Code("31064", "occupé", "temporary", "busy", retryable=True),
    _no_answer("30032"),
    _conversion("25300", "erreur lors de la conversion"),
    _no_answer("20007"),
    _broken("33127", "erreur de transmission"),
    _no_answer("30129"),
    Code("70003", "Numéro en liste rouge ou EcoFAX", "permanent", "blocked_by_recipient"),
)
# fmt: on

_TABLE: Final = {row.code: row for row in CODES} | {"30128": _no_answer("30128")}


def learn(acknowledgement: Acknowledgement, pages: int | None) -> Report:
    """Return what an acknowledgement means for a fax of so many pages."""
    row = _TABLE.get(acknowledgement.code)
    sent = acknowledgement.pages
    if row is None:
        failure = Failure(
            type="unknown",
            reason="unmapped",
            retryable=False,
            provider_code=acknowledgement.code,
            label=None,
        )
        return _report(acknowledgement, Status.FAILED, None, failure)
    if row.code == RECEIVED:
        complete = pages is None or sent is None or sent >= pages
        status = Status.DELIVERED if complete else Status.PARTIALLY_DELIVERED
        return _report(acknowledgement, status, row.words)
    if row.pages_may_be_out and sent:
        return _report(acknowledgement, Status.PARTIALLY_DELIVERED, row.words)
    failure = Failure(
        type=row.type,
        reason=row.reason,
        retryable=row.retryable,
        provider_code=row.code,
        label=row.words,
    )
    return _report(acknowledgement, Status.FAILED, row.words, failure)


def _report(
    acknowledgement: Acknowledgement,
    status: Status,
    words: str | None,
    failure: Failure | None = None,
) -> Report:
    return Report(
        code=acknowledgement.code,
        status=status,
        label=words,
        # The clock of the recipient's fax, without date or zone: kept as it came, never used.
        occurred=acknowledgement.provider_time,
        failure=failure,
        pages_sent=acknowledgement.pages,
    )


# Of the document's five variables, those that say what became of which fax, and what each may hold.
_NEEDED: Final = {
    "etat_e": re.compile(r"[0-9]{1,10}", re.ASCII),
    "ref_accuse": re.compile(r"[\x21-\x7e]{1,100}", re.ASCII),
    "numero": re.compile(r"[0-9+(). /-]{1,40}", re.ASCII),
}
# The others are worth less than the acknowledgement: it is not refused for them.
_NAMES: Final = (*_NEEDED, "nb_page", "heure")
_PAGES: Final = re.compile(r"[0-9]{1,5}", re.ASCII)
_UNPRINTABLE: Final = re.compile(r"[^\x20-\x7e]")


def read(query: bytes) -> Acknowledgement:
    """Return what a callback's query string says; a ValueError names the field that is wrong."""
    values: dict[str, str] = {}
    for name, value in parse_qsl(
        query.decode("latin-1"), keep_blank_values=True, max_num_fields=20
    ):
        if name in values:
            # Which of two codes would be true? Neither is taken.
            message = f"{name if name in _NAMES else 'a field'} is given twice"
            raise ValueError(message)
        values[name] = value.strip()
    for name, form in _NEEDED.items():
        if not form.fullmatch(values.get(name, "")):
            message = f"{name} is {'wrong' if values.get(name) else 'missing'}"
            raise ValueError(message)
    code = values["etat_e"].lstrip("0") or RECEIVED
    pages, hour = values.get("nb_page", ""), values.get("heure", "")
    return Acknowledgement(
        reference=values["ref_accuse"],
        code=code,
        number=values["numero"],
        pages=int(pages) if _PAGES.fullmatch(pages) else None,
        provider_time=_UNPRINTABLE.sub("?", hour)[:64] or None,
    )
