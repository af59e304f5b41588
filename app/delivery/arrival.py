"""What comes in: messages or a document, the key it came with, and the answer it will get."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping

from app.store.news import New, new_of, row_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """An Idempotency-Key, and the fingerprint of the request that brought it."""

    client_id: UUID
    mode: str
    key: str
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a client is told."""

    status: int
    location: str
    body: str  # JSON
    replayed: bool = False
    kept: bool = True  # with its key; otherwise it is made again from its message's row


@dataclass(slots=True)
class Totals:
    """What messages come to."""

    size: int = 0  # bytes of contents and files
    purposes: set[str] = field(default_factory=set)

    def add(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Count messages."""
        self.size += sum([row["size"] for row in rows])
        self.purposes.update([row["purpose"] for row in rows])


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """Messages or a document to take in, and the answer that will then be true."""

    object_id: UUID
    answer: Answer
    key: Key | None = None
    unique_references: bool = False  # no message may have a reference that the client used before
    daily_quota: int | None = None  # messages that its client may send a day, on its channel
    messages: Sequence[Mapping[str, Any]] = ()  # rows of `messages`
    totals: Totals | None = None  # of the messages, where they were counted as they came
    recipients: Sequence[Mapping[str, Any]] = ()  # rows of `recipients`
    batch: Mapping[str, Any] | None = None  # a row of `batches`
    document: Mapping[str, Any] | None = None  # a row of `documents`
    report: Mapping[str, Any] | None = None  # a row of `reports`
    files: Mapping[str, bytes] = field(default_factory=dict)  # new bytes, by SHA-256


@dataclass(frozen=True, slots=True)
class ReferencesTaken:
    """References that earlier messages have: nothing of their arrival was kept."""

    by: Mapping[str, UUID]  # the message that has each


# A plain message comes as its row alone: nothing but its key can stand in its way.
Item = Arrival | New

# What kept an arrival out: the record of the first answer to its key, or its references.
Obstacle = RowMapping | ReferencesTaken | None

_MADE_AGAIN: Final = Answer(status=202, location="", body="", kept=False)


def arrival_of(item: Item) -> Arrival:
    """Return an arrival; of a plain message, one that says the same."""
    if isinstance(item, Arrival):
        return item
    return Arrival(
        object_id=item.id, answer=_MADE_AGAIN, key=key_of(item), messages=(row_of(item),)
    )


def key_of(new: New) -> Key | None:
    """Return the key that a plain message came with."""
    if new.key is None or new.fingerprint is None:
        return None
    return Key(client_id=new.client_id, mode=new.mode, key=new.key, fingerprint=new.fingerprint)


def plain_of(item: Item) -> New | None:
    """Return an arrival as a plain message; None where it is more than that."""
    if isinstance(item, New):
        return item
    if item.key is not None and item.answer.kept:
        return None
    is_more = (
        len(item.messages) != 1
        or item.unique_references
        or item.daily_quota is not None
        or item.recipients
        or item.files
        or item.batch is not None
    )
    if is_more:
        return None
    row, key = item.messages[0], item.key
    new = new_of(row, *((key.key, key.fingerprint) if key is not None else (None, None)))
    return new if row_of(new) == row else None  # such as one of a campaign
