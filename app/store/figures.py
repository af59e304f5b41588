"""What is counted for monitoring: each count follows an index and has a limit."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import RowMapping, func, literal_column, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.identifiers import made_at
from app.domain.message import Channel
from app.domain.standing import State
from app.store import acknowledgements, channels, contracts, counters, deliveries, feed, unmapped
from app.store.queue import WAITING
from app.store.tables import contracts as contracts_table
from app.store.tables import messages

MOST_COUNTED: Final = 100_000  # messages of a channel


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """How things stand."""

    unmapped: Sequence[RowMapping]  # rows of `unmapped_codes`
    drift: Mapping[tuple[str, str], int]  # differences, by provider and severity
    due: Mapping[Channel, int]  # messages that a worker should have taken
    uncertain: Mapping[Channel, int]
    shut: Sequence[RowMapping]  # channels that nothing leaves on
    unmatched: int  # acknowledgements
    unpublished: float  # seconds for which the first event waits for its place in its feed
    webhooks: tuple[int, float]  # that wait, and for how many seconds the first does
    tries: Mapping[str, int]  # of webhooks, by what came of them


async def figures(connection: AsyncConnection, now: datetime) -> Figures:
    """Count everything."""
    return Figures(
        unmapped=await unmapped.all_codes(connection),
        drift=await _drift(connection),
        due={one: await _due(connection, one, now) for one in Channel},
        uncertain={one: await _uncertain(connection, one) for one in Channel},
        shut=[row for row in await channels.every(connection) if row["state"] != State.CLOSED],
        unmatched=await acknowledgements.count_unmatched(connection),
        unpublished=await _unpublished(connection, now),
        webhooks=await _webhooks(connection, now),
        tries=await counters.tries(connection),
    )


async def _unpublished(connection: AsyncConnection, now: datetime) -> float:
    first = await feed.oldest_waiting(connection)
    return max(0.0, (now - made_at(first)).total_seconds()) if first is not None else 0.0


async def _webhooks(connection: AsyncConnection, now: datetime) -> tuple[int, float]:
    count, first = await deliveries.pending(connection)
    return count, max(0.0, (now - first).total_seconds()) if first else 0.0


async def _drift(connection: AsyncConnection) -> Mapping[tuple[str, str], int]:
    c = contracts_table.c
    found = await connection.execute(
        select(c.provider, c.differences).where(c.state == contracts.PENDING)
    )
    return Counter((row.provider, one["severity"]) for row in found for one in row.differences)


async def _due(connection: AsyncConnection, channel: Channel, now: datetime) -> int:
    c = messages.c
    due = select(c.id).where(WAITING, c.channel == channel.value, c.due_at <= now)
    few = due.limit(MOST_COUNTED).subquery()
    return (await connection.execute(select(func.count()).select_from(few))).scalar_one()


async def _uncertain(connection: AsyncConnection, channel: Channel) -> int:
    c = messages.c
    # The words of the partial index, as a literal: a prepared plan could not use it otherwise.
    found = select(c.id).where(literal_column("status = 'uncertain'"), c.channel == channel.value)
    few = found.limit(MOST_COUNTED).subquery()
    return (await connection.execute(select(func.count()).select_from(few))).scalar_one()
