"""What a text message costs the database, step by step, and what loads of some rates cost it."""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import timedelta
from typing import Final

from app.delivery import retain
from app.delivery.forget import Forgetting
from bench.asked import Asked
from bench.compared import Comparison, Sample
from bench.dispatch import provider
from bench.grown import opened
from bench.growth import quiet
from bench.measured import cpu
from bench.offered import fresh, wrong
from bench.site import load
from bench.spent import DATABASE, Account, Ledger, packed
from bench.subjects import own_sms
from bench.sustained import sustained
from bench.working import followed, has_told, positions, resting, wait_until, working
from tests.postgres import Postgres

MESSAGES: Final = 20_000
CONNECTIONS: Final = 32
LONG: Final = 600.0  # seconds, in which all of them are taken in
SLOW: Final = 50  # messages a second, that a worker does at the least
KEPT: Final = timedelta(days=100)
UNTIL_SUBMITTED: Final = 3  # events of a message
# Statuses are due to be asked now.
ASK: Final = "UPDATE messages SET due_at = now() WHERE status = 'submitted'"
ELSEWHERE: Final = "SELECT count(*) FROM messages WHERE status <> 'delivered'"


def cost(asked: Asked) -> Iterator[Comparison]:
    """PostgreSQL, the real processes; loads are compared with what these steps add up to."""
    with ExitStack() as stack:
        stack.enter_context(quiet())
        server = asked.server(stack)
        port = stack.enter_context(provider(asked, 0.0))
        life = stack.enter_context(closing(Life(asked, server, port)))
        title = f"{life.count} text messages, one step after the other; of each message"
        steps = Comparison(title, ("rate", "service", *DATABASE))
        steps.run(asked, life.steps())
        yield steps
        yield life.kept
        yield from sustained(asked, server, port, steps)


class Life:
    """Messages on a store of their own, which go through each step together."""

    def __init__(self, asked: Asked, server: Postgres, port: int) -> None:
        self.count = asked.many(MESSAGES)
        self.kept = Comparison(
            "what a delivered message keeps, packed", ("rows", "heap", "indexes")
        )
        self._asked = asked
        self._server = server
        self._subject = followed(asked, server, port)
        self._account = Account(asked, server, self._subject.url)
        # When the server likes to vacuum is another question than what that costs.
        self._account.never_vacuum()
        self._beginning = 0.0 if asked.smoke else self._begun()

    def steps(self) -> Mapping[str, Callable[[], Sample]]:
        """Return the steps, in their order."""
        return {
            "accepted": self._accept,
            "sent, and told": self._send,
            "delivered, and told": self._deliver,
            "vacuumed": self._vacuum,
            "deleted": self._delete,
            "vacuumed after that": self._vacuum,
        }

    def _begun(self) -> float:
        """Return the seconds of CPU that a worker takes to begin."""
        with working(self._subject, self._asked.service) as worker:
            return resting(self._asked, worker)

    def close(self) -> None:
        """Look no more."""
        self._account.close()

    def _accept(self) -> Sample:
        subject = self._subject
        template, values = own_sms(subject, self.count)
        before = self._account.look()
        with subject.served(self._asked.service):
            service, database = cpu(*subject.pids), self._account.database
            began = time.monotonic()
            told = load(
                subject.ports,
                template,
                subject.folder,
                values=values,
                cores=self._asked.generator,
                connections=CONNECTIONS,
                most=self.count,
                seconds=LONG,
                warm=0.0,
                first=fresh(),
            )
            seconds = time.monotonic() - began
            service, database = cpu(*subject.pids) - service, self._account.database - database
        spent = replace(self._account.look().since(before), database=database)
        return self._sample(spent, seconds, service, wrong(told, 202))

    def _send(self) -> Sample:
        return self._worked(UNTIL_SUBMITTED * self.count, {})

    def _deliver(self) -> Sample:
        self._account.do(ASK)
        self._account.do("VACUUM ANALYZE")
        sample = self._worked(self.count, {"MULTICANAL_PACE": "1"})
        if not self.kept.samples:
            self._pack()
        elsewhere = self._account.ask(ELSEWHERE)
        faults = [f"{elsewhere} messages were not delivered"] if elsewhere else []
        return replace(sample, faults=faults)

    def _pack(self) -> None:
        """Look what a message keeps, in a copy: nobody may be connected while it is made."""
        self._account.close()
        sizes = packed(self._asked, self._server, self._subject.url, self.count)
        for table, figures in sizes.items():
            self.kept.samples[table].append(Sample(figures))
        self._account = Account(self._asked, self._server, self._subject.url)

    def _worked(self, events: int, more: Mapping[str, str]) -> Sample:
        """Run a worker until so many more events have their place, and the client was told."""
        account = self._account
        until, before = positions(account) + events, account.look()
        database = account.database
        with working(self._subject, self._asked.service, more) as worker:
            patience, began = self.count / SLOW, time.monotonic()
            wait_until(lambda: positions(account) >= until, worker, patience)
            wait_until(lambda: has_told(account), worker, patience)
            seconds = time.monotonic() - began
            service, database = cpu(worker.pid), account.database - database
        spent = replace(account.look().since(before), database=database)
        return self._sample(spent, seconds, max(service - self._beginning, 0.0), ())

    def _vacuum(self) -> Sample:
        before, began = self._account.look(), time.monotonic()
        self._account.do("VACUUM")
        seconds = time.monotonic() - began
        return self._sample(self._account.look().since(before), seconds, 0.0, ())

    def _delete(self) -> Sample:
        self._account.do("DELETE FROM retention")  # its turn is due, whenever the last one was
        before = self._account.look()
        service, began = time.process_time(), time.monotonic()
        asyncio.run(_deleted(self._subject.url))
        service, seconds = time.process_time() - service, time.monotonic() - began
        spent = self._account.look().since(before)
        left = self._account.ask("SELECT count(*) FROM messages")
        faults = [f"{left} messages are left"] if left else []
        return self._sample(spent, seconds, service, faults)

    def _sample(
        self, spent: Ledger, seconds: float, service: float, faults: Sequence[str]
    ) -> Sample:
        own = {"rate": self.count / seconds, "service": service / self.count * 1e6}
        return Sample(own | spent.each(self.count), faults)


async def _deleted(url: str) -> None:
    """Delete messages and keys, as a worker does when their time is over."""
    world = await opened(url)
    world.clock.turn(days=2 * KEPT.days)
    timing = replace(world.gateway.timing, kept=KEPT, keys_kept=KEPT)
    gateway = replace(world.gateway, timing=timing)
    while await retain.delete_messages(gateway, KEPT):
        pass
    forgetting = Forgetting(gateway)
    while await forgetting.step():
        pass
    await gateway.database.close()
