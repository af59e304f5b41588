"""Write down whatever calls may come to: moves, attempts, channels, slots and documents."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.delivery import ascertain, brake, count, retry
from app.delivery.acknowledge import apply_to
from app.delivery.admit import note_calls
from app.delivery.conclude import Ended, closing_of, move_of
from app.delivery.fault_points import Point
from app.delivery.gateway import Gateway
from app.domain.outcome import Blocked, Deferred, Refused, Unclear
from app.store import attempts, messages, uncertain


async def write(
    gateway: Gateway, ended: Sequence[Ended], now: datetime
) -> tuple[list[tuple[Ended, bool]], dict[UUID, bool]]:
    """Commit outcomes, and return them as judged, each with whether it moved its message.

    Beside them by attempt, the same of those that were written before.
    """
    async with gateway.database.transaction() as connection:
        recorded, before = await _write(gateway, connection, ended, now)
        await gateway.fault_points.reached(Point.RECORDING)
    await gateway.fault_points.reached(Point.RECORDED)
    return recorded, before


async def _write(
    gateway: Gateway, connection: AsyncConnection, ended: Sequence[Ended], now: datetime
) -> tuple[list[tuple[Ended, bool]], dict[UUID, bool]]:
    every = [
        await _judge(connection, one) if isinstance(one.outcome, Refused) else one for one in ended
    ]
    written = await ascertain.written(connection, every)
    judged = [one for one in every if one.held.claim.attempt_id not in written]
    moved = await messages.move(
        connection, gateway.ids, [move_of(gateway, one, now) for one in judged]
    )
    await note_calls(gateway, connection, judged, now)
    closed = {one.held.claim.attempt_id: closing_of(one.outcome) for one in judged}
    if closed:
        await attempts.close(connection, closed, now)
    await brake.apply(gateway, connection, brake.concerned(judged), now)
    await _revoke(connection, judged, now)
    await count.record(connection, judged, moved, now)
    for one, was_moved in zip(judged, moved, strict=True):
        attempt_id = one.held.claim.attempt_id
        if not was_moved:
            await attempts.keep_late(connection, attempt_id, closed[attempt_id])
            if not isinstance(one.outcome, Unclear):
                await uncertain.hurry(connection, one.held.claim.message_id, now)
        provider = one.held.claim.row["provider"]
        if provider in gateway.learn:  # what it acknowledged while the call ran
            await apply_to(gateway, connection, provider, one.held.claim.message_id)
    return list(zip(judged, moved, strict=True)), written


async def _judge(connection: AsyncConnection, one: Ended) -> Ended:
    """Turn a refusal of a document that was never fetched into another try."""
    refused, claimed = one.outcome, one.held.claim
    if not (isinstance(refused, Refused) and refused.only_if_fetched):
        return one
    if await attempts.was_fetched(connection, claimed.attempt_id):
        return one
    if claimed.row["attempts"] >= retry.MOST_UNFETCHED:
        # Not the document is at fault, but the way to it.
        failure = replace(
            refused.failure, type="technical", reason="document_unreachable", retryable=True
        )
        return replace(one, outcome=Refused(failure))
    why = "the provider refused a document that it never fetched"
    code, words = refused.failure.provider_code, refused.failure.label
    return replace(one, outcome=Deferred(why, code=code, words=words))


async def _revoke(connection: AsyncConnection, ended: Sequence[Ended], now: datetime) -> None:
    """Close the documents of attempts that the provider did not take."""
    over = [
        one.held.claim.attempt_id
        for one in ended
        if one.held.document_url and isinstance(one.outcome, Refused | Deferred | Blocked)
    ]
    if over:
        await attempts.revoke(connection, over, now)
