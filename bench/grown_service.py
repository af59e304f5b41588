"""Our gateway over stores that are filled already, and what it is asked over HTTP and does, in turn."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final
from uuid import UUID

import psycopg

from app.domain.identifiers import MESSAGE, shown
from bench.asked import Asked
from bench.callback import PATH as CALLBACK
from bench.compared import Bound, Comparison, Sample
from bench.dispatch import COLUMNS as DISPATCHED
from bench.dispatch import QUEUED, Line, provider, worked
from bench.grown import faxes
from bench.offered import COLUMNS, having, offered
from bench.site import PATIENCE
from bench.stored import store_sms
from bench.subjects import COMMAND, Subject, over, own_sms, request
from tests.postgres import Postgres

KEYS: Final = 12_000  # a second: more than are used
PATH: Final = "/v1/messages/@1@"
WIDE: Final = 128  # connections
FAXES: Final = 10_000  # a repetition
QUEUE: Final = 60_000  # messages that wait when a worker begins
IN_FLIGHT: Final = 64
# In the words of a partial index: to count them must not read ten million rows.
SUBMITTED: Final = "status = 'submitted' AND due_at IS NOT NULL"
NOTHING_LATER: Final = f"UPDATE messages SET due_at = NULL WHERE {SUBMITTED}"


def bounds(names: Iterable[str], *, judged: bool = True, timed: bool = True) -> list[Bound]:
    """Return what many stored messages may cost; `names`: of a store with few, and of one with many."""
    few, many = names
    rate, late = ((0.9, 0.95), (1.5,)) if judged else ((), ())
    found = [Bound("rate", many, few, *rate)]
    if timed:
        found.append(Bound("p99", many, few, *late, most=True))
    return [*found, Bound("database", many, few)]


@dataclass(slots=True)
class Grown:
    """A store that is filled, our gateway over it, and what it is asked for."""

    subject: Subject
    ids: Sequence[UUID]  # of messages from all over it
    references: list[str] = field(default_factory=list)  # of faxes that nobody acknowledged yet


@contextmanager
def serving(
    asked: Asked, urls: Mapping[str, str], settings: Mapping[str, str]
) -> Iterator[dict[str, Subject]]:
    """Serve each store by a process of its own."""
    with ExitStack() as stack:
        found = {}
        for name, url in urls.items():
            subject = over(asked, url, "client")
            subject.environment = {**subject.environment, **settings}
            found[name] = stack.enter_context(subject.served(asked.service))
        yield found


def requested(
    asked: Asked, server: Postgres, urls: Mapping[str, str], ids: Mapping[str, Sequence[UUID]]
) -> Iterator[Comparison]:
    """Send what waits, take faxes' callbacks and messages in, and read the status of old ones."""
    with ExitStack() as stack:
        port = stack.enter_context(provider(asked, 0.0))
        settings = {
            "MULTICANAL_EFIDEM_ADDRESS": f"http://127.0.0.1:{port}/soap",
            "MULTICANAL_EFIDEM_CONCURRENCY": str(IN_FLIGHT),
        }
        subjects = stack.enter_context(serving(asked, urls, settings))
        grown = {
            name: Grown(one, ids[name], asyncio.run(_faxes(asked, urls[name])))
            for name, one in subjects.items()
        }
        for title, columns, work in (
            (f"claim, call and record SMS, {IN_FLIGHT} in flight", DISPATCHED, None),
            ("fax callback", COLUMNS, _called_back),
            ("accept one SMS", COLUMNS, _accepted),
            ("status read by id", COLUMNS, _read),
        ):
            title_now = f"{title}, PostgreSQL" + (f", {WIDE} connections" if work else "")
            found = Comparison(title_now, columns, bounds(urls, timed=work is not None))
            works = {
                name: partial(work or partial(_sent, port=port), asked, one, server)
                for name, one in grown.items()
            }
            found.run(asked, works)
            yield found


def requested_of_files(
    asked: Asked, urls: Mapping[str, str], ids: Mapping[str, Sequence[UUID]]
) -> Iterator[Comparison]:
    """Take callbacks and messages in, and read old ones' status; each store is a file of SQLite's."""
    with serving(asked, urls, {}) as subjects:
        grown = {
            name: Grown(one, ids[name], asyncio.run(_faxes(asked, urls[name])))
            for name, one in subjects.items()
        }
        for title, work in (
            ("fax callback", _called_back),
            ("accept one SMS", _accepted),
            ("status read by id", _read),
        ):
            title_now = f"{title}, SQLite, {WIDE} connections"
            found = Comparison(title_now, COLUMNS[:-1], bounds(urls)[:-1])
            works = {name: partial(work, asked, one, None) for name, one in grown.items()}
            found.run(asked, works)
            yield found


async def _faxes(asked: Asked, url: str) -> list[str]:
    return await faxes(url, asked.many(FAXES) * asked.repetitions)


def _sent(asked: Asked, grown: Grown, server: Postgres, port: int) -> Sample:
    """Have a worker send what waits; as much waits in each store when it begins."""
    subject = grown.subject
    with psycopg.connect(subject.url) as connection:
        connection.execute(NOTHING_LATER)  # of what was sent before
    depth = asked.many(QUEUE)
    while True:
        store_sms(subject, max(depth - having(subject, QUEUED), 0))
        line = Line(subject, [COMMAND, "worker"], depth, submitted=SUBMITTED)
        sample = worked(asked, line, server, port)
        if sample is not None:
            return sample
        depth *= 2


def _called_back(asked: Asked, grown: Grown, server: Postgres | None) -> Sample:
    """Take in acknowledgements, each the first of its fax."""
    subject, some = grown.subject, asked.many(FAXES)
    values = [grown.references.pop() for _ in range(some)]
    before = _applied(subject)
    sample = offered(
        asked,
        subject,
        server,
        request(subject, "GET", CALLBACK),
        expected=200,
        values=values,
        connections=WIDE,
        most=some,
        seconds=PATIENCE,  # at most: all are offered
        warm=0.0,
    )
    applied = _applied(subject) - before
    faults = [] if applied == some else [f"{applied} of {some} acknowledgements applied"]
    return replace(sample, faults=[*sample.faults, *faults])


def _applied(subject: Subject) -> int:
    return having(subject, "applied_at IS NOT NULL AND note IS NULL", of="acknowledgements")


def _accepted(asked: Asked, grown: Grown, server: Postgres | None) -> Sample:
    subject = grown.subject
    template, values = own_sms(subject, int((asked.seconds + asked.warm) * KEYS))
    return offered(asked, subject, server, template, expected=202, values=values, connections=WIDE)


def _read(asked: Asked, grown: Grown, server: Postgres | None) -> Sample:
    subject, values = grown.subject, [shown(MESSAGE, one) for one in grown.ids]
    template = request(subject, "GET", PATH)
    return offered(asked, subject, server, template, expected=200, values=values, connections=WIDE)
