"""An e-mail with an attachment of 1 MiB: accepted, dispatched, and the event loop never held up."""

import base64
import json
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final
from uuid import uuid4

import psycopg

from bench.asked import Asked
from bench.compared import Bound, Comparison, Sample
from bench.dispatch import Line, dispatched, provider
from bench.offered import offered
from bench.site import MARK, python
from bench.stored import IN_A_BATCH, TEXT
from bench.subjects import Subject, common, ours, request
from bench.watched import worst
from tests.postgres import Postgres

SIZE: Final = 1024 * 1024  # bytes
CONNECTIONS: Final = 8
IN_FLIGHT: Final = 16
LARGEST: Final = 10 * SIZE  # bytes: as much as one message may have, unless the settings say more
FEW: Final = 2  # connections, and calls in flight, with files of that size
LONGEST: Final = 10  # ms for which the loop may be held up
SENDER: Final = {"address": "service@example.com"}
EMAIL: Final = {"from": SENDER, "to": [{"address": "marie.durand@example.com"}]}


def attachment(asked: Asked) -> Iterator[Comparison]:
    """PostgreSQL; against FastAPI with the ORM, and zeep with httpx."""
    with ExitStack() as stack:
        server = asked.server(stack)
        port = stack.enter_context(provider(asked, 0.0))
        settings = {
            "MULTICANAL_EFIDEM_ADDRESS": f"http://127.0.0.1:{port}/soap",
            "MULTICANAL_EFIDEM_CONCURRENCY": str(IN_FLIGHT),
        }
        mine, theirs = ours(asked, server, **settings), common(asked, server)
        watched = mine.folder / "late.txt"
        with ExitStack() as serving:
            mine.command = lambda port: _watched(watched, "api", "--port", str(port))
            for one in (mine, theirs):
                serving.enter_context(one.served(asked.service))
            yield _accepted(asked, mine, theirs, server, watched)
            yield _largest_accepted(asked, mine, server, watched)
        yield _dispatched(asked, mine, theirs, server, port, watched)
        yield _largest_dispatched(asked, mine, server, port, watched)


def _watched(file: Path, *arguments: str) -> list[str]:
    return python("bench.watched", str(file), *arguments)


def _accepted(
    asked: Asked, mine: Subject, theirs: Subject, server: Postgres, watched: Path
) -> Comparison:
    columns = ("rate", "p50", "p99", "service", "database", "late", "computed")
    bounds = [
        Bound("rate", "ours", "T", 5),
        Bound("service", "ours", "T", inverse=True),
        Bound("database", "ours", "T", inverse=True),
        Bound("late", "ours", None, LONGEST, most=True),
    ]
    title = f"accept an e-mail with 1 MiB attached, {CONNECTIONS} connections"
    found = Comparison(title, columns, bounds)

    def work(subject: Subject) -> Sample:
        sample = _offered(asked, subject, server, SIZE, CONNECTIONS)
        return sample if subject is theirs else _with_lateness(asked, sample, watched)

    found.run(asked, {one.name: partial(work, one) for one in (mine, theirs)})
    return found


def _offered(
    asked: Asked, subject: Subject, server: Postgres, size: int, connections: int
) -> Sample:
    request = email(subject, size)
    return offered(
        asked,
        subject,
        server,
        request,
        expected=202,
        counted="TRUE",
        connections=connections,
    )


def _largest_accepted(asked: Asked, mine: Subject, server: Postgres, watched: Path) -> Comparison:
    columns = ("rate", "p50", "service", "late", "computed")
    title = f"accept an e-mail with {LARGEST // SIZE} MiB attached, {FEW} connections"
    found = Comparison(title, columns, [Bound("late", "ours", None, LONGEST, most=True)])

    def work() -> Sample:
        sample = _offered(asked, mine, server, _largest(asked), FEW)
        return _with_lateness(asked, sample, watched)

    found.run(asked, {"ours": work})
    return found


