"""Accept one SMS durably: closed loop at 32 and 128 connections, and open loop at a steady rate."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final

from bench.asked import Asked
from bench.compared import Bound, Comparison, Sample
from bench.offered import COLUMNS, offered, served
from bench.subjects import Subject, sms
from tests.postgres import Postgres

WIDE: Final = 128  # connections of the open loop
ANY: Final = "TRUE"  # message
OF_T: Final = Bound("rate", "ours", "T", 15, 20)
OF_F: Final = Bound("rate", "ours", "F", 0.5, 0.65)
CPU: Final = (
    Bound("service", "ours", "F", inverse=True),
    Bound("service", "ours", "T", inverse=True),
)


def accept(asked: Asked) -> Iterator[Comparison]:
    """PostgreSQL, one process."""
    database = Bound("database", "ours", "F", 2, most=True)
    yield from _closed(asked, "PostgreSQL", (OF_T, OF_F, database, *CPU))


def accept_sqlite(asked: Asked) -> Iterator[Comparison]:
    """SQLite with a synced commit, one process."""
    bounds = (Bound("rate", "ours", "T", 15, 25), Bound("rate", "ours", "F", 0.5), *CPU)
    yield from _closed(asked, "SQLite", bounds)


def accept_4(asked: Asked) -> Iterator[Comparison]:
    """PostgreSQL, several processes of each, and all of them on all cores."""
    bounds = (Bound("rate", "ours", "T", 10, 13), Bound("rate", "ours", "F"), *CPU)
    yield from _closed(asked, "PostgreSQL", bounds, processes=asked.processes)


def _closed(
    asked: Asked, kind: str, bounds: tuple[Bound, ...], processes: int = 1
) -> Iterator[Comparison]:
    with served(asked, "ours", "F", "T", kind=kind, processes=processes) as (subjects, server):
        for wide in asked.connections if processes == 1 else asked.connections[-1:]:
            title = f"accept one SMS, {kind}, {processes} process(es), {wide} connections"
            found = Comparison(title, COLUMNS if server else COLUMNS[:-1], bounds)
            found.run(asked, _works(asked, subjects, server, connections=wide))
            yield found


def open_loop(asked: Asked) -> Iterator[Comparison]:
    """PostgreSQL, one process, requests due at a steady rate."""
    with served(asked, "ours", "F") as (subjects, server):
        for rate in asked.rates:
            bounds = (
                Bound("p99", "ours", "F", 2, 1.5, most=True),
                Bound("rate", "ours", None, rate * 0.99),
            )
            title = f"accept one SMS, PostgreSQL, 1 process, {rate} offered a second"
            found = Comparison(title, COLUMNS, bounds)
            found.run(asked, _works(asked, subjects, server, connections=WIDE, rate=rate))
            yield found


def _works(
    asked: Asked, subjects: Sequence[Subject], server: Postgres | None, **load: float
) -> dict[str, Callable[[], Sample]]:
    return {
        one.name: partial(offered, asked, one, server, sms(one), expected=202, counted=ANY, **load)
        for one in subjects
    }
