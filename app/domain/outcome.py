"""What became of a call to a provider: closed sets of values, never exceptions."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
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


@dataclass(slots=True)  # not frozen: that costs more than to make one
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
    ours: bool = False  # it was not called at all, for a reason of ours


@dataclass(frozen=True, slots=True)
class Blocked:
    """Our account or configuration is at fault: the channel stops, the message waits."""

    reason: str  # provider_credentials, provider_credit, provider_contract, ...
    why: str
    code: str | None = None
    words: str | None = None
    stops: bool = True  # the whole channel; False: one function, and others go on
    shown: str | None = None  # what any client may read, where `why` holds addresses


@dataclass(frozen=True, slots=True)
class Unclear:
    """It may have been sent, or not: nobody may send it again without evidence."""

    why: str
    raw: str | None = None  # what the provider answered, cut short
    unmapped_in: str | None = None  # the function whose table lacks `raw`, a code


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
    unmapped_in: str | None = None  # the function for whose code nobody has said a meaning

    def of_pages(self, pages: int | None, sent: int | None) -> "Report":
        """Return it for a document of so many pages, of which so many were sent."""
        incomplete = pages is not None and sent is not None and sent < pages
        if self.status is Status.DELIVERED and incomplete:
            return replace(self, status=Status.PARTIALLY_DELIVERED)
        return self


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


@dataclass(frozen=True, slots=True)
class ByRecipient:
    """What a provider says of each recipient of one message, by address."""

    findings: Mapping[str, "Report | NoStatus | NoAnswer"]


# What a raw code means by now, to whoever kept it when it meant nothing.
Meant = Report | NoStatus | Outcome
Finding = Report | NoStatus | NoAnswer | NotAskable | ByRecipient


@dataclass(frozen=True, slots=True)
class Told:
    """What a function that sends nothing told: a text, or a file's bytes."""

    value: str | bytes


@dataclass(frozen=True, slots=True)
class Denied:
    """A definite no of the function's own table: there is no such thing, or it is not valid."""

    code: str
    words: str


@dataclass(frozen=True, slots=True)
class Wrong:
    """The function was called with a value that it does not take."""

    code: str
    words: str
    reason: str  # one of ours


@dataclass(frozen=True, slots=True)
class Unreached:
    """Proven not to have been asked: the same request may be made again."""

    why: str


@dataclass(frozen=True, slots=True)
class Alive:
    """The provider answered a call that sends nothing, and took our credentials."""


Probed = Alive | Blocked | NoAnswer

# `Blocked`: our account or the WSDL; `Unclear`: it was asked, and nobody knows what came of it.
Consulted = Told | Denied | Wrong | Unreached | Blocked | Unclear
