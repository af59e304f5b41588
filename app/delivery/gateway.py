"""What every step works with, and what a provider must be able to do."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Final, Protocol

from app.delivery.fault_points import FaultPoints
from app.delivery.inspect import Inspector
from app.delivery.load_files import Loading
from app.delivery.post import Webhooks
from app.delivery.quota import Usage
from app.domain.acknowledgement import Acknowledgement
from app.domain.errors import FieldError
from app.domain.evidence import NoReport, Reported
from app.domain.identifiers import Identifiers
from app.domain.message import Campaign, Channel, Content, Submission, Submitted
from app.domain.outcome import Consulted, Finding, Meant, Outcome, Probed, Report
from app.store.clock import Clock
from app.store.database import Database

FILED_AT_ONCE: Final = 3  # large files


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A content as its provider will carry it, checked before the message is accepted."""

    content: Content
    files: Mapping[str, bytes]  # by SHA-256; new bytes where the provider had them rewritten
    errors: Sequence[FieldError] = ()
    warnings: Sequence[str] = ()
    # Another content with the same files and variables, and a text wherever this one has a text,
    # would be prepared with these errors and warnings, and left as it is.
    alike: bool = False


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

    async def prepare(self, submission: Submission[Content], *, together: bool = False) -> Prepared:
        """Check a message against what this provider carries, before it is accepted.

        Raises ProviderContract where its contract does not offer the function at all.
        """

    def carries(self, content: Content) -> bool:
        """Say whether `prepare` would pass a content without files as it is; no says nothing."""

    def function_for(self, content: Content, *, together: bool = False) -> str:
        """Return the name of the function that sends a content, alone or together with others."""

    async def submit(self, submission: Submission[Content]) -> Outcome:
        """Make one call that may send."""

    async def submit_together(self, campaign: Campaign[Content]) -> Outcome:
        """Make one call that may send to every member of a campaign; its outcome is each one's."""

    async def probe(self, channel: Channel) -> Probed:
        """Make a call that sends nothing, to see whether messages of a channel may leave."""

    def tells_each(self, function: str) -> bool:
        """Say whether it tells each member's status of a campaign that a function sent."""

    async def ask(self, submitted: Submitted) -> Finding:
        """Ask what became of an accepted message."""

    def meaning_of(self, function: str, code: str) -> Meant | None:
        """Return what a code that was kept raw means by now, None where nobody has said it."""

    def remedy(self, function: str, code: str) -> str:
        """Return the lines of the operator's file that would say what a code means."""

    def health(self) -> Mapping[str, object]:
        """Say what works and what does not, for readiness and reports."""

    def offers(self) -> Sequence[Mapping[str, object]]:
        """Return, per function of its document, how it is called; empty while that is not known."""


class Desk(Protocol):
    """What a provider can be asked besides sending and following: tools, reports, its users."""

    async def consult(self, function: str, values: Mapping[str, object]) -> Consulted:
        """Call a documented function once, with values by their documented names."""

    async def read_report(self, content: bytes) -> Sequence[Mapping[str, str]] | None:
        """Return a report's rows by our names, None where nobody said what its columns are.

        Raises ValueError, without a word of the report, where it is not as it was said.
        """


class Evidence(Protocol):
    """What a provider shows of messages whose call nobody answered."""

    async def report(self, since: datetime, now: datetime) -> Reported | NoReport:
        """Ask once for what the provider took from us from a moment on. It raises nothing."""


_LANES = (False, True)  # whether simulated twins carry what is done there


class Wake:
    """Tells the worker of this process that a channel has work; other processes look by time."""

    def __init__(self) -> None:
        self._events = {
            (channel, twins): asyncio.Event() for channel in Channel for twins in _LANES
        }

    def call(self, channel: Channel) -> None:
        """Say that a channel has work."""
        for twins in _LANES:
            self._events[channel, twins].set()

    async def wait(self, channel: Channel, seconds: float, *, twins: bool = False) -> None:
        """Return when a channel has work, or after so long."""
        event = self._events[channel, twins]
        try:
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            return
        event.clear()


