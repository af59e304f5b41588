"""The usual batch: pydantic checks every message, the ORM adds all of them, one commit."""

import uuid
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, EmailStr, Field
from sqlalchemy.ext.asyncio import AsyncSession

from bench.usual import SmsIn
from bench.usual_edge import ClientDep, KeyHeader, SessionDep, first_of, remembered
from bench.usual_store import Message, queued

router = APIRouter()


class AddressIn(BaseModel):
    """An address."""

    model_config = ConfigDict(extra="forbid")

    address: EmailStr
    name: Annotated[str, Field(max_length=100)] | None = None


class EmailIn(BaseModel):
    """An e-mail."""

    model_config = ConfigDict(extra="forbid")

    sender: Annotated[AddressIn, Field(alias="from")]
    to: Annotated[list[AddressIn], Field(min_length=1, max_length=50)]
    subject: Annotated[str, Field(min_length=1, max_length=255)]
    text: Annotated[str, Field(min_length=1)]
    reference: Annotated[str, Field(max_length=200)] | None = None

    def queued(self, client_id: uuid.UUID) -> Message:
        """Return the message that it becomes."""
        content = f"{self.subject}\n{self.text}"
        return queued(client_id, self.to[0].address, content, self.reference)


class SmsBatchIn(BaseModel):
    """Many text messages."""

    messages: Annotated[list[SmsIn], Field(min_length=1, max_length=10_000)]


class EmailBatchIn(BaseModel):
    """Many e-mails."""

    messages: Annotated[list[EmailIn], Field(min_length=1, max_length=10_000)]


class BatchOut(BaseModel):
    """What was kept."""

    first: uuid.UUID
    count: int


@router.post("/v1/sms/batch", status_code=202)
async def send_sms(
    body: SmsBatchIn, session: SessionDep, client_id: ClientDep, key: KeyHeader
) -> BatchOut:
    """Keep many text messages."""
    rows = [queued(client_id, one.to, one.text, one.reference) for one in body.messages]
    return await _add(session, client_id, key, rows)


@router.post("/v1/emails/batch", status_code=202)
async def send_emails(
    body: EmailBatchIn, session: SessionDep, client_id: ClientDep, key: KeyHeader
) -> BatchOut:
    """Keep many e-mails."""
    return await _add(session, client_id, key, [one.queued(client_id) for one in body.messages])


async def _add(
    session: AsyncSession, client_id: uuid.UUID, key: str, rows: list[Message]
) -> BatchOut:
    first = await first_of(session, client_id, key)
    if first is None:
        first = rows[0]
        session.add_all(rows)
        await session.flush()
        session.add(remembered(client_id, key, first))
        await session.commit()
    return BatchOut(first=first.id, count=len(rows))
