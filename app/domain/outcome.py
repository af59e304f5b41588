"""What became of a call to a provider: closed sets of values, never exceptions."""

from dataclasses import dataclass
from datetime import timedelta

from app.domain.status import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a message failed."""

    type: str  # permanent, temporary, technical, unknown
    reason: str  # one of ours, such as invalid_recipient or busy
    retryable: bool  # whether the same message may be worth sending again
    provider_code: str | None = None
    label: str | None = None  # the provider's words


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider took it."""

    provider_id: str | None
    code: str | None = None
    words: str | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """The provider will not take it, and nothing was sent."""

    failure: Failure
    # The words judge a document: they stand only if the provider really fetched it.
    only_if_fetched: bool = False


@dataclass(frozen=True, slots=True)
class Deferred:
    """Proven not sent: try again, after `wait` where the provider named one."""

    why: str
    wait: timedelta | None = None
    code: str | None = None
    words: str | None = None


@dataclass(frozen=True, slots=True)
class Blocked:
    """Our account or configuration is at fault: the channel stops, the message waits."""

    reason: str  # provider_credentials, provider_credit, provider_contract, ...
    why: str
    code: str | None = None
    words: str | None = None


@dataclass(frozen=True, slots=True)
class Unclear:
    """It may have been sent, or not: nobody may send it again without evidence."""

    why: str
    raw: str | None = None  # what the provider answered, cut short


Outcome = Accepted | Refused | Deferred | Blocked | Unclear


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a provider says became of a message it accepted."""

    code: str
    status: Status | None  # None: a code that nobody has mapped yet; it is kept raw
    label: str | None = None
    occurred: str | None = None  # the provider's own time, as it wrote it: never a time of ours
    failure: Failure | None = None
    pages_sent: int | None = None


@dataclass(frozen=True, slots=True)
class NoStatus:
    """The provider answered that it knows nothing yet."""

    code: str


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """The provider could not be asked, or its answer says nothing about the message."""

    why: str


@dataclass(frozen=True, slots=True)
class NotAskable:
    """The provider has no function that tells a status."""


Finding = Report | NoStatus | NoAnswer | NotAskable
