"""Cancel what has not left. The row's lock decides against a claim: one of the two comes first."""

from typing import Final
from uuid import UUID

import structlog
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from app.delivery.acting import Actor
from app.delivery.gateway import Gateway
from app.domain.errors import AlreadyFinal, AlreadySubmitted
from app.domain.identifiers import BATCH, MESSAGE, shown
from app.domain.status import FINAL, WAITING, Status
from app.store import batches, campaigns, messages, reading
from app.store.messages import Move

log = structlog.get_logger()

CANCELLABLE = WAITING | {Status.HELD}
AT_ONCE: Final = 100  # messages of a batch in one transaction


async def cancel(gateway: Gateway, actor: Actor, row: RowMapping) -> RowMapping:
    """Cancel a message and return it; one that is cancelled already stays as it is.

    Raises AlreadySubmitted from the claim on, and AlreadyFinal.
    """
    async with gateway.database.transaction() as connection:
        shared = {row["campaign_id"]} - {None}
        locked, due = await campaigns.lock(connection, {row["id"]}, shared)
        status = Status(locked[row["id"]]["status"])
        if status in CANCELLABLE:
            await _cancel(gateway, connection, actor, [row["id"]])
            await campaigns.pass_on(connection, due, gateway.now())
        elif status in FINAL and status is not Status.CANCELLED:
            raise AlreadyFinal(f"It is {status}, and that is final.")
        elif status is not Status.CANCELLED:
            raise AlreadySubmitted(f"It is {status}: no provider takes anything back.")
        found = await reading.find(connection, row["id"], row["client_id"], row["mode"])
    assert found is not None
    log.info("cancelled", message_id=shown(MESSAGE, row["id"]))
    return found


async def cancel_batch(gateway: Gateway, actor: Actor, batch_id: UUID) -> int:
    """Cancel what has not left of a batch; return how many messages that were.

    The last ones first, some in each transaction: of messages that leave in one call, the first
    is due for all, and whatever is left when this ends early still leaves.
    """
    cancelled, before = 0, None
    while True:
        async with gateway.database.transaction() as connection:
            asked = await batches.last(
                connection, batch_id, CANCELLABLE, limit=AT_ONCE, before=before
            )
            # A worker may have claimed some meanwhile: the lock says who came first.
            waiting = await batches.lock(connection, asked, CANCELLABLE) if asked else []
            if waiting:
                await _cancel(gateway, connection, actor, waiting)
        cancelled += len(waiting)
        if len(asked) < AT_ONCE:
            break
        before = asked[-1]
    log.info("batch_cancelled", batch_id=shown(BATCH, batch_id), messages=cancelled)
    return cancelled


async def _cancel(
    gateway: Gateway, connection: AsyncConnection, actor: Actor, message_ids: list[UUID]
) -> None:
    moves = [
        Move(
            message_id=message_id,
            to=Status.CANCELLED,
            at=gateway.now(),
            source="client",
            only_from=CANCELLABLE,
            detail={"by": actor.shown},
            changes={"due_at": None, "blocked_reason": None},
        )
        for message_id in message_ids
    ]
    await messages.move(connection, gateway.ids, moves)
