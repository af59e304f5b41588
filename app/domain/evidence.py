"""What settles an attempt of which nobody knows whether it sent something: a closed set."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.domain.outcome import Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One row of a provider's report: something that it took from us."""

    reference: str | None = None  # of the attempt
    provider_message_id: str | None = None
    recipient: str | None = None
    moments: tuple[datetime, ...] = ()  # when it was taken; two where a clock was set back


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """A provider's report that was read without a doubt."""

    since: datetime  # it covers what was taken from here on
    at: datetime  # when it was asked for
    rows: Sequence[Seen]
    columns: Collection[str]  # of `Seen`, that the report has at all


@dataclass(frozen=True, slots=True)
class NoReport:
    """There is no report to look into."""

    why: str
    lasting: bool = False  # until a person changes a setting


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """It was sent."""

    by: str  # what says so: report, count, late_answer
    provider_message_id: str | None = None
    copies: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    """It was not sent."""

    by: str  # what proves it: report, count, late_answer, document_never_fetched
    complete: bool = False  # nothing that could still come contradicts it


@dataclass(frozen=True, slots=True)
class Declined:
    """The provider had refused it, for good, when nobody listened any more."""

    failure: Failure
    by: str = "late_answer"


@dataclass(frozen=True, slots=True)
class Missing:
    """A report lacks it that should have it: another one, later, must say so too."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Inconclusive:
    """Nothing is known yet."""

    why: str
    lasting: bool = False  # until a person changes a setting
    again: datetime | None = None  # when more can be known, if that is known


Verdict = Found | Absent | Declined | Missing | Inconclusive
