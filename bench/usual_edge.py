"""What every endpoint of the usual service depends on: a session, and who calls."""

import hashlib
import uuid
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Header, HTTPException, Request
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bench.usual_store import ApiKey, Idempotency, Message


async def _session(request: Request) -> AsyncIterator[AsyncSession]:
    async with request.app.state.sessions() as session:
        yield session


SessionDep = Annotated[AsyncSession, Depends(_session)]


async def _client(session: SessionDep, authorization: Annotated[str, Header()]) -> uuid.UUID:
    digest = hashlib.sha256(authorization.encode()).digest()
    found = await session.scalar(select(ApiKey).where(ApiKey.digest == digest))
    if found is None:
        raise HTTPException(401)
    return found.client_id


ClientDep = Annotated[uuid.UUID, Depends(_client)]
KeyHeader = Annotated[str, Header(alias="Idempotency-Key")]


async def first_of(session: AsyncSession, client_id: uuid.UUID, key: str) -> Message | None:
    """Return what was made under this key before."""
    found = await session.scalar(
        select(Idempotency).where(Idempotency.client_id == client_id, Idempotency.key == key)
    )
    return None if found is None else await session.get_one(Message, found.message_id)


def remembered(client_id: uuid.UUID, key: str, message: Message) -> Idempotency:
    """Return what says that a message was made under a key."""
    return Idempotency(id=uuid.uuid4(), client_id=client_id, key=key, message_id=message.id)
