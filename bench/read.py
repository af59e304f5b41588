"""A message's status read by its id, and asked for again with the ETag of the last answer."""

import http.client
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from typing import Final

from bench.asked import Asked
from bench.compared import Bound, Comparison
from bench.offered import COLUMNS, offered, served
from bench.stored import ids, store_sms
from bench.subjects import Subject, request

STORED: Final = 10_000
READ: Final = 2_000  # of them, in turn
PATH: Final = "/v1/messages/@1@"
BOUNDS: Final = (Bound("rate", "ours", "T", 8, 12), Bound("service", "ours", "T", inverse=True))


def read(asked: Asked) -> Iterator[Comparison]:
    """PostgreSQL, one process, ours against the usual ORM read, which has no ETag."""
    with served(asked, "ours", "T") as (subjects, server):
        for one in subjects:
            store_sms(one, asked.many(STORED))
        ours, usual = subjects
        mine, theirs = (ids(one, asked.many(READ)) for one in subjects)
        tags = _tags(ours, mine)
        tagged = [f"{one}\t{tag}" for one, tag in zip(mine, tags, strict=True)]
        plain, theirs_plain = (request(one, "GET", PATH) for one in subjects)
        again = request(ours, "GET", PATH, b"", "If-None-Match: @2@")
        for title, template, values, expected in (
            ("by id", plain, mine, 200),
            ("by id, with If-None-Match", again, tagged, 304),
        ):
            for wide in asked.connections:
                title_now = f"status read {title}, PostgreSQL, {wide} connections"
                found = Comparison(title_now, COLUMNS, BOUNDS)
                with_all = partial(offered, asked, connections=wide)
                works = {
                    "ours": partial(
                        with_all, ours, server, template, values=values, expected=expected
                    ),
                    "T": partial(
                        with_all, usual, server, theirs_plain, values=theirs, expected=200
                    ),
                }
                found.run(asked, works)
                yield found


def _tags(subject: Subject, messages: list[str]) -> list[str]:
    """Return the ETag of each message."""
    found = []
    headers = {"Authorization": f"Bearer {subject.key}"}
    with closing(http.client.HTTPConnection("127.0.0.1", subject.ports[0])) as connection:
        for one in messages:
            connection.request("GET", PATH.replace("@1@", one), headers=headers)
            answer = connection.getresponse()
            answer.read()
            found.append(answer.headers["ETag"])
    return found
