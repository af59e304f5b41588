"""What an exchange with a function that sends nothing means: its own table first, then its kind.

A code that the table lists says what it says. Anything else is told only where it is of the one
kind that the function answers; the rest is unclear, never guessed.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from app.domain.outcome import Blocked, Consulted, Denied, Told, Unclear, Unreached, Wrong
from app.providers.efidem import answer as answers
from app.providers.efidem import functions as efidem
from app.providers.efidem.answer import Code, Document, Fault, Read, Text, Unreadable
from app.providers.manual import Answer, Function, Meaning
from app.providers.wire import Answered, Broken, Exchange, NotSent

_OK: Final = 200
_TOO_MANY: Final = 429
# Said before the service looked at the request: by a proxy, or by a server that has no such page.
_BEFORE_THE_SERVICE: Final = frozenset({401, 403, 404, 405, 407, 413, 415})
_COUNT: Final = re.compile(r"[0-9]{1,15}", re.ASCII)
_NUMBER: Final = re.compile(r"\+?[0-9]{7,32}", re.ASCII)
_YES: Final = frozenset({"1", "true", "ok"})
_LONGEST_TEXT: Final = 2000  # characters of a description
_SHOWN: Final = re.compile(r"-?[\w.-]{1,20}", re.ASCII)  # of an answer that is kept as it is

Values = Mapping[str, object]
Kind = Callable[[Read, Values], Told | None]  # what is told, None where it is of another kind


def _count(said: Read, _values: Values) -> Told | None:
    """Take a whole number from zero; the negative ones are the table's (one integer for both)."""
    match said:
        case Code(text) | Text(text) if _COUNT.fullmatch(text.strip()):
            return Told(str(int(text)))
        case _:
            return None


def _text(said: Read, _values: Values) -> Told | None:
    match said:
        case Text() if len(said.text) <= _LONGEST_TEXT:
            return Told(said.text)
        case _:
            return None


def _number(said: Read, _values: Values) -> Told | None:
    """Take digits. Six and less are a code that no table lists, as likely as a short number."""
    match said:
        case Text() if _NUMBER.fullmatch(said.text):
            return Told(said.text.removeprefix("+"))
        case _:
            return None


def _yes(said: Read, values: Values) -> Told | None:
    """Take what can only mean that an address is right: 1, true, OK, or the address itself.

    The document tells the answer for a wrong address, -99, and none for a right one. `0` is "no
    error" to some services and "no" to others, and `false` would be a second way to say -99: both
    are unclear, as is every other code.
    """
    match said:
        case Code(text) | Text(text):
            answered = text.strip().casefold()
            echo = str(values.get("DESTINATAIRE", "")).strip().casefold()
            return Told(text.strip()) if answered in {*_YES, echo} - {""} else None
        case _:
            return None


def _document(said: Read, _values: Values) -> Told | None:
    match answers.document_of(said):
        case Document(content):
            return Told(content)
        case _:
            return None


def _nothing(_said: Read, _values: Values) -> None:
    """Take no value: what the function did is said by its table alone."""


# What each function answers besides the codes of its table.
KINDS: Final[Mapping[str, Kind]] = {
    efidem.RAPPORT.name: _document,
    efidem.COMPTE_SOUMIS_CODE_FACTURATION.name: _count,
    efidem.VERIFIER_ADRESSE_EMAIL.name: _yes,
    efidem.OBTENIR_CODE_ESMTP.name: _text,
    efidem.TRANSFORMER_NUMERO.name: _number,
    efidem.AJOUTER_UTILISATEUR.name: _nothing,
    efidem.ENLEVER_UTILISATEUR.name: _nothing,
}


def consulted(function: Function, values: Values, exchange: Exchange) -> Consulted:
    """Return what came of one call of a function that sends nothing.

    An answer of megabytes takes its time: call it in a thread then.
    """
    match exchange:
        case NotSent(why, certificate=True):
            return Blocked("provider_contract", f"the provider's certificate was refused: {why}")
        case NotSent(why):
            return Unreached(why)
        case Broken(why):
            return Unclear(why)
        case Answered(status) if status == _TOO_MANY:
            return Unreached("the provider answered HTTP 429")
        case Answered(status, body):
            return _answered(function, values, status, answers.read(body))


def _answered(function: Function, values: Values, status: int, said: Read) -> Consulted:
    match said:
        case Unreadable() if status in _BEFORE_THE_SERVICE:
            return Blocked("provider_contract", f"the provider answered HTTP {status}")
        case Unreadable(why):
            return Unclear(f"HTTP {status}: {why}")
        case Fault(sender=True, code=code):
            # SOAP 1.1, 4.4.1: the message was wrong and must not have been processed.
            return Blocked("provider_contract", "the provider refused the request's form", code)
        case Fault(code=code):
            return Unclear(f"a SOAP fault {code}")
        case _ if status != _OK:
            return Unclear(f"HTTP {status} with an answer")
        case _:
            return _said(function, values, said)


def _said(function: Function, values: Values, said: Read) -> Consulted:
    code = _code_of(function, said)
    if code is not None and code in function.table:
        return _of_table(function.table[code])
    told = KINDS[function.name](said, values)
    if told is not None:
        return told
    why = "the answer is none that the document lists"
    return Unclear(why, code if code and _SHOWN.fullmatch(code) else None)


def _code_of(function: Function, said: Read) -> str | None:
    """Return a code; a function of documents may write its codes in base64 too."""
    read = answers.document_of(said) if KINDS[function.name] is _document else said
    return read.text if isinstance(read, Code) else None


def _of_table(row: Answer) -> Consulted:
    match row.meaning:
        case Meaning.ACCEPTED:
            return Told(row.code)
        case Meaning.NEGATIVE:
            return Denied(row.code, row.words)
        case Meaning.REFUSED | Meaning.REFUSED_IF_FETCHED:
            return Wrong(row.code, row.words, row.reason or "policy")
        case Meaning.BLOCKED:
            why = f"the provider answered {row.code} ({row.words or 'no words'})"
            return Blocked(row.reason or "provider_contract", why, row.code, row.words)
        case Meaning.DEFERRED:
            return Unreached(f"the provider answered {row.code}")
        case Meaning.OUR_FAULT | Meaning.NO_STATUS:
            return Unclear(
                f"the provider answered {row.code} ({row.words or 'no words'})", row.code
            )
