"""Messages that a store holds already, made as each subject makes them."""

from typing import Final
from uuid import UUID

import psycopg

from app.domain.identifiers import MESSAGE, shown
from bench.subjects import Subject

IN_A_BATCH: Final = 10_000
TEXT: Final = "Votre code est 123456. Il est valable dix minutes."
_COPIES: Final = (
    "INSERT INTO messages (id, client_id, {more}status, due_at, recipient, content)"
    " SELECT gen_random_uuid(), client_id, {values}'queued', {now}, '+33612345678', %s"
    " FROM generate_series(1, %s) AS n, api_keys"
)
_T: Final = _COPIES.format(more="", values="", now="timezone('utc', now())")
_F: Final = _COPIES.format(
    more="idem, ", values="'stored-' || gen_random_uuid(), ", now="extract(epoch FROM now())"
)


def store_sms(subject: Subject, count: int) -> None:
    """Have a subject on PostgreSQL hold so many more queued SMS."""
    if subject.name != "ours":
        with psycopg.connect(subject.url) as connection:
            connection.execute(_F if subject.name == "F" else _T, (TEXT, count))
        return
    one = {"to": "+33612345678", "text": TEXT}
    for first in range(0, count, IN_A_BATCH):
        many = min(IN_A_BATCH, count - first)
        messages = [one | {"reference": f"stored-{first + place}"} for place in range(many)]
        subject.post("/v1/sms/batch", {"messages": messages})


def ids(subject: Subject, most: int) -> list[str]:
    """Return the ids of some messages that a subject holds, as its callers name them."""
    with psycopg.connect(subject.url) as connection:
        found = connection.execute("SELECT id FROM messages LIMIT %s", (most,)).fetchall()
    return [_named(subject, one) for (one,) in found]


def _named(subject: Subject, one: UUID) -> str:
    return shown(MESSAGE, one) if subject.name == "ours" else str(one)
