"""What comes in: messages or a document, the key it came with, and the answer it will get."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """Messages or a document to take in, and the answer that will then be true."""

    object_id: UUID
    answer: Answer
    key: Key | None = None
    unique_references: bool = False  # no message may have a reference that the client used before
    daily_quota: int | None = None  # messages that its client may send a day, on its channel
    messages: Sequence[Mapping[str, Any]] = ()  # rows of `messages`
    recipients: Sequence[Mapping[str, Any]] = ()  # rows of `recipients`
    batch: Mapping[str, Any] | None = None  # a row of `batches`
    document: Mapping[str, Any] | None = None  # a row of `documents`
    report: Mapping[str, Any] | None = None  # a row of `reports`
    files: Mapping[str, bytes] = field(default_factory=dict)  # new bytes, by SHA-256


@dataclass(frozen=True, slots=True)
class ReferencesTaken:
    """References that earlier messages have: nothing of their arrival was kept."""

    by: Mapping[str, UUID]  # the message that has each


# What kept an arrival out: the record of the first answer to its key, or its references.
Obstacle = RowMapping | ReferencesTaken | None
