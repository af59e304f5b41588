"""What a provider tells us by itself: kept at once, and applied when its attempt allows it.

An acknowledgement is a claim of the outside: it must name a reference of ours and the number that
the message went to. It may come before the answer to the call that caused it, twice, late, or for
a reference that nobody knows; it is kept in every case, and waits where it cannot be applied yet.
Those that come at the same time are kept in one transaction.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import structlog
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from app.delivery.fault_points import Point
from app.delivery.gateway import Gateway
from app.delivery.weigh import CALL_OPEN, Said, weigh
from app.domain.acknowledgement import Acknowledgement, UnreadableAcknowledgement
from app.domain.message import Channel, Fax
from app.domain.status import Status
from app.store import acknowledgements, attempts, contents
from app.store.acknowledgements import OTHER_NUMBER, UNKNOWN, UNREADABLE, Settled
from app.store.attempts import Named
from app.store.database import is_contended, is_unavailable

log = structlog.get_logger()

SIGNIFICANT_DIGITS: Final = 9  # of a number, however its prefix is written
REPEATED: Final = "repeated"  # it was applied before


@dataclass(frozen=True, slots=True)
class Received:
    """An acknowledgement, and who brought it."""

    provider: str
    brought: Acknowledgement


async def receive(gateway: Gateway, provider: str, brought: Acknowledgement) -> None:
    """Keep an acknowledgement, and apply it if its attempt is known and its call is over."""
    received = Received(provider, brought)
    (note,) = await receive_many(gateway, [received])
    tell(log, received, note)


def tell(into: structlog.typing.FilteringBoundLogger, received: Received, note: str | None) -> None:
    """Log an acknowledgement that is kept, and why it moved nothing, where it did not."""
    into.info("acknowledged", provider=received.provider, code=received.brought.code, note=note)


async def receive_many(gateway: Gateway, received: Sequence[Received]) -> list[str | None]:
    """Keep acknowledgements, and apply those whose attempt is known and whose call is over.

    Returns why each moved nothing, where it did not.
    """
    async with gateway.database.transaction() as connection:
        notes: list[str | None] = [None] * len(received)
        for provider in sorted({one.provider for one in received}):
            places = [at for at, one in enumerate(received) if one.provider == provider]
            brought = [received[at].brought for at in places]
            kept = await _keep(gateway, connection, provider, brought)
            for at, note in zip(places, kept, strict=True):
                notes[at] = note
        await gateway.fault_points.reached(Point.ACKNOWLEDGING)
    unmatched: dict[str, set[str]] = {}
    for one, note in zip(received, notes, strict=True):
        if note in {UNKNOWN, OTHER_NUMBER}:
            unmatched.setdefault(one.provider, set()).add(one.brought.reference)
    for provider, references in sorted(unmatched.items()):
        # The provider's own name for it may have been written down since we looked.
        async with gateway.database.transaction() as connection:
            await apply_waiting(gateway, connection, provider, references)
        await _trim(gateway, provider)
    return notes


def concerns_all(fault: BaseException) -> bool:
    """Say whether a fault of many acknowledgements at once would be that of each alone."""
    return is_unavailable(fault) and not is_contended(fault)


async def keep_unreadable(
    gateway: Gateway, provider: str, fault: UnreadableAcknowledgement
) -> None:
    """Keep what can be read of a callback that says too little to be applied."""
    now, why = gateway.now(), str(fault)
    row = _row(gateway, provider, fault.readable, why)
    async with gateway.database.transaction() as connection:
        await acknowledgements.keep(connection, [row], [Settled(UNREADABLE, at=now)])
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
    kept = await acknowledgements.waiting(connection, provider, references)
    settled = await _apply(gateway, connection, provider, [as_brought(one) for one in kept])
    ids = [one["id"] for one in kept]
    await acknowledgements.settle(connection, dict(zip(ids, settled, strict=True)))


async def _keep(
    gateway: Gateway, connection: AsyncConnection, provider: str, brought: Sequence[Acknowledgement]
) -> list[str | None]:
    """Keep acknowledgements with what came of them; return why each moved nothing, where so."""
    rows = [_row(gateway, provider, one) for one in brought]
    times = Counter(row["fingerprint"] for row in rows)
    # The messages are locked before the acknowledgements are written: the order of `submit.record`.
    ours = await attempts.lock_named(connection, provider, {one.reference for one in brought})
    applied = await acknowledgements.applied(connection, times)
    first: dict[str, int] = {}
    for at, row in enumerate(rows):
        first.setdefault(row["fingerprint"], at)
    new = [at for at in first.values() if rows[at]["fingerprint"] not in applied]
    settled = dict.fromkeys(first.values(), Settled(REPEATED, at=gateway.now()))
    found = await _apply(gateway, connection, provider, [brought[at] for at in new], ours)
    settled |= zip(new, found, strict=True)
    counted = [{**rows[at], "times": times[rows[at]["fingerprint"]]} for at in settled]
    await acknowledgements.keep(connection, counted, list(settled.values()))
    return [settled[at].note if at in settled else REPEATED for at in range(len(rows))]


async def _apply(
    gateway: Gateway,
    connection: AsyncConnection,
    provider: str,
    brought: Sequence[Acknowledgement],
    ours: Mapping[str, Named] | None = None,
) -> list[Settled]:
    """Apply acknowledgements to the messages of their attempts; return what came of each.

    `ours`: what they name, where it is locked already. Of several that name one message, each
    finds it where the one before has left it.
    """
    settled = [Settled(UNKNOWN)] * len(brought)
    left = list(range(len(brought))) if provider in gateway.learn else []
    while left:
        if ours is None:
            ours = await attempts.lock_named(
                connection, provider, {brought[at].reference for at in left}
            )
        known = [at for at in left if brought[at].reference in ours]
        turn = {ours[brought[at].reference].message["id"]: at for at in reversed(known)}
        some = sorted(turn.values())
        claims = [(brought[at], ours[brought[at].reference]) for at in some]
        for at, one in zip(some, await _apply_some(gateway, connection, claims), strict=True):
            settled[at] = one
        left, ours = [at for at in known if at not in set(some)], None
    return settled


async def _apply_some(
    gateway: Gateway, connection: AsyncConnection, claims: Sequence[tuple[Acknowledgement, Named]]
) -> list[Settled]:
    """Apply acknowledgements of different messages."""
    said = [_said_of(gateway, brought, named) for brought, named in claims]
    weighed = iter(await weigh(gateway, connection, [one for one in said if one is not None]))
    notes = [OTHER_NUMBER if one is None else next(weighed) for one in said]
    now = gateway.now()
    return [
        Settled(note, named.attempt["id"], None if note == CALL_OPEN else now)
        for note, (_, named) in zip(notes, claims, strict=True)
    ]


def _said_of(gateway: Gateway, brought: Acknowledgement, named: Named) -> Said | None:
    """Return what is acknowledged of a fax; None where it went to another number."""
    row = named.message
    content = contents.read(Channel(row["channel"]), row["content"])
    if not isinstance(content, Fax) or not content.to.endswith(ending_of(brought.number)):
        return None
    report = gateway.learn[named.attempt["provider"]](brought, row["units"])
    return Said(
        row=row,
        status=Status(row["status"]),
        attempt=named.attempt,
        content=content,
        report=report,
    )


def _row(
    gateway: Gateway, provider: str, brought: Acknowledgement, unreadable: str | None = None
) -> dict[str, Any]:
    said = fields_of(provider, brought)
    return {
        "id": gateway.ids.new(),
        "fingerprint": acknowledgements.fingerprint_of(said, unreadable),
        "received_at": gateway.now(),
        "times": 1,
        "detail": unreadable and unreadable[:200],
        **said,
    }


def fields_of(provider: str, brought: Acknowledgement) -> dict[str, Any]:
    """Return what of an acknowledgement's row its provider said."""
    return {
        "provider": provider,
        "reference": brought.reference,
        "code": brought.code,
        "number": brought.number,
        "pages": brought.pages,
        "provider_time": brought.provider_time,
    }


def as_brought(kept: RowMapping) -> Acknowledgement:
    """Return an acknowledgement as it was brought, from the row that keeps it."""
    return Acknowledgement(
        reference=kept["reference"],
        code=kept["code"],
        number=kept["number"],
        pages=kept["pages"],
        provider_time=kept["provider_time"],
    )


def ending_of(theirs: str) -> str:
    """Return how our own form of a number must end that a provider names, however it writes it."""
    # Without the zeros that stand for the country, or for the way out of it.
    digits = "".join(filter(str.isdigit, theirs)).lstrip("0")
    return digits[-SIGNIFICANT_DIGITS:] if len(digits) >= SIGNIFICANT_DIGITS else f"+{digits}"
