"""What every step works with, and what a provider must be able to do."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from app.delivery.inspect import Inspector
from app.domain.errors import FieldError
from app.domain.identifiers import Identifiers
from app.domain.message import Channel, Content, Submission, Submitted
from app.domain.outcome import Finding, Outcome, Report
from app.store.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A content as its provider will carry it, checked before the message is accepted."""

    content: Content
    files: Mapping[str, bytes]  # by SHA-256; new bytes where the provider had them rewritten
    errors: Sequence[FieldError] = ()
    warnings: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement:
    """What a provider's callback says of a message, read but not believed."""

    reference: str
    code: str
    number: str
    pages: int | None
    provider_time: str | None


# Says what an acknowledgement means for a message of so many pages.
Learn = Callable[[Acknowledgement, int | None], Report]


class Provider(Protocol):
    """A provider. No method raises for what the provider or the network does."""

    name: str
    channels: Collection[Channel]
    fetches_document: bool  # it downloads the document from us while and after we call it

    @property
    def is_local(self) -> bool:
        """Whether its address is this machine's own: then it can only be a simulator."""

    async def start(self) -> None:
        """Learn what is needed to serve, as far as it can be had now."""

    async def close(self) -> None:
        """Close every connection."""

    async def prepare(self, submission: Submission[Content]) -> Prepared:
        """Check a message against what this provider carries, before it is accepted."""

    def function_for(self, channel: Channel) -> str:
        """Return the name of the provider's function that sends on a channel."""

    async def submit(self, submission: Submission[Content]) -> Outcome:
        """Make one call that may send."""

    async def ask(self, submitted: Submitted) -> Finding:
        """Ask what became of an accepted message."""

    def health(self) -> Mapping[str, object]:
        """Say what works and what does not, for readiness and reports."""


class Wake:
    """Tells the worker of this process that a channel has work; other processes look by time."""

    def __init__(self) -> None:
        self._events = {channel: asyncio.Event() for channel in Channel}

    def call(self, channel: Channel) -> None:
        """Say that a channel has work."""
        self._events[channel].set()

    async def wait(self, channel: Channel, seconds: float) -> None:
        """Return when a channel has work, or after so long."""
        event = self._events[channel]
        try:
            await asyncio.wait_for(event.wait(), seconds)
        except TimeoutError:
            return
        event.clear()


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How long things may take."""

    lease: timedelta = timedelta(seconds=120)  # of a claim; longer than any call
    start_within: timedelta = timedelta(seconds=30)  # from the claim to the call, or it is dropped
    document_life: timedelta = timedelta(hours=24)  # how long a fax's document may be fetched
    idle: float = 0.5  # seconds between looks at an empty queue
    pace: float = 1.0  # multiplies every pause; below 1 for a laptop and for tests
    drain: float = 80.0  # seconds that calls in flight have at the end


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """What every step works with; built once, in `main.py`."""

    database: Database
    providers: Mapping[str, Provider]
    routes: Mapping[Channel, str]  # the provider that carries each channel
    ids: Identifiers
    now: Callable[[], datetime]
    random: Callable[[], float]
    public_url: str
    inspector: Inspector = field(default_factory=Inspector)
    learn: Mapping[str, Learn] = field(default_factory=dict)  # for providers that acknowledge
    concurrency: Mapping[str, int] = field(default_factory=dict)  # calls at once, by provider
    timing: Timing = field(default_factory=Timing)
    wake: Wake = field(default_factory=Wake)
