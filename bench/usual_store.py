"""The tables of the usual service, by the ORM."""

import uuid
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import (
    ForeignKey,
    Index,
    LargeBinary,
    Select,
    String,
    UniqueConstraint,
    create_engine,
    select,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from bench.site import ROOT

WSDL: Final = str(ROOT / "app/providers/efidem/efidem.wsdl")
ACCOUNT: Final = {
    "UTILISATEUR": "bench",
    "MOT_DE_PASSE": "bench-password",
    "AppID": "bench-app",
}
EMPTY: Final = 0.05  # seconds to the next look at an empty queue


class Table(DeclarativeBase):
    """What all have."""


class ApiKey(Table):
    """A key."""

    __tablename__ = "api_keys"

    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    client_id: Mapped[uuid.UUID]


class Message(Table):
    """A message, with its place in the queue."""

    __tablename__ = "messages"
    __table_args__ = (Index("ix_messages_due", "status", "due_at"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    client_id: Mapped[uuid.UUID]
    status: Mapped[str] = mapped_column(String(20))
    due_at: Mapped[datetime | None]
    recipient: Mapped[str]
    content: Mapped[str]
    reference: Mapped[str | None]
    provider_id: Mapped[str | None] = mapped_column(index=True)
    pages: Mapped[int | None]


class Idempotency(Table):
    """What was made under a key of a client's."""

    __tablename__ = "idempotency"
    __table_args__ = (UniqueConstraint("client_id", "key"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    client_id: Mapped[uuid.UUID]
    key: Mapped[str]
    message_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("messages.id"))


class File(Table):
    """A file."""

    __tablename__ = "files"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    content: Mapped[bytes]


class FileOfMessage(Table):
    """Which message has which file."""

    __tablename__ = "files_of_messages"

    message_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("messages.id"), primary_key=True)
    file_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("files.id"))


def queued(client_id: uuid.UUID, to: str, content: str, reference: str | None) -> Message:
    """Return a new message."""
    return Message(
        id=uuid.uuid4(),
        client_id=client_id,
        status="queued",
        due_at=datetime.now(UTC).replace(tzinfo=None),
        recipient=to,
        content=content,
        reference=reference,
    )


def next_message() -> Select[tuple[Message]]:
    """Return what selects the message that is due first, and locks it."""
    return (
        select(Message)
        .where(Message.status == "queued")
        .order_by(Message.due_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )


def driven(url: str) -> str:
    """Return a database's address with the driver that is used."""
    return url.replace("postgresql:", "postgresql+psycopg:")


def create(url: str, digest: bytes) -> None:
    """Make the tables, and a client whose key has a digest."""
    engine = create_engine(driven(url))
    Table.metadata.create_all(engine)
    with Session(engine) as opened:
        opened.add(ApiKey(digest=digest, client_id=uuid.uuid4()))
        opened.commit()
    engine.dispose()
