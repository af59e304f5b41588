"""How channels stand, shared by every process; a channel without a row is closed."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import RowMapping, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.standing import Standing, State
from app.store.database import insert_new
from app.store.tables import channels

Name = tuple[str, str]  # provider, channel
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# What says of a row that its channel does not stand as one without a row does.
OUT_OF_ORDER: Final = (
    "(state <> 'closed' OR failures <> 0 OR opens <> 0 OR reason IS NOT NULL OR why IS NOT NULL"
    " OR probe_at IS NOT NULL OR width IS NOT NULL)"
)


async def every(connection: AsyncConnection) -> Sequence[RowMapping]:
    """Return how each channel stands that was ever out of order."""
    found = await connection.execute(
        select(channels).order_by(channels.c.provider, channels.c.channel)
    )
    return found.mappings().all()


async def of_channel(connection: AsyncConnection, channel: str) -> dict[str, Standing]:
    """Return how a channel stands at each provider that was ever out of order."""
    found = await connection.execute(select(channels).where(channels.c.channel == channel))
    return {row["provider"]: standing_of(row) for row in found.mappings()}


async def standings(
    connection: AsyncConnection, names: Collection[Name], *, lock: bool = False
) -> dict[Name, Standing]:
    """Return how channels stand; with `lock`, nobody else changes them in this transaction."""
    c = channels.c
    if lock:
        for provider, channel in sorted(names):
            await connection.execute(
                insert_new(connection, channels).values(_row(provider, channel, Standing(), _EPOCH))
            )
    query = select(channels).where(tuple_(c.provider, c.channel).in_(names))
    if lock:
        query = query.order_by(c.provider, c.channel).with_for_update()
    found = await connection.execute(query)
    return {(row["provider"], row["channel"]): standing_of(row) for row in found.mappings()}


async def write(
    connection: AsyncConnection, changed: Mapping[Name, Standing], now: datetime
) -> None:
    """Write how channels stand now; their rows are locked."""
    for (provider, channel), standing in changed.items():
        await connection.execute(
            update(channels)
            .where(channels.c.provider == provider, channels.c.channel == channel)
            .values(_row(provider, channel, standing, now))
        )


async def take_due(
    connection: AsyncConnection, now: datetime, lease: timedelta, of: Collection[str]
) -> list[Name]:
    """Take the channels of some providers that are to be looked at now.

    Another process leaves them for a lease.
    """
    c = channels.c
    taken = await connection.execute(
        update(channels)
        .where(c.state != State.CLOSED.value, c.probe_at <= now, c.provider.in_(sorted(of)))
        .values(probe_at=now + lease)
        .returning(c.provider, c.channel)
    )
    return [(row.provider, row.channel) for row in taken]


async def hasten(connection: AsyncConnection, provider: str, now: datetime) -> None:
    """Make a provider's channels that are out of order due to be looked at now."""
    c = channels.c
    await connection.execute(
        update(channels)
        .where(c.provider == provider, c.state != State.CLOSED.value)
        .values(probe_at=now)
    )


def standing_of(row: RowMapping) -> Standing:
    """Return a row as how its channel stands."""
    return Standing(
        state=State(row["state"]),
        reason=row["reason"],
        why=row["why"],
        failures=row["failures"],
        opens=row["opens"],
        probe_at=row["probe_at"],
        width=row["width"],
    )


def _row(provider: str, channel: str, standing: Standing, now: datetime) -> dict[str, Any]:
    kept = asdict(standing) | {"state": standing.state.value}
    kept["why"] = standing.why and standing.why[:200]
    return {"provider": provider, "channel": channel, "changed_at": now, **kept}