def _largest_dispatched(
    asked: Asked, mine: Subject, server: Postgres, port: int, watched: Path
) -> Comparison:
    columns = ("rate", "service", "late", "computed")
    title = f"dispatch e-mails with {LARGEST // SIZE} MiB attached, {FEW} in flight"
    found = Comparison(title, columns, [Bound("late", "ours", None, LONGEST, most=True)])
    mine.environment = {**mine.environment, "MULTICANAL_EFIDEM_CONCURRENCY": str(FEW)}
    line = Line(
        mine,
        _watched(watched, "worker"),
        asked.many(500),
        partial(store_emails, size=_largest(asked)),
    )

    def work() -> Sample:
        sample = dispatched(asked, line, server, port)
        return _with_lateness(asked, sample, watched)

    found.run(asked, {"ours": work})
    return found


def _dispatched(
    asked: Asked, mine: Subject, theirs: Subject, server: Postgres, port: int, watched: Path
) -> Comparison:
    columns = ("rate", "service", "database", "late", "computed")
    bounds = [
        Bound("rate", "ours", "T", 5),
        Bound("service", "ours", "T", inverse=True),
        Bound("late", "ours", None, LONGEST, most=True),
    ]
    title = f"dispatch e-mails with 1 MiB attached, {IN_FLIGHT} in flight, T: zeep + httpx"
    found = Comparison(title, columns, bounds)
    depth = asked.many(1_000)
    lines = [
        Line(mine, _watched(watched, "worker"), depth, store_emails),
        Line(
            theirs,
            python("bench.usual_files_dispatch", theirs.url, str(port), str(IN_FLIGHT)),
            max(2, depth // 5),
            store_emails,
        ),
    ]

    def work(line: Line) -> Sample:
        sample = dispatched(asked, line, server, port)
        return sample if line.subject is theirs else _with_lateness(asked, sample, watched)

    found.run(asked, {one.subject.name: partial(work, one) for one in lines})
    return found


def _largest(asked: Asked) -> int:
    # Where it only has to work, in a moment and beside other tests, less does.
    return SIZE if asked.smoke else LARGEST


def _with_lateness(asked: Asked, sample: Sample, watched: Path) -> Sample:
    # Of the time that counts: while a process starts, nobody waits for it.
    now = time.monotonic()
    late, computed = worst(watched, now - asked.seconds, now)
    return replace(sample, figures={**sample.figures, "late": late, "computed": computed})


def email(subject: Subject, size: int = SIZE) -> bytes:
    """Return the request that is each time an e-mail with another file."""
    content = base64.b64encode(os.urandom(size)).decode()
    file = {"filename": "a.bin", "content_base64": MARK + content[len(MARK) :]}
    body = json.dumps({**EMAIL, "subject": "Votre dossier", "text": TEXT, "attachments": [file]})
    header = f"Idempotency-Key: {MARK}"
    return request(subject, "POST", "/v1/emails", body.encode(), header)


def store_emails(subject: Subject, count: int, *, size: int = SIZE) -> None:
    """Have a subject on PostgreSQL hold so many more queued e-mails, all with one file."""
    if subject.name == "T":
        _store_usual(subject, count)
        return
    content = base64.b64encode(os.urandom(size))[:size]
    body = {**EMAIL, "subject": "Votre dossier", "text": TEXT}
    document = subject.post("/v1/documents", content, "text/plain")["id"]
    attachments = [{"document_id": document, "filename": "a.txt"}]
    for first in range(0, count, IN_A_BATCH):
        many = min(IN_A_BATCH, count - first)
        messages = [{"reference": f"stored-{first + one}"} for one in range(many)]
        defaults = {**body, "attachments": attachments}
        subject.post("/v1/emails/batch", {"defaults": defaults, "messages": messages})


def _store_usual(subject: Subject, count: int) -> None:
    file = uuid4()
    with psycopg.connect(subject.url) as connection:
        connection.execute(
            "INSERT INTO files (id, name, content) VALUES (%s, 'a.bin', %s)",
            (file, os.urandom(SIZE)),
        )
        connection.execute(
            "WITH made AS (INSERT INTO messages (id, client_id, status, due_at, recipient, content)"
            " SELECT gen_random_uuid(), client_id, 'queued', timezone('utc', now()),"
            " 'marie.durand@example.com', %s FROM generate_series(1, %s), api_keys RETURNING id)"
            " INSERT INTO files_of_messages SELECT id, %s FROM made",
            (f"Votre dossier\n{TEXT}", count, file),
        )
