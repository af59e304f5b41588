"""123-fax's acknowledgements: "Les codes retours d'accusé de réception", all thirty.

The list is certainly incomplete. Another code says that the fax was not received, and not why: the
message fails with the reason `unmapped`, its code is kept raw, and a later `0` corrects it, or an
operator's row for the code (`bindings.py`).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import unquote_plus

from app.domain.acknowledgement import Acknowledgement, UnreadableAcknowledgement
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
NAME: Final = "acknowledgement"  # in place of a function's name: these are no answers to a call


def learn(
    acknowledgement: Acknowledgement, pages: int | None, said: Mapping[str, Report] | None = None
) -> Report:
    """Return what an acknowledgement means for a fax of so many pages; `said`: by the operator."""
    told = (said or {}).get(acknowledgement.code)
    if told is not None:
        occurred, sent = acknowledgement.provider_time, acknowledgement.pages
        return replace(told, occurred=occurred, pages_sent=sent).of_pages(pages, sent)
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
        return replace(_report(acknowledgement, Status.FAILED, None, failure), unmapped_in=NAME)
    if row.code == RECEIVED:
        return _report(acknowledgement, Status.DELIVERED, row.words).of_pages(pages, sent)
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
_MOST_FIELDS: Final = 20
_UNPRINTABLE: Final = re.compile(r"[^\x20-\x7e]")


def read(query: bytes) -> Acknowledgement:
    """Return what a callback's query string says.

    Raises UnreadableAcknowledgement, which names the field that is wrong and holds the others.
    """
    values, faults = _values(query)
    for name, form in _NEEDED.items():
        value = values.get(name, "")
        if not form.fullmatch(value):
            faults.append(f"{name} is {'wrong' if value else 'missing'}")
            values[name] = ""
    code = values["etat_e"] and (values["etat_e"].lstrip("0") or RECEIVED)
    pages, hour = values.get("nb_page", ""), values.get("heure", "")
    brought = Acknowledgement(
        reference=values["ref_accuse"],
        code=code,
        number=values["numero"],
        pages=int(pages) if _PAGES.fullmatch(pages) else None,
        provider_time=_UNPRINTABLE.sub("?", hour)[:64] or None,
    )
    if faults:
        raise UnreadableAcknowledgement(faults[0], brought)
    return brought


def _values(query: bytes) -> tuple[dict[str, str], list[str]]:
    """Return the fields of a query string, and what is wrong with them."""
    text = query.decode("latin-1")
    given, is_quoted = text.split("&"), "%" in text or "+" in text  # nearly never
    if len(given) > _MOST_FIELDS:
        return {}, ["Max number of fields exceeded"]
    values: dict[str, str] = {}
    faults = []
    for field in given:
        if not field:
            continue
        name, _, value = field.partition("=")
        if is_quoted:
            name, value = unquote_plus(name), unquote_plus(value)
        if name in values:
            # Which of two codes would be true? Neither is taken.
            faults.append(f"{name if name in _NAMES else 'a field'} is given twice")
        values[name] = "" if name in values else value.strip()
    return values, faults
