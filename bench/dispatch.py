"""Dispatch, from claim to "submitted": one worker process, a provider that answers at once or late."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final

import psycopg

from bench.asked import Asked
from bench.compared import Bound, Comparison, Sample
from bench.measured import cpu
from bench.offered import having
from bench.site import PATIENCE, python, running
from bench.stored import store_sms
from bench.subjects import COMMAND, Subject, common, lean, ours
from tests.journeys.loopback import call, free_port
from tests.postgres import Postgres

COLUMNS: Final = ("rate", "service", "database")
QUEUED: Final = "status = 'queued'"
SUBMITTED: Final = "status = 'submitted'"
THREADS: Final = 32  # of the usual dispatcher
DEEPER: Final = 3  # times the queue of which nothing was left


@dataclass(slots=True)
class Line:
    """A subject, the command that dispatches what it holds, and how much it is given to hold."""

    subject: Subject
    command: list[str]
    depth: int  # messages
    store: Callable[[Subject, int], None] = store_sms
    submitted: str = SUBMITTED  # in SQL; where very many are stored, as an index has it


def dispatch(asked: Asked) -> Iterator[Comparison]:
    """Measure with a provider that answers at once."""
    bounds = [
        Bound("rate", "ours", "T", 15),
        Bound("rate", "ours", "F", 0.25, 0.4),
        Bound("service", "ours", "T", inverse=True),
        Bound("service", "ours", "F", inverse=True),
    ]
    yield from _dispatched(asked, 0.0, 64, bounds, usual=True)


def dispatch_50ms(asked: Asked) -> Iterator[Comparison]:
    """Measure with a provider that answers after 50 ms, 256 calls in flight."""
    most = 256 / 0.05
    bounds = [Bound("rate", "ours", None, 0.85 * most, 0.92 * most), Bound("rate", "ours", "F")]
    yield from _dispatched(asked, 0.05, 256, bounds, usual=False)


def _dispatched(
    asked: Asked, delay: float, in_flight: int, bounds: list[Bound], *, usual: bool
) -> Iterator[Comparison]:
    with ExitStack() as stack:
        server = asked.server(stack)
        port = stack.enter_context(provider(asked, delay))
        address = f"http://127.0.0.1:{port}/soap"
        settings = {
            "MULTICANAL_EFIDEM_ADDRESS": address,
            "MULTICANAL_EFIDEM_CONCURRENCY": str(in_flight),
        }
        mine, floor = ours(asked, server, **settings), lean(asked, server)
        lines = [
            Line(mine, [COMMAND, "worker"], asked.many(15_000)),
            Line(floor, _ours("floor", floor.url, port, in_flight), asked.many(60_000)),
        ]
        if usual:
            theirs = common(asked, server)
            lines.append(Line(theirs, _ours("usual", theirs.url, port, THREADS), asked.many(3_000)))
        title = f"dispatch SMS, provider answers after {delay * 1000:.0f} ms, {in_flight} in flight"
        found = Comparison(title, COLUMNS, bounds)
        works: dict[str, Callable[[], Sample]] = {
            one.subject.name: partial(dispatched, asked, one, server, port) for one in lines
        }
        found.run(asked, works)
        yield found


def _ours(kind: str, url: str, port: int, width: int) -> list[str]:
    return python(f"bench.{kind}_dispatch", url, str(port), str(width))


@contextmanager
def provider(asked: Asked, delay: float) -> Iterator[int]:
    """Run a provider that costs little, on a core of its own; return its port."""
    port = free_port()
    command = python("bench.provider", str(port), str(delay))
    folder = asked.folder_of("provider")
    with running(command, folder, cores=asked.generator, port=port) as process:
        process.wait_ready()
        yield port


def dispatched(asked: Asked, line: Line, server: Postgres, port: int) -> Sample:
    """Dispatch for some time; where the queue ran dry meanwhile, again with a deeper one."""
    while True:
        _fill(asked, line)
        sample = worked(asked, line, server, port)
        if sample is not None:
            return sample
        line.depth *= DEEPER


def _fill(asked: Asked, line: Line) -> None:
    if line.subject.name == "ours":
        # What the last repetition sent is none of this one's business.
        with psycopg.connect(line.subject.url) as connection:
            connection.execute("UPDATE messages SET due_at = NULL WHERE status = 'submitted'")
    missing = line.depth - having(line.subject, QUEUED)
    if missing <= 0:
        return
    if line.subject.name == "ours":
        with line.subject.served(asked.service):
            line.store(line.subject, missing)
    else:
        line.store(line.subject, missing)
    with psycopg.connect(line.subject.url, autocommit=True) as connection:
        # As autovacuum would in time: no subject shall begin with a plan for an empty table.
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")


def worked(asked: Asked, line: Line, server: Postgres, port: int) -> Sample | None:
    """Have what is queued dispatched for some time; None where the queue ran dry meanwhile."""
    subject, submitted = line.subject, line.submitted
    before = having(subject, submitted), _sends(port)
    with running(
        line.command, subject.folder, cores=asked.service, environment=subject.environment
    ) as process:
        deadline = time.monotonic() + PATIENCE
        while _sends(port) == before[1]:
            assert time.monotonic() < deadline, f"nothing is sent\n{process.log.read_text()}"
            time.sleep(0.02)
        while asked.smoke and having(subject, submitted) == before[0]:
            assert time.monotonic() < deadline, f"nothing ends\n{process.log.read_text()}"
            time.sleep(0.02)
        time.sleep(asked.warm)
        # Where it only has to work, few wait: they may be gone by now.
        done = before[0] if asked.smoke else having(subject, submitted)
        began = time.perf_counter()
        spent = cpu(process.pid), cpu(server.pid)
        time.sleep(asked.seconds)
        left = having(subject, QUEUED)
        many = having(subject, submitted) - done
        seconds = time.perf_counter() - began
        service, database = cpu(process.pid) - spent[0], cpu(server.pid) - spent[1]
    if left == 0 and not asked.smoke:
        return None
    faults = []
    sent, kept = _sends(port) - before[1], having(subject, submitted) - before[0]
    # F and T are cut off in their calls; our worker ends them first.
    if subject.name == "ours" and kept != sent:
        faults.append(f"{sent} sent, {kept} submitted; now {_statuses(subject)}")
    if not many:
        faults.append("nothing was submitted")
    figures = {
        "rate": many / seconds,
        "service": service / max(many, 1) * 1e6,
        "database": database / max(many, 1) * 1e6,
    }
    return Sample(figures, faults)


def _statuses(subject: Subject) -> str:
    with psycopg.connect(subject.url) as connection:
        asked = "SELECT status, count(*) FROM messages GROUP BY status ORDER BY status"
        found = connection.execute(asked).fetchall()
    return ", ".join(f"{count} {status}" for status, count in found)


def _sends(port: int) -> int:
    return int(call("GET", f"http://127.0.0.1:{port}/count").content)
