"""What a provider tells us by itself: kept at once, and applied when its attempt allows it.

An acknowledgement is a claim of the outside: it must name a reference of ours and the number that
the message went to. It may come before the answer to the call that caused it, twice, late, or for
a reference that nobody knows; it is kept in every case, and waits where it cannot be applied yet.
"""

from collections.abc import Collection
from dataclasses import asdict
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from app.delivery.fault_points import Point
from app.delivery.gateway import Acknowledgement, Gateway, UnreadableAcknowledgement
from app.delivery.weigh import CALL_OPEN, Said, weigh
from app.domain.message import Channel, Fax
from app.store import acknowledgements, attempts, contents, messages
from app.store.acknowledgements import OTHER_NUMBER, UNKNOWN

log = structlog.get_logger()

SIGNIFICANT_DIGITS: Final = 9  # of a number, however its prefix is written


async def receive(gateway: Gateway, provider: str, brought: Acknowledgement) -> None:
    """Keep an acknowledgement, and apply it if its attempt is known and its call is over."""
    async with gateway.database.transaction() as connection:
        # The message is locked before the acknowledgement is written: the order of `submit.record`.
        attempt = await _lock_attempt(connection, provider, brought.reference)
        kept = await acknowledgements.keep(
            connection, gateway.ids, {"provider": provider, **asdict(brought)}, gateway.now()
        )
        note = await _apply(gateway, connection, kept, attempt)
        await gateway.fault_points.reached(Point.ACKNOWLEDGING)
    if note == UNKNOWN:
        # The provider's own name for it may have been written down since we looked.
        async with gateway.database.transaction() as connection:
            await apply_waiting(gateway, connection, provider, {brought.reference})
    if note in {UNKNOWN, OTHER_NUMBER}:
        await _trim(gateway, provider)
    log.info("acknowledged", provider=provider, code=brought.code, note=note)


async def keep_unreadable(
    gateway: Gateway, provider: str, fault: UnreadableAcknowledgement
) -> None:
    """Keep what can be read of a callback that says too little to be applied."""
    brought = {"provider": provider, **asdict(fault.readable)}
    async with gateway.database.transaction() as connection:
        await acknowledgements.keep(
            connection, gateway.ids, brought, gateway.now(), unreadable=str(fault)
        )
    await _trim(gateway, provider)


async def _trim(gateway: Gateway, provider: str) -> None:
    """Keep strangers who learnt the secret from filling the store."""
    async with gateway.database.transaction() as connection:
        dropped = await acknowledgements.trim_unmatched(connection, provider)
    if dropped:
        log.warning("unmatched_acknowledgements_dropped", provider=provider, number=dropped)


async def apply_to(
    gateway: Gateway, connection: AsyncConnection, provider: str, message_id: UUID
) -> None:
    """Apply what was acknowledged of a message, by any name of its attempts, while a call ran."""
    if provider in gateway.learn:
        names = await attempts.names_of(connection, message_id)
        await apply_waiting(gateway, connection, provider, names)


async def apply_waiting(
    gateway: Gateway, connection: AsyncConnection, provider: str, references: Collection[str]
) -> None:
    """Apply what was acknowledged before its attempt was known or its call was over."""
    if provider not in gateway.learn:
        return
    for kept in await acknowledgements.waiting(connection, provider, references):
        attempt = await _lock_attempt(connection, provider, kept["reference"])
        await _apply(gateway, connection, kept, attempt)


async def _lock_attempt(
    connection: AsyncConnection, provider: str, reference: str
) -> RowMapping | None:
    """Return the attempt that a reference names, its message locked."""
    named = await attempts.of_reference(connection, provider, reference)
    if named is None:
        return None
    await messages.lock(connection, named["message_id"])
    # Read again: its outcome may have been written while we waited for the lock.
    return await attempts.of_reference(connection, provider, reference)


async def _apply(
    gateway: Gateway, connection: AsyncConnection, kept: RowMapping, attempt: RowMapping | None
) -> str | None:
    """Apply one acknowledgement to its attempt's message; return why not, where not."""
    if kept["applied_at"] is not None:
        return "repeated"
    if attempt is None or kept["provider"] not in gateway.learn:
        await acknowledgements.settle(
            connection, kept["id"], attempt_id=None, at=None, note=UNKNOWN
        )
        return UNKNOWN
    row = await messages.lock(connection, attempt["message_id"])
    content = contents.read(Channel(row["channel"]), row["content"])
    if not isinstance(content, Fax) or not _same_number(content.to, kept["number"]):
        note: str | None = OTHER_NUMBER
    else:
        report = gateway.learn[kept["provider"]](as_brought(kept), row["units"])
        note = await weigh(
            gateway,
            connection,
            Said(row=row, attempt=attempt, content=content, report=report),
        )
    await acknowledgements.settle(
        connection,
        kept["id"],
        attempt_id=attempt["id"],
        at=None if note == CALL_OPEN else gateway.now(),
        note=note,
    )
    return note


def as_brought(kept: RowMapping) -> Acknowledgement:
    """Return an acknowledgement as it was brought, from the row that keeps it."""
    return Acknowledgement(
        reference=kept["reference"],
        code=kept["code"],
        number=kept["number"],
        pages=kept["pages"],
        provider_time=kept["provider_time"],
    )


def _same_number(ours: str, theirs: str) -> bool:
    # Without the zeros that stand for the country, or for the way out of it.
    digits = "".join(filter(str.isdigit, theirs)).lstrip("0")
    whole = ours.removeprefix("+") == digits
    return whole or (
        len(digits) >= SIGNIFICANT_DIGITS and ours.endswith(digits[-SIGNIFICANT_DIGITS:])
    )
