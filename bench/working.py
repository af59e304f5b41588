"""Workers of our gateway, whose messages are delivered and whose client is told of it."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from bench.asked import Asked
from bench.measured import cpu
from bench.site import PATIENCE, Running, running
from bench.spent import Account
from bench.subjects import COMMAND, Subject, ours
from tests.postgres import Postgres

LOOK: Final = 0.1  # seconds between two looks whether all is done
NEXT_TO_NOTHING: Final = 0.1  # of a core: a worker that has begun, and rests
POSITIONS: Final = "SELECT coalesce(sum(position), 0)::bigint FROM feeds"
PENDING: Final = "SELECT EXISTS (SELECT FROM webhook_deliveries WHERE state = 'pending')"


def followed(asked: Asked, server: Postgres, port: int, **settings: str) -> Subject:
    """Return our gateway, whose messages a provider delivers and whose client takes webhooks."""
    subject = ours(
        asked, server, MULTICANAL_EFIDEM_ADDRESS=f"http://127.0.0.1:{port}/soap", **settings
    )
    subject.told_at = f"http://127.0.0.1:{port}/hook"
    return subject


@contextmanager
def working(
    subject: Subject, cores: set[int] | None, more: Mapping[str, str] | None = None
) -> Iterator[Running]:
    """Run a worker until this is left."""
    environment = {**subject.environment, **(more or {})}
    with running(
        [COMMAND, "worker"], subject.folder, cores=cores, environment=environment
    ) as worker:
        yield worker


def resting(asked: Asked, worker: Running) -> float:
    """Wait until a worker has begun and has nothing to do; return the CPU that it took for that."""
    spent = 0.0
    while (now := cpu(worker.pid)) == 0.0 or now - spent > NEXT_TO_NOTHING * asked.settles:
        spent = now
        time.sleep(asked.settles)
    return now


def wait_until(happened: Callable[[], bool], worker: Running, seconds: float) -> None:
    """Return when something has happened that workers have to do; fail with the log of one."""
    deadline = time.monotonic() + PATIENCE + seconds
    while not happened():
        assert time.monotonic() < deadline, f"not done\n{worker.log.read_text()[-5000:]}"
        time.sleep(LOOK)


def positions(account: Account) -> int:
    """Return how many events have their place in a feed."""
    return int(account.ask(POSITIONS))


def has_told(account: Account) -> bool:
    """Say whether no webhook is due any more."""
    return not account.ask(PENDING)
