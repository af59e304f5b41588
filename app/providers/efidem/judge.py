"""What an exchange with Efidem means: by how far it got, and by the function's own table."""

import re
from collections.abc import Mapping
from typing import Final

from app.domain.outcome import (
    Accepted,
    Blocked,
    Deferred,
    Failure,
    NoAnswer,
    NoStatus,
    Outcome,
    Refused,
    Report,
    Unclear,
)
from app.providers.efidem import answer as answers
from app.providers.efidem.answer import (
    Code,
    Document,
    Fault,
    Identifier,
    StatusObject,
    Text,
    Unreadable,
)
from app.providers.efidem.statuses import StatusRow, report
from app.providers.manual import Function, Meaning, outcome_of
from app.providers.wire import Answered, Broken, Exchange, NotSent

_OK: Final = 200
_TOO_MANY: Final = 429
_TOO_LARGE: Final = 413
_BEFORE_THE_SERVICE: Final = frozenset({401, 403, 404, 405, 407, 415})
_SHORT: Final = re.compile(r"[\w.+-]{1,40}", re.ASCII)

Statuses = Mapping[str, Mapping[str, StatusRow]]


def outcome(function: Function, exchange: Exchange) -> Outcome:
    """Return what became of a call that may send."""
    match exchange:
        case Answered():
            return _answered(function, exchange)
        case NotSent(why, certificate=True):
            return Blocked("provider_contract", f"the provider's certificate was refused: {why}")
        case NotSent(why):
            return Deferred(why)
        case Broken(why):
            return Unclear(why)


def _answered(function: Function, answered: Answered) -> Outcome:
    if answered.status == _TOO_MANY:
        return Deferred("the provider answered HTTP 429", answered.wait)
    if answered.status == _TOO_LARGE:
        return _refused("document_invalid", "the provider answered HTTP 413", "413")
    said = answers.read(answered.body)
    if answered.status in _BEFORE_THE_SERVICE and isinstance(said, Text | Document | Unreadable):
        return Blocked("provider_contract", f"the provider answered HTTP {answered.status}")
    if isinstance(said, Fault):
        return _faulted(said)
    return _said(function, said, answered.status)


def _faulted(fault: Fault) -> Outcome:
    if fault.sender:
        # SOAP 1.1, 4.4.1: the message was wrong and must not have been processed.
        return _refused("provider_contract", "the provider refused the request's form", fault.code)
    return Unclear(f"a SOAP fault {fault.code}, perhaps after the provider had sent")


def _said(
    function: Function,
    said: Identifier | Code | StatusObject | Text | Document | Unreadable,
    status: int,
) -> Outcome:
    match said:
        case Identifier(text) if status == _OK:
            return Accepted(text)
        case Identifier(text):
            # It may be the message's id, or the error's: an operator can ask for its status.
            return Unclear(f"HTTP {status} with an identifier", text)
        case Code(text) if status == _OK and text in function.table:
            return outcome_of(function.table[text])
        case Code(text):
            known_by = function.name if status == _OK else None
            return Unclear("a code that the document does not list", text, known_by)
        case StatusObject(code=code):
            return Unclear("a status came instead of an identifier", code)
        case Text() | Document() | Unreadable():
            return Unclear(f"HTTP {status}: {_why(said)}")


def _refused(reason: str, words: str, code: str) -> Refused:
    failure = Failure(
        type="permanent",
        reason=reason,
        retryable=False,
        provider_code=code if _SHORT.fullmatch(code) else None,
        label=words,
    )
    return Refused(failure)


def finding(
    function: Function, statuses: Statuses, exchange: Exchange
) -> Report | NoStatus | NoAnswer:
    """Return what a status function says of a message."""
    if not isinstance(exchange, Answered):
        return NoAnswer(exchange.why)
    if exchange.status != _OK:
        return NoAnswer(f"the provider answered HTTP {exchange.status}")
    match answers.read(exchange.body):
        case Code(code):
            return _code(function, statuses, code, None)
        case StatusObject(code=code) as said:
            return _code(function, statuses, code, said)
        case Identifier():
            return NoAnswer("an identifier came instead of a status")
        case Fault(code=code):
            return NoAnswer(f"a SOAP fault {code}")
        case Text() | Document() | Unreadable() as other:
            return NoAnswer(_why(other))


def _why(said: Text | Document | Unreadable) -> str:
    """Say why it is no answer of a function that sends or tells a status."""
    match said:
        case Text():
            # It may hold anything, and is not repeated.
            return "the result is neither an identifier nor a code"
        case Document():
            return "the result is a document"
        case Unreadable(why):
            return why


def _code(
    function: Function, statuses: Statuses, code: str, said: StatusObject | None
) -> Report | NoStatus | NoAnswer:
    row = function.table.get(code)
    if row is not None and row.meaning is Meaning.NO_STATUS:
        return NoStatus(code)
    if row is not None:
        return NoAnswer(f"the provider answered {code} ({row.words or 'no words'})")
    label, date = (said.label, said.date) if said else (None, None)
    return report(statuses, function.name, code, label, date)
