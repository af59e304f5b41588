"""Loads that last, through every step, beside what the steps of their messages add up to.

The processes have all cores but PostgreSQL's own two: several workers share the load, as many as it
takes.
"""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from bench.asked import Asked
from bench.compared import Bound, Comparison, Sample
from bench.measured import cpu, figure
from bench.offered import wrong
from bench.site import Running, load
from bench.spent import Account, Ledger
from bench.subjects import own_sms
from bench.working import followed, has_told, positions, resting, wait_until, working
from tests.postgres import Postgres

TIMES: Final = 12  # a load lasts as long as so many other measurements
WIDE: Final = 128  # connections
EVENTS: Final = 4  # of a message that is delivered
EACH: Final = 350  # messages a second for which there is one worker
SLOW: Final = 50  # messages a second that are done at the least, once no more come
STEPS: Final = ("accepted", "sent, and told", "delivered, and told", "vacuumed")
SPENT: Final = ("service", "worker", "database", "wal", "commits")
COLUMNS: Final = ("rate", "done", "p99", *SPENT, "pages", "dead", "vacuums", "size")
STEPWISE: Final = "by its steps"
WHOLE: Final = "as it came"
IDLE: Final = "idle"


def sustained(asked: Asked, server: Postgres, port: int, steps: Comparison) -> Iterator[Comparison]:
    """PostgreSQL, an API and a worker, some rates; and what they cost where nothing comes."""
    once = replace(asked, repetitions=1)
    with closing(Load(asked, server, port)) as one:
        idle = Comparison("nothing to do: an API and a worker, of each second", SPENT)
        idle.run(once, {IDLE: one.idle})
        yield idle
        bounds = [Bound(of, WHOLE, STEPWISE) for of in ("database", "wal")]
        for rate in asked.sustained:
            title = f"{rate} text messages a second, all steps; of each message"
            found = Comparison(title, COLUMNS, bounds)
            expected = Sample(_expected(steps, idle, rate))
            found.run(once, {WHOLE: partial(one.of, rate), STEPWISE: partial(_same, expected)})
            yield found


def _expected(steps: Comparison, idle: Comparison, rate: float) -> Mapping[str, float]:
    """Return what a message costs where so many come in a second, by what was measured apart."""
    return {
        of: sum(figure(steps.values(step, of)).median for step in STEPS)
        + figure(idle.values(IDLE, of)).median / rate
        for of in ("database", "wal", "pages")
    }


def _same(sample: Sample) -> Sample:
    return sample


@dataclass(slots=True)
class Spending:
    """Workers beside an API, and what they and the database have spent at the end."""

    workers: Sequence[Running]
    service: float = 0.0  # seconds of CPU, of the API
    own: float = 0.0  # of the workers
    ledger: Ledger | None = None

    def each(self, many: float) -> dict[str, float]:
        """Return what each of so many cost."""
        assert self.ledger is not None
        own = {"service": self.service / many * 1e6, "worker": self.own / many * 1e6}
        return own | self.ledger.each(many)


class Load:
    """Our gateway, an API and a worker, to which messages come at some rate."""

    def __init__(self, asked: Asked, server: Postgres, port: int) -> None:
        self._asked = asked
        self._seconds = asked.seconds * (1 if asked.smoke else TIMES)
        self._subject = followed(asked, server, port, MULTICANAL_PACE="0.3" if asked.smoke else "1")
        self._account = Account(asked, server, self._subject.url)

    def close(self) -> None:
        """Look no more."""
        self._account.close()

    def idle(self) -> Sample:
        """Return what a second costs in which nothing is to be done."""
        with self._spending(1) as spending:
            time.sleep(self._seconds)
        return Sample(spending.each(self._seconds))

    def of(self, rate: float) -> Sample:
        """Return what a message costs where so many come in a second."""
        account, done = self._account, positions(self._account)
        with self._spending(math.ceil(rate / EACH)) as spending:
            began = time.monotonic()
            told = self._offered(rate)
            many = sum(told["all"].values())
            one, every = spending.workers[0], done + EVENTS * many
            wait_until(lambda: positions(account) >= every, one, many / SLOW)
            wait_until(lambda: has_told(account), one, many / SLOW)
            seconds = time.monotonic() - began
        figures = {"rate": told["rate"], "p99": told["p99"], "done": many / seconds}
        return Sample(figures | spending.each(max(many, 1)), wrong(told, 202))

    def _offered(self, rate: float) -> dict[str, Any]:
        subject = self._subject
        template, values = own_sms(subject, int(2 * rate * self._seconds))
        return load(
            subject.ports,
            template,
            subject.folder,
            values=values,
            cores=self._asked.generator,
            connections=WIDE,
            rate=rate,
            seconds=self._seconds,
            warm=0.0,
        )

    @contextmanager
    def _spending(self, count: int) -> Iterator[Spending]:
        account, subject = self._account, self._subject
        with ExitStack() as stack:
            stack.enter_context(subject.served(None))
            workers = [stack.enter_context(working(subject, None)) for _ in range(count)]
            for one in workers:
                resting(self._asked, one)
            found, pids = Spending(workers), [one.pid for one in workers]
            before = account.look()
            service, own = cpu(*subject.pids), cpu(*pids)
            yield found
            found.service, found.own = cpu(*subject.pids) - service, cpu(*pids) - own
            database = account.database - before.database
        found.ledger = replace(account.look().since(before), database=database)
