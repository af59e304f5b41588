"""Grant the fetch of documents to those who download them from us: one right for each attempt."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.delivery import carry
from app.delivery.gateway import Gateway
from app.domain.message import Channel, files_of
from app.store import attempts, contents
from app.store.queue import Claim


async def grant(
    gateway: Gateway, connection: AsyncConnection, claims: Sequence[Claim], now: datetime
) -> dict[UUID, str]:
    """Write the rights that claims need; return the addresses of their documents, by attempt."""
    tokens = {
        taken.attempt_id: gateway.ids.token()
        for taken in claims
        if gateway.providers[taken.row["provider"]].fetches_document
    }
    granted = [
        _row(gateway, taken, tokens[taken.attempt_id], now)
        for taken in claims
        if taken.attempt_id in tokens
    ]
    if granted:
        await attempts.grant(connection, granted)
    where = {one.attempt_id: carry.address_for(gateway, one.row["provider"]) for one in claims}
    return {one: f"{where[one]}/d/{token}.pdf" for one, token in tokens.items()}


def _row(gateway: Gateway, taken: Claim, token: str, now: datetime) -> dict[str, Any]:
    content = contents.read(Channel(taken.row["channel"]), taken.row["content"])
    return {
        "token_hash": attempts.hashed(token),
        "attempt_id": taken.attempt_id,
        "message_id": taken.message_id,
        "sha256": files_of(content)[0].sha256,
        "expires_at": now + gateway.timing.document_life,
    }
