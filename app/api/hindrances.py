"""Say what would keep a message out at this moment that is right in itself; nothing is counted."""

from collections.abc import Mapping
from typing import Any

from app.api.access import Caller
from app.api.duplicates import duplicate_reference
from app.api.edge import Edge
from app.delivery import quota
from app.domain.errors import (
    DailyQuotaExceeded,
    FieldError,
    QueueFull,
    QuotaExceeded,
    StorageLow,
)
from app.domain.message import Channel
from app.store import clients, references


async def used_today(edge: Edge, caller: Caller, channel: Channel) -> int:
    """Return how many messages of a channel a client had taken in today."""
    async with edge.gateway.database.reading() as connection:
        today = edge.gateway.local_time().date()
        counts = await clients.usage(connection, caller.client_id, caller.mode, today)
    return counts.get(channel, 0)


async def repeated(edge: Edge, caller: Caller, reference: str | None) -> tuple[FieldError, ...]:
    """Return what is wrong with a reference that an earlier message has."""
    if reference is None or not caller.unique_references:
        return ()
    async with edge.gateway.database.reading() as connection:
        found = await references.earlier(connection, caller.client_id, caller.mode, {reference})
    if reference not in found:
        return ()
    return duplicate_reference({"/reference": found[reference]}).errors


async def no_room(
    edge: Edge, caller: Caller, row: Mapping[str, Any], used: int | None
) -> FieldError | None:
    """Return why a message would be told to come again later; `used`: of its daily quota."""
    channel = Channel(row["channel"])
    try:
        quota.check(channel, caller.quota_of(channel), used or 0, 1, edge.gateway.local_time())
        await edge.limiter.look([row])
    except (DailyQuotaExceeded, QuotaExceeded, QueueFull, StorageLow) as fault:
        return FieldError("", fault.code, fault.detail)
    return None
