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

from app.delivery.gateway import Acknowledgement, Gateway
from app.domain.identifiers import MESSAGE, shown
from app.domain.message import Channel, Fax
from app.domain.status import FINAL, Status
from app.store import acknowledgements, attempts, contents, messages
from app.store.messages import Move

log = structlog.get_logger()

UNKNOWN: Final = "unknown_reference"
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
    if note == UNKNOWN:
        # The provider's own name for it may have been written down since we looked.
        async with gateway.database.transaction() as connection:
            await apply_waiting(gateway, connection, provider, {brought.reference})
    log.info("acknowledged", provider=provider, code=brought.code, note=note)


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
    if attempt is None:
        return UNKNOWN
    row = await messages.lock(connection, attempt["message_id"])
    content = contents.read(Channel(row["channel"]), row["content"])
    if not isinstance(content, Fax) or not _same_number(content.to, kept["number"]):
        await _settle(gateway, connection, kept, attempt["id"], "other_number")
        return "other_number"
    if attempt["ended_at"] is None:
        # The call is still open: its outcome applies what waits, in the same transaction.
        return "call_open"
    report = gateway.learn[kept["provider"]](_read(kept), row["units"])
    move = Move(
        message_id=row["id"],
        to=report.status,
        at=gateway.now(),
        source="acknowledgement",
        code=report.code,
        label=report.label,
        occurred=report.occurred,
        failure=report.failure,
        evidence=True,
        type=None if report.status else "message.status_unmapped",
        changes={
            "pages_sent": report.pages_sent,
            "status_checked_at": gateway.now(),
            "due_at": None if report.status in FINAL else row["due_at"],
        },
    )
    steps = [move]
    if Status(row["status"]) is Status.UNCERTAIN:
        # Whoever acknowledges has accepted.
        found = Move(
            message_id=row["id"],
            to=Status.SUBMITTED,
            at=gateway.now(),
            source="acknowledgement",
            raise_fence=True,
            changes={"submitted_at": gateway.now()},
        )
        steps = [found, move]
    moved = await messages.move(connection, gateway.ids, steps)
    note = None if moved[-1] else "status_is_final"
    await _settle(gateway, connection, kept, attempt["id"], note)
    log.info(
        "status_learnt",
        message_id=shown(MESSAGE, row["id"]),
        status=report.status,
        code=report.code,
        applied=moved[-1],
    )
    return note


async def _settle(
    gateway: Gateway,
    connection: AsyncConnection,
    kept: RowMapping,
    attempt_id: UUID,
    note: str | None,
) -> None:
    await acknowledgements.settle(
        connection, kept["id"], attempt_id=attempt_id, at=gateway.now(), note=note
    )


def _read(kept: RowMapping) -> Acknowledgement:
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
