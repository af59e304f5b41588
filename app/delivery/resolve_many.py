"""Resolve many messages at once: those that a dry run counted, and no others."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy import RowMapping

from app.delivery.acting import Actor
from app.delivery.gateway import Gateway
from app.delivery.resolve import apply, is_resolvable
from app.delivery.verdicts import Resolution, look
from app.domain.message import Channel
from app.store import campaigns, resolving
from app.store.resolving import Picked, Selection

log = structlog.get_logger()

MOST: Final = 10_000  # messages
CHUNK: Final = 200  # in one transaction


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the messages of a selection."""

    resolved: int
    skipped: int  # moved since they were picked


async def pick(gateway: Gateway, selection: Selection) -> list[Picked]:
    """Return the messages of a selection: one more than may be resolved where there are more."""
    async with gateway.database.reading() as connection:
        return await resolving.pick(connection, selection, MOST + 1)


def digest(picked: Sequence[Picked]) -> str:
    """Return what stands for exactly these messages, at these fences."""
    named = "".join(f"{message_id.hex}:{fence};" for message_id, fence in picked)
    return hashlib.sha256(named.encode()).hexdigest()


async def resolve_many(
    gateway: Gateway, actor: Actor, picked: Sequence[Picked], resolution: Resolution
) -> Counts:
    """Resolve messages, a part of them in each transaction; those that moved meanwhile stay."""
    resolved = 0
    for start in range(0, len(picked), CHUNK):
        resolved += await _resolve(gateway, actor, dict(picked[start : start + CHUNK]), resolution)
    counts = Counts(resolved, len(picked) - resolved)
    log.warning(
        "resolved_many",
        verdict=resolution.verdict.value,
        resolved=counts.resolved,
        skipped=counts.skipped,
    )
    return counts


async def _resolve(
    gateway: Gateway, actor: Actor, fences: Mapping[UUID, int], resolution: Resolution
) -> int:
    async with gateway.database.transaction() as connection:
        shared = await resolving.campaigns_of(connection, list(fences))
        locked, due = await campaigns.lock(connection, list(fences), shared)
        rows = [row for row in locked.values() if _stands(row, fences, resolution)]
        last = await resolving.last_attempts(connection, [row["id"] for row in rows])
        cases = [
            await look(connection, row, last.get(row["id"]), resolution.verdict) for row in rows
        ]
        if cases:
            await apply(gateway, connection, actor, cases, resolution)
            await campaigns.pass_on(connection, due, gateway.now())
    for channel in {row["channel"] for row in rows}:
        gateway.wake.call(Channel(channel))
    return len(cases)


def _stands(row: RowMapping, fences: Mapping[UUID, int], resolution: Resolution) -> bool:
    same: bool = row["fence"] == fences[row["id"]]
    return same and is_resolvable(row, resolution.verdict)
