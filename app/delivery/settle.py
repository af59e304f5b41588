"""Settle what no worker holds any more: leases that ran out, and messages that came too late."""

import structlog

from app.delivery import brake
from app.delivery.acknowledge import apply_to
from app.delivery.gateway import Gateway
from app.delivery.look import first_look
from app.domain.identifiers import MESSAGE, shown
from app.store import queue, uncertain

log = structlog.get_logger()


async def lose_leases(gateway: Gateway) -> None:
    """Make messages uncertain whose worker died or hangs: they may have been sent."""
    now, timing = gateway.now(), gateway.timing
    async with gateway.database.transaction() as connection:
        lost = await queue.lose_leases(
            connection,
            gateway.ids,
            now=now,
            grace=timing.grace,
            look_at=first_look(now, timing.pace),
        )
        for attempt in lost:
            # The provider may have acknowledged meanwhile: then nothing is uncertain.
            await apply_to(gateway, connection, attempt["provider"], attempt["message_id"])
        names = await uncertain.channels_of(connection, [one["message_id"] for one in lost])
        await brake.apply(gateway, connection, names, now)
    for attempt in lost:
        log.error("lease_lost", message_id=shown(MESSAGE, attempt["message_id"]))


async def expire(gateway: Gateway) -> None:
    """Expire messages that could not be sent before their `expires_at`."""
    async with gateway.database.transaction() as connection:
        late = await queue.expire(connection, gateway.ids, now=gateway.now())
    for message_id in late:
        log.info("expired", message_id=shown(MESSAGE, message_id))
