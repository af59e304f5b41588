"""A fax's acknowledgement taken in, committed: ours against the usual update by the ORM."""

import base64
import time
from collections.abc import Iterator
from functools import partial
from typing import Final

import psycopg

from bench.asked import Asked
from bench.compared import Bound, Comparison, Sample
from bench.dispatch import provider
from bench.multiply import multiply
from bench.offered import COLUMNS, having, offered, served
from bench.site import PATIENCE, running
from bench.stored import store_sms
from bench.subjects import COMMAND, Subject, request
from bench.usual import CALLBACK
from tests.journeys.samples import pdf
from tests.postgres import Postgres

SENT: Final = 50  # faxes by the gateway itself; the others are their copies
FAXES: Final = 100_000
NUMBER: Final = "0199000001"
PATH: Final = (
    f"/hooks/123fax/{CALLBACK}?etat_e=0&ref_accuse=@1@&numero={NUMBER}&nb_page=1&heure=10:00"
)
CONNECTIONS: Final = 32


def callback(asked: Asked) -> Iterator[Comparison]:
    """PostgreSQL, one process; every acknowledgement is the first of its fax."""
    many = asked.many(FAXES)
    with provider(asked, 0.0) as port:
        settings = {"MULTICANAL_FAX123_URL": f"http://127.0.0.1:{port}/http.php"}
        with served(asked, "ours", "T", settings=settings) as (subjects, server):
            ours, usual = subjects
            send_faxes(asked, ours, min(SENT, many))
            multiply(ours.url, many // min(SENT, many))
            store_sms(usual, many)
            with psycopg.connect(usual.url, autocommit=True) as connection:
                connection.execute("UPDATE messages SET status = 'submitted', provider_id = id")
                # As ours was left by `multiply`: no subject has another's dead rows to clear away.
                connection.execute("VACUUM ANALYZE")
                connection.execute("CHECKPOINT")
            turns = {one.name: _turns(one, asked.repetitions) for one in subjects}
            bounds = [
                Bound("rate", "ours", "T", 8, 12),
                Bound("service", "ours", "T", inverse=True),
            ]
            title = f"fax callback, PostgreSQL, {CONNECTIONS} connections"
            found = Comparison(title, COLUMNS, bounds)
            works = {
                one.name: partial(_called, asked, one, server, turns[one.name]) for one in subjects
            }
            found.run(asked, works)
            yield found


def send_faxes(asked: Asked, subject: Subject, count: int) -> None:
    """Have our gateway send faxes to a provider that takes them."""
    document = base64.b64encode(pdf(1)).decode()
    for place in range(count):
        body = {"to": "+33199000001", "document": {"content_base64": document}}
        subject.post("/v1/faxes", body | {"reference": f"fax-{place}"})
    with running(
        [COMMAND, "worker"], subject.folder, cores=asked.service, environment=subject.environment
    ) as worker:
        deadline = time.monotonic() + PATIENCE
        while having(subject, "status = 'submitted'") < count:
            assert time.monotonic() < deadline, f"faxes wait\n{worker.log.read_text()[-5000:]}"
            time.sleep(0.1)


def _turns(subject: Subject, repetitions: int) -> Iterator[list[str]]:
    """Return the references of each repetition's faxes."""
    named = "attempt_reference" if subject.name == "ours" else "provider_id"
    with psycopg.connect(subject.url) as connection:
        asked = f"SELECT {named} FROM messages WHERE status = 'submitted'"
        every = [str(one) for (one,) in connection.execute(asked)]  # type: ignore[call-overload]
    share = len(every) // repetitions
    return iter([every[at * share : (at + 1) * share] for at in range(repetitions)])


def _called(
    asked: Asked, subject: Subject, server: Postgres | None, turns: Iterator[list[str]]
) -> Sample:
    values = next(turns)
    return offered(
        asked,
        subject,
        server,
        request(subject, "GET", PATH),
        expected=200,
        values=values,
        counted="status = 'delivered'",
        connections=CONNECTIONS,
        most=len(values),
        warm=asked.warm / 2,
    )
