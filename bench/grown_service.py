"""Our gateway over stores that are filled already, and requests that are offered to it in turn."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from random import randrange
from typing import Final
from uuid import UUID, uuid4

from app.domain.identifiers import MESSAGE, shown
from bench.asked import Asked
from bench.compared import Bound, Comparison, Sample
from bench.offered import COLUMNS, offered
from bench.subjects import Subject, over, request
from tests.postgres import Postgres

NAMES: Final = {"small": "10 thousand stored", "large": "10 million stored"}
KEYS: Final = 12_000  # a second: more than are used
PATH: Final = "/v1/messages/@1@"


def bounds(*, judged: bool = True) -> list[Bound]:
    """Return what many stored messages may cost."""
    rate, late = ((0.9, 0.95), (1.5,)) if judged else ((), ())
    return [
        Bound("rate", NAMES["large"], NAMES["small"], *rate),
        Bound("p99", NAMES["large"], NAMES["small"], *late, most=True),
        Bound("database", NAMES["large"], NAMES["small"]),
    ]


@contextmanager
def serving(asked: Asked, urls: Mapping[str, str]) -> Iterator[dict[str, Subject]]:
    """Serve each store by a process of its own."""
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(over(asked, url, "client").served(asked.service))
            for name, url in urls.items()
        }


def requested(
    asked: Asked, server: Postgres, urls: Mapping[str, str], ids: Mapping[str, Sequence[UUID]]
) -> Iterator[Comparison]:
    """Take messages in, and read the status of old ones, over HTTP."""
    with serving(asked, urls) as subjects:
        for title, work in (("accept one SMS", _accepted), ("status read by id", _read)):
            found = Comparison(f"{title}, PostgreSQL, 128 connections", COLUMNS, bounds())
            works = {
                NAMES[name]: partial(work, asked, one, server, ids[name])
                for name, one in subjects.items()
            }
            found.run(asked, works)
            yield found


def _accepted(asked: Asked, subject: Subject, server: Postgres, _ids: Sequence[UUID]) -> Sample:
    # Keys and recipients of their own, in no order: what costs most where there are very many.
    some = range(int((asked.seconds + asked.warm) * KEYS))
    values = [f"{uuid4()}\t{randrange(10**6):06}" for _ in some]
    body = b'{"to": "+33612@2@", "text": "Votre code est 123456. Il est valable dix minutes."}'
    template = request(subject, "POST", "/v1/sms", b"", "Idempotency-Key: @1@")
    length = len(body) - len("@2@") + 6
    head = f"Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n".encode()
    template = template.removesuffix(b"\r\n") + head + body
    return offered(asked, subject, server, template, expected=202, values=values, connections=128)


def _read(asked: Asked, subject: Subject, server: Postgres, ids: Sequence[UUID]) -> Sample:
    values = [shown(MESSAGE, one) for one in ids]
    template = request(subject, "GET", PATH)
    return offered(asked, subject, server, template, expected=200, values=values, connections=128)
