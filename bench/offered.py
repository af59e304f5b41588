"""Subjects that are served side by side, and what comes of requests that are offered to them."""

import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from typing import Any, Final

import psycopg

from bench import site
from bench.asked import Asked
from bench.compared import Sample
from bench.measured import BUSY, cpu
from bench.subjects import Subject, common, lean, ours
from tests.postgres import Postgres

COLUMNS: Final = ("rate", "p50", "p99", "service", "database")
MOST: Final = 0.9  # of a core: the generator was the bottleneck


@contextmanager
def served(
    asked: Asked,
    *names: str,
    kind: str = "PostgreSQL",
    processes: int = 1,
    settings: Mapping[str, str] | None = None,
) -> Iterator[tuple[list[Subject], Postgres | None]]:
    """Serve some of ours, F and T, each on a store of its own, on one server."""
    cores = asked.service if processes == 1 else None
    with ExitStack() as stack:
        server = asked.server(stack) if kind == "PostgreSQL" else None
        made = []
        for name in names:
            if name == "ours":
                subject = ours(asked, server, **(settings or {}))
            else:
                subject = (lean if name == "F" else common)(asked, server)
            made.append(subject)
            stack.enter_context(subject.served(cores, processes=processes, wait=False))
        for subject in made:
            subject.wait_ready()
        yield made, server


def offered(
    asked: Asked,
    subject: Subject,
    server: Postgres | None,
    template: bytes,
    *,
    expected: int,
    values: Sequence[str] = (),
    counted: str | None = None,
    **options: float,
) -> Sample:
    """Offer requests to a subject; how fast it answered, and what it spent.

    `counted` is an SQL condition on its messages, of which each answer has to make one more.
    """
    before = having(subject, counted) if counted else 0
    spent = cpu(*subject.pids), cpu(server.pid) if server else 0.0
    told = site.load(
        subject.ports,
        template,
        subject.folder,
        values=values,
        cores=asked.generator if len(subject.ports) == 1 else None,
        **{"seconds": asked.seconds, "warm": asked.warm, "first": fresh(), **options},
    )
    service, database = cpu(*subject.pids) - spent[0], cpu(server.pid) - spent[1] if server else 0.0
    answers = sum(told["all"].values())
    faults = wrong(told, expected)
    if counted and (kept := having(subject, counted) - before) < told["all"].get(str(expected), 0):
        faults.append(f"{kept} rows committed, {answers} answers given")
    each = 1e6 / answers if answers else 0.0
    figures = {
        "rate": told["rate"],
        "p50": told["p50"],
        "p99": told["p99"],
        "service": service * each,
        "database": database * each,
    }
    return Sample(figures, faults)


def fresh() -> int:
    """Return a number from which on no request was made before, in this run or another."""
    return time.time_ns() // 100_000 % 10**11 * 10


def wrong(told: dict[str, Any], expected: int) -> list[str]:
    """Return why what a generator tells is void, if it is."""
    found = [f"answered {status}" for status in told["all"] if status != str(expected)]
    if not told["all"]:
        found.append("nothing was answered")
    if told["unanswered"]:
        found.append("requests were left unanswered")
    if told["broken"]:
        found.append("connections broke")
    if told["busy"] > MOST:
        found.append(f"{BUSY}: the generator had no more to give")
    return found


def having(subject: Subject, condition: str, of: str = "messages") -> int:
    """Return how many rows of a subject's table meet an SQL condition."""
    statement = f"SELECT count(*) FROM {of} WHERE {condition}"
    if subject.url.startswith("sqlite"):
        with closing(sqlite3.connect(subject.url.removeprefix("sqlite:///"))) as file:
            return int(file.execute(statement).fetchone()[0])
    with psycopg.connect(subject.url) as connection:
        row = connection.execute(statement).fetchone()  # type: ignore[arg-type]
    assert row is not None
    return int(row[0])
