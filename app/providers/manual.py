"""How a provider's document is written down: functions with their parameters and answers.

Names, order and words are the document's. What we add is where a value comes from, and what an
answer means to us. An answer that a table lacks is unclear, never guessed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, Final

from app.domain.outcome import Accepted, Blocked, Deferred, Failure, Outcome, Refused, Unclear


class Meaning(StrEnum):
    """What an answer of a provider means to us."""

    ACCEPTED = "accepted"
    REFUSED = "refused"  # permanent, nothing was sent
    REFUSED_IF_FETCHED = "refused_if_fetched"  # it judges a document: true only if it had it
    DEFERRED = "deferred"  # not sent, worth trying again
    BLOCKED = "blocked"  # our account or configuration
    NO_STATUS = "no_status"  # a status function knows nothing yet
    OUR_FAULT = "our_fault"  # a read-only function was called wrongly
    NEGATIVE = "negative"  # a definite no: what was asked about does not exist, or is not valid


class Shape(StrEnum):
    """What kind of value a parameter carries."""

    TEXT = "text"
    BOOLEAN = "boolean"
    FILES = "files"  # a collection of LISTE_FICHIER objects
    OBJECT = "object"  # one documented object, field by field
    DATE = "date"  # a date or a moment
    TEXTS = "texts"  # a collection of texts
    OBJECTS = "objects"  # a collection of documented objects
    VARIABLES = "variables"  # texts in numbered parameters: VARIABLE1, VARIABLE2, ... for VARIABLEX


@dataclass(frozen=True, slots=True, kw_only=True)
class FileContent:
    """A file as a provider takes it."""

    name: str
    content: bytes


Fields = Mapping[str, "str | bool | date | tuple[str, ...] | None"]  # of one object
Value = (
    str
    | bool
    | date
    | tuple[FileContent, ...]
    | tuple[str, ...]
    | tuple[Fields, ...]
    | Fields
    | None
)


def unused(_: Any) -> None:  # noqa: ANN401 -- whatever the function is handed
    """Stand for a documented parameter that carries nothing (yet); its note says why."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a documented function."""

    name: str
    value: Callable[[Any], Value]  # from what the function is handed
    note: str  # the document's words
    required: bool = False
    spellings: tuple[str, ...] = ()  # other names in the document
    shape: Shape = Shape.TEXT
    fields: tuple["Parameter", ...] = ()  # of an object
    pointer: str | None = None  # the request's field that cannot be sent without it (RFC 6901)
    values: tuple[str, ...] = ()  # the only ones that the document knows


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of a documented function."""

    code: str
    meaning: Meaning
    words: str  # the document's; empty where the document is blank
    reason: str | None = None  # ours: of the failure, or of what is blocked
    assumed: bool = False  # the document is silent; taken over from a sibling


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """One documented function."""

    name: str
    chapter: str
    parameters: tuple[Parameter, ...]
    answers: tuple[Answer, ...]
    spellings: tuple[str, ...] = ()  # other names in the document
    table: Mapping[str, Answer] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Index the answers; a code may stand once only."""
        table = {answer.code: answer for answer in self.answers}
        if len(table) != len(self.answers):
            message = f"{self.name} lists a code twice"
            raise ValueError(message)
        object.__setattr__(self, "table", table)


_TEMPORARY: Final = frozenset({"busy", "no_answer", "unreachable", "mailbox_full"})


def outcome_of(answer: Answer, provider_id: str | None = None) -> Outcome:
    """Return what an answer to a call that may send means."""
    match answer.meaning:
        case Meaning.ACCEPTED:
            return Accepted(provider_id, answer.code, answer.words)
        case Meaning.REFUSED | Meaning.REFUSED_IF_FETCHED:
            failure = Failure(
                type="permanent",
                reason=answer.reason or "policy",
                retryable=False,
                provider_code=answer.code,
                label=answer.words,
            )
            return Refused(failure, only_if_fetched=answer.meaning is Meaning.REFUSED_IF_FETCHED)
        case Meaning.DEFERRED:
            return Deferred(answer.reason or "deferred", code=answer.code, words=answer.words)
        case Meaning.BLOCKED:
            why = f"the provider answered {answer.code} ({answer.words or 'no words'})"
            return Blocked(answer.reason or "provider_contract", why, answer.code, answer.words)
        case Meaning.NO_STATUS | Meaning.OUR_FAULT | Meaning.NEGATIVE:
            return Unclear(f"{answer.meaning} is no answer to a call that sends", answer.code)
