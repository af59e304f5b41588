"""Notice that the store was restored or failed over, and send nothing before a person says how.

A restore is time travel: what was sent after the backup stands as queued again. Whether a message
left cannot be found out, since the attempt that its provider knows is what was lost. So all that
waited is held, all that was under way is uncertain and never sent again by itself, and all channels
are stopped until somebody accepts.
"""

import asyncio
from collections.abc import Collection
from datetime import timedelta
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from app.delivery import outside
from app.delivery.gateway import Gateway
from app.delivery.outside import Copy, UnreadableCopy
from app.domain.message import Channel
from app.domain.standing import Standing, State
from app.domain.status import Status
from app.store import channels, feed, incarnation, queue, restoring
from app.store.channels import Name
from app.store.database import UNAVAILABLE
from app.store.incarnation import Place
from app.store.messages import Move, move

log = structlog.get_logger()

REASON: Final = "restore"
EVERY: Final = 1.0  # seconds between looks at the store's position
BATCH: Final = 500  # messages in one transaction
_ALL: Final = timedelta(days=-36_500)  # a grace within which every lease has run out


async def notice(gateway: Gateway) -> None:
    """Look whether this is the store that it was; where not, stop everything and hold the queue."""
    copy = outside.read(gateway.outside) if gateway.outside else None
    async with gateway.database.transaction() as connection:
        where = await incarnation.place(connection)
        row = await incarnation.lock(connection, gateway.ids.new(), where, gateway.now())
        why = _why(row, where, copy)
        if why == [_OTHER_STORE] and await incarnation.is_empty(connection):
            why = []  # a new store, where an old one was
        if why:
            await _stop(gateway, connection, row, where, why)
        row = await incarnation.lock(connection, row["store_id"], where, gateway.now())
    if why:
        log.error("store_restored", why=why, remedy="multicanal restore status")
    if row["restore_since"] is not None:
        await _hold(gateway, row)
    await _keep_outside(gateway.outside, Copy(row["store_id"], where.position))


_OTHER_STORE: Final = "it is another store than the one that was here"


def _why(row: RowMapping, where: Place, copy: Copy | None) -> list[str]:
    """Return what tells that the store was restored; nothing where it was not."""
    known, found = row["origin"] or {}, where.origin or {}
    other = [
        f"its {name} is another"
        for name in found
        if None not in {known.get(name), found[name]} and known[name] != found[name]
    ]
    if row["timeline"] != where.timeline:
        other.append(f"its timeline was {row['timeline']} and is {where.timeline}")
    if copy is not None and copy.store_id != row["store_id"]:
        other.append(_OTHER_STORE)
    elif copy is not None and copy.position > where.position:
        other.append(f"it had come to {copy.position} and is at {where.position}")
    return other


async def _stop(
    gateway: Gateway, connection: AsyncConnection, row: RowMapping, where: Place, why: list[str]
) -> None:
    now = gateway.now()
    await incarnation.write(
        connection,
        timeline=where.timeline,
        origin=where.origin,
        restore_since=row["restore_since"] or now,
        restore_why="; ".join(why)[:200],
        known_until=row["known_until"] or await incarnation.last_event(connection),
    )
    stopped = Standing(state=State.STOPPED, reason=REASON, why="; ".join(why))
    names = _names(gateway)
    await channels.standings(connection, names, lock=True)
    await channels.write(connection, dict.fromkeys(names, stopped), now)
    await feed.leap(connection)


def _names(gateway: Gateway) -> list[Name]:
    return [
        (name, Channel(channel).value)
        for name, provider in gateway.providers.items()
        for channel in provider.channels
    ]


async def _hold(gateway: Gateway, row: RowMapping) -> None:
    """Hold what waited at the backup's time, and let go of what was under way."""
    held = lost = 0
    since = row["restore_since"]
    while True:
        async with gateway.database.transaction() as connection:
            ids = await restoring.waiting(connection, since, BATCH)
            moves = [
                Move(
                    message_id=message_id,
                    to=Status.HELD,
                    at=gateway.now(),
                    source="worker",
                    detail={"why": REASON},
                    # `due_at` stays: a release must not make all members of a campaign due.
                    changes={"blocked_reason": REASON},
                )
                for message_id in ids
            ]
            if moves:
                await move(connection, gateway.ids, moves)
            ended = await queue.lose_leases(
                connection, gateway.ids, now=gateway.now(), grace=_ALL, limit=BATCH
            )
            held, lost = held + len(ids), lost + len(ended)
        if not ids and not ended:
            break
    async with gateway.database.transaction() as connection:
        await restoring.never_retry_uncertain(connection)
    log.error("restore_holds", held=held, uncertain=lost)


async def accept(gateway: Gateway, *, release: bool) -> int:
    """Let channels go on; with `release`, queue what was held. Return how many were released."""
    released = 0
    while release:
        async with gateway.database.transaction() as connection:
            ids = await restoring.held(connection, BATCH)
            if ids:
                await move(connection, gateway.ids, [_released(gateway, one) for one in ids])
        released += len(ids)
        if not ids:
            break
    async with gateway.database.transaction() as connection:
        await incarnation.write(connection, restore_since=None, restore_why=None, known_until=None)
        names = await _stopped(connection, _names(gateway))
        await channels.write(connection, dict.fromkeys(names, Standing()), gateway.now())
    log.warning("restore_accepted", released=released)
    return released


def _released(gateway: Gateway, message_id: restoring.Id) -> Move:
    return Move(
        message_id=message_id,
        to=Status.QUEUED,
        at=gateway.now(),
        source="operator",
        detail={"why": REASON},
        changes={"blocked_reason": None},
    )


async def _stopped(connection: AsyncConnection, names: Collection[Name]) -> list[Name]:
    found = await channels.standings(connection, names, lock=True)
    return [name for name, one in found.items() if one.reason == REASON]


async def keep(gateway: Gateway) -> None:
    """Keep the outside copy at most a second behind, and notice a failover under our feet."""
    kept: Copy | None = None
    while True:
        await asyncio.sleep(EVERY)
        try:
            kept = await look(gateway, kept)
        except (*UNAVAILABLE, UnreadableCopy) as fault:
            log.warning("incarnation_not_kept", fault=type(fault).__name__)


async def look(gateway: Gateway, kept: Copy | None) -> Copy | None:
    """Keep the outside copy where the store has gone on since `kept`; return what is kept now."""
    async with gateway.database.reading() as connection:
        where = await incarnation.place(connection)
        row = await incarnation.standing(connection)
    if row is None or row["timeline"] != where.timeline:
        await notice(gateway)
        return None
    copy = Copy(row["store_id"], where.position)
    if copy != kept:
        await _keep_outside(gateway.outside, copy)
    return copy


async def _keep_outside(file: Path | None, copy: Copy) -> None:
    """Write the outside copy; back too, where a restored store was noticed and said so itself."""
    if file is not None and await asyncio.to_thread(outside.read, file) != copy:
        await asyncio.to_thread(outside.write, file, copy)
