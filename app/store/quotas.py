"""How many messages clients had taken in on a day: rows that rise with the commit of the messages."""

from collections.abc import Mapping
from datetime import date
from uuid import UUID

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.tables import daily_usage

Name = tuple[UUID, str, str, date]  # client, mode, channel, day


async def spend(connection: AsyncConnection, counts: Mapping[Name, int]) -> dict[Name, int]:
    """Count messages in; return how many there are now. Nobody else counts before the commit."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    columns = ("client_id", "mode", "channel", "day")
    new = dialect.insert(daily_usage).values(
        [
            # Always in the same order, or two commits could wait for each other.
            {**dict(zip(columns, name, strict=True)), "messages": counts[name]}
            for name in sorted(counts)
        ]
    )
    written = await connection.execute(
        new.on_conflict_do_update(
            index_elements=list(columns),
            set_={"messages": daily_usage.c.messages + new.excluded.messages},
        ).returning(daily_usage)
    )
    return {tuple(row[name] for name in columns): row["messages"] for row in written.mappings()}