class News:
    """Tells who waits in this process that something was published; others look by time."""

    def __init__(self) -> None:
        self._next = asyncio.Event()

    def call(self) -> None:
        """Say that something was published."""
        self._next.set()
        self._next = asyncio.Event()

    async def wait(self) -> None:
        """Return when something is published after this."""
        await self._next.wait()


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How long things may take."""

    lease: timedelta = timedelta(seconds=120)  # of a claim; longer than any call
    start_within: timedelta = timedelta(seconds=30)  # from the claim to the call, or it is dropped
    grace: timedelta = timedelta(seconds=30)  # after a lease's end, before it counts as lost
    document_life: timedelta = timedelta(hours=24)  # how long a fax's document may be fetched
    idle: float = 0.5  # seconds between looks at an empty queue
    pace: float = 1.0  # multiplies every pause; below 1 for a laptop and for tests
    drain: float = 80.0  # seconds that calls in flight have at the end
    fax_retries: tuple[timedelta, ...] = (  # pauses before a fax to a busy line is sent again
        timedelta(minutes=5),
        timedelta(minutes=15),
        timedelta(minutes=30),
    )
    ack_overdue: timedelta = timedelta(hours=1)  # an acknowledgement that takes longer is late
    settle: timedelta = timedelta(minutes=30)  # after which a report has what was sent
    keys_kept: timedelta = timedelta(days=90)  # how long an Idempotency-Key is, at the least
    kept: timedelta | None = None  # how long a message is, since its last event; None: for ever


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
    zone: tzinfo = UTC  # whose midnight daily quotas begin anew at
    twin_url: str = ""  # at which simulated twins reach us; empty: as providers do
    inspector: Inspector = field(default_factory=Inspector)
    desks: Mapping[str, Desk] = field(default_factory=dict)  # of providers that have one
    evidence: Mapping[str, Evidence] = field(default_factory=dict)  # of providers that have any
    learn: Mapping[str, Learn] = field(default_factory=dict)  # for providers that acknowledge
    concurrency: Mapping[str, int] = field(default_factory=dict)  # calls at once, by provider
    rates: Mapping[str, float] = field(default_factory=dict)  # calls a second, by provider
    slots: Mapping[str, int] = field(default_factory=dict)  # of each billing code, by provider
    timing: Timing = field(default_factory=Timing)
    wake: Wake = field(default_factory=Wake)
    usage: Usage = field(default_factory=Usage)  # of the clients' daily quotas
    news: News = field(default_factory=News)  # of events in feeds
    tellings: News = field(default_factory=News)  # of deliveries to webhooks
    loading: Loading = field(default_factory=Loading)  # files that are handed over
    # Large files are written by themselves, some at once.
    filing: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(FILED_AT_ONCE))
    # Writes the log's lines of messages that were taken, at a part of the price, where it can: of
    # each its id, its attempt's reference, and the provider's code.
    taken_lines: Callable[[Sequence[tuple[str, str, str | None]]], None] | None = None
    fault_points: FaultPoints = field(default_factory=FaultPoints)  # tests arm them
    production: bool = False  # a store that is fast and unsafe is refused
    clock: Clock | None = None  # that `now` goes by, kept in step with the store's
    outside: Path | None = None  # the file that keeps the store's position outside it
    spool: Path | None = None  # the folder for acknowledgements while the store is away
    webhooks: Webhooks | None = None  # None: nothing is posted to clients

    def local_time(self) -> datetime:
        """Return the time in the deployment's zone: its day is that of the daily quotas."""
        return self.now().astimezone(self.zone)

    def slots_of(self, channel: Channel) -> int:
        """Return how many slots each billing code has that a channel's messages are sent under."""
        return self.slots.get(self.routes[channel], 0) if channel is Channel.SMS else 0

    def overdue_after(self, provider: str) -> timedelta | None:
        """Return when a provider's acknowledgement is overdue; None of one that sends none."""
        return self.timing.ack_overdue if provider in self.learn else None
