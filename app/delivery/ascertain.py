"""Find out whether a commit took place whose answer never came; it is not assumed either way."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar
from uuid import UUID

import structlog
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.delivery.conclude import Ended, Held, closing_of
from app.delivery.gateway import Gateway
from app.domain.message import Channel
from app.store import attempts, claiming, existing, messages
from app.store.database import UNAVAILABLE, CommitUnknown
from app.store.queue import Claim

log = structlog.get_logger()

PATIENCE: Final = 2.0  # seconds, after which it stays unknown
PAUSE: Final = 0.05  # seconds between two tries, at first

Found = TypeVar("Found")


async def until_known(look: Callable[[], Awaitable[Found]]) -> Found:
    """Return what a look at the store finds; raises CommitUnknown while nobody can look.

    A row that stands after all, though it was not seen a moment before, is looked for once more.
    """
    loop = asyncio.get_running_loop()
    ends, pause = loop.time() + PATIENCE, PAUSE
    while True:
        try:
            return await look()
        except (*UNAVAILABLE, IntegrityError) as fault:
            if loop.time() >= ends:
                raise CommitUnknown(type(fault).__name__) from fault
        await asyncio.sleep(pause)
        pause *= 2


async def claimed(gateway: Gateway, channel: Channel, attempt_ids: Sequence[UUID]) -> list[Claim]:
    """Return the claims of a channel that stand, for such attempts; none where nobody can say."""

    async def look() -> list[Claim]:
        async with gateway.database.reading() as connection:
            return await claiming.standing(connection, channel, attempt_ids)

    try:
        kept = await until_known(look)
    except CommitUnknown:
        kept = []
    log.warning("claim_ascertained", asked=len(attempt_ids), standing=len(kept))
    return kept


async def standing(gateway: Gateway, held: Sequence[Held]) -> list[Held]:
    """Return the claims whose attempt stands.

    Where nobody can say, none: what is dropped wrongly was not sent, and ends uncertain.
    """

    async def look() -> set[UUID]:
        async with gateway.database.reading() as connection:
            ids = [one.claim.attempt_id for one in held]
            return await existing.open_attempts(connection, ids)

    try:
        found = await until_known(look)
    except CommitUnknown:
        found = set()
    kept = [one for one in held if one.claim.attempt_id in found]
    log.warning("claim_ascertained", claimed=len(held), standing=len(kept))
    return kept


async def written(connection: AsyncConnection, ended: Sequence[Ended]) -> dict[UUID, bool]:
    """Return the attempts whose outcome stands already, and whether it moved their message."""
    found: dict[UUID, bool] = {}
    for one in ended:
        if one.again:
            # Whose commit is still under way holds the message: it is waited for.
            await messages.lock(connection, one.held.claim.message_id)
            row = await attempts.find(connection, one.held.claim.attempt_id)
            closing = closing_of(one.outcome)
            if row["late"] == closing:
                found[row["id"]] = False
            elif row["ended_at"] and all(row[name] == closing[name] for name in closing):
                found[row["id"]] = True
    return found
