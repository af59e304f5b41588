"""Memory: an API process that idles, and a worker that sends thousands of attachments of 1 MiB."""

import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

from bench.asked import Asked
from bench.attachment import store_emails
from bench.compared import Bound, Comparison, Sample
from bench.dispatch import provider
from bench.measured import family, resident
from bench.offered import having
from bench.site import running
from bench.subjects import COMMAND, Subject, ours

MESSAGES = 10_000
IDLE = 130  # MiB
FLAT = 24  # MiB from the second quarter to the last
SETTLES = 2.0  # times the time before a measurement, after the start
EVERY = 0.25  # seconds between two looks
SLOWEST = 5  # messages a second: below, it is stuck


def memory(asked: Asked) -> Iterator[Comparison]:
    """PostgreSQL, the real processes, their children counted."""
    with ExitStack() as stack:
        server = asked.server(stack)
        port = stack.enter_context(provider(asked, 0.0))
        address = f"http://127.0.0.1:{port}/soap"
        subject = ours(asked, server, MULTICANAL_EFIDEM_ADDRESS=address)
        found = Comparison(
            "an API process that idles", ("held",), [Bound("held", "ours", None, IDLE, most=True)]
        )
        found.run(asked, {"ours": lambda: _idle(asked, subject)})
        yield found
        many = asked.many(MESSAGES)
        with subject.served(asked.service):
            store_emails(subject, many)
        bounds = [Bound("grown", "ours", None, FLAT, most=True)]
        title = f"a worker that sends {many} e-mails with 1 MiB attached"
        found = Comparison(title, ("held", "grown", "highest"), bounds)
        found.run(replace(asked, repetitions=1), {"ours": lambda: _sending(asked, subject, many)})
        yield found


def _idle(asked: Asked, subject: Subject) -> Sample:
    with subject.served(asked.service):
        time.sleep(asked.warm * SETTLES)
        return Sample({"held": _held(subject.pids[0])})


def _sending(asked: Asked, subject: Subject, many: int) -> Sample:
    looks: list[tuple[float, float]] = []  # share that is sent, MiB
    faults = []
    with running(
        [COMMAND, "worker"], subject.folder, cores=asked.service, environment=subject.environment
    ) as worker:
        deadline = time.monotonic() + 30 + many / SLOWEST
        while (left := having(subject, "status = 'queued'")) and time.monotonic() < deadline:
            looks.append((1 - left / many, _held(worker.pid)))
            time.sleep(EVERY)
    if (sent := having(subject, "status = 'submitted'")) < many:
        faults.append(f"{sent} of {many} were submitted")
    held = [_between(looks, first, first + 0.25) for first in (0.25, 0.75)]
    highest = max((one for _, one in looks), default=0.0)
    figures = {"held": held[0], "grown": held[1] - held[0], "highest": highest}
    return Sample(figures, faults)


def _between(looks: list[tuple[float, float]], low: float, high: float) -> float:
    found = [held for share, held in looks if low <= share <= high]
    return statistics.median(found) if found else 0.0


def _held(pid: int) -> float:
    return sum(resident(one) for one in family(pid))
