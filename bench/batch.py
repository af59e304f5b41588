"""A batch of 10,000 SMS, and of 10,000 e-mails: how long, beside whom, and with how much memory."""

import json
import time
from collections.abc import Iterator
from functools import partial
from typing import Any, Final

from bench.asked import Asked
from bench.compared import Bound, Comparison, Sample
from bench.measured import cpu, forget_peak, peak, resident
from bench.offered import fresh, having, served, wrong
from bench.site import load, loading
from bench.stored import TEXT
from bench.subjects import Subject, sms
from tests.postgres import Postgres

MESSAGES: Final = 10_000
COLUMNS: Final = ("seconds", "service", "database", "peak", "quiet", "beside", "times")
BOUNDS: Final = (
    Bound("seconds", "ours", "T", 3.5, 5, inverse=True),
    Bound("service", "ours", "T", inverse=True),
    Bound("times", "ours", None, 2, most=True),
    Bound("peak", "ours", None, 150, most=True),
)
OTHERS: Final = 100.0  # requests a second beside a batch
CONNECTIONS: Final = 16


def batch(asked: Asked) -> Iterator[Comparison]:
    """PostgreSQL, one process, ours against pydantic with its checks and the ORM."""
    count = asked.many(MESSAGES)
    with served(asked, "ours", "T") as (subjects, server):
        assert server is not None
        idle = {one.name: resident(one.pids[0]) for one in subjects}
        for kind, path, messages in (
            ("SMS", "/v1/sms/batch", texts(count)),
            ("e-mails", "/v1/emails/batch", emails(count)),
        ):
            found = Comparison(f"a batch of {count} {kind}, PostgreSQL", COLUMNS, BOUNDS)
            works = {
                one.name: partial(_sent, asked, one, server, path, messages, idle[one.name])
                for one in subjects
            }
            found.run(asked, works)
            yield found


def texts(count: int) -> list[dict[str, Any]]:
    """Return text messages to as many numbers."""
    return [
        {"to": f"+33612{one:06}", "text": TEXT, "reference": f"batch-{one}"} for one in range(count)
    ]


def emails(count: int) -> list[dict[str, Any]]:
    """Return e-mails to as many addresses, on fifty domains."""
    return [
        {
            "from": {"address": "service@example.com"},
            "to": [{"address": f"prenom.nom{one}@domaine{one % 50}.example.com"}],
            "subject": "Votre dossier",
            "text": TEXT,
            "reference": f"batch-{one}",
        }
        for one in range(count)
    ]


def _sent(
    asked: Asked,
    subject: Subject,
    server: Postgres,
    path: str,
    messages: list[dict[str, Any]],
    idle: float,
) -> Sample:
    (pid,) = subject.pids
    count, faults = len(messages), []
    body = json.dumps({"messages": messages}).encode()
    before = having(subject, "TRUE")
    forget_peak(pid)
    spent, began = (cpu(pid), cpu(server.pid)), time.perf_counter()
    subject.offer(path, body)
    seconds = time.perf_counter() - began
    service, database = cpu(pid) - spent[0], cpu(server.pid) - spent[1]
    above = peak(pid) - idle
    if having(subject, "TRUE") - before != count:
        faults.append("another number of messages was committed than sent")
    figures = {
        "seconds": seconds,
        "service": service / count * 1e6,
        "database": database / count * 1e6,
        "peak": above,
    }
    told = [_beside(asked, subject, path, body, busy=busy) for busy in (False, True)]
    faults += [fault for one in told for fault in wrong(one, 202)]
    quiet, beside = (one["p99"] for one in told)
    more = {"quiet": quiet, "beside": beside, "times": beside / quiet if quiet else 0.0}
    return Sample(figures | more, faults)


def _beside(
    asked: Asked, subject: Subject, path: str, body: bytes, *, busy: bool
) -> dict[str, Any]:
    """Return what became of single requests, while batches come one after the other or not."""
    given = (subject.ports, sms(subject), subject.folder)
    options = {"connections": CONNECTIONS, "rate": OTHERS, "warm": 0.0, "seconds": asked.seconds}
    if not busy:
        return load(*given, cores=asked.generator, first=fresh(), **options)
    with loading(*given, cores=asked.generator, first=fresh(), **options) as process:
        while process.poll() is None:
            subject.offer(path, body)
        told, _ = process.communicate()
    found: dict[str, Any] = json.loads(told)
    return found
