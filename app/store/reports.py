"""Reports: files that a provider makes for us on demand, and the queue of those to be asked for.

Asking twice does no harm. A claim's `due_at` is its lease: it says when another worker may take
the report, and names the claim when its end is written.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, RowMapping, insert, literal_column, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.store.tables import reports

# The words of the partial index, as literals: a prepared plan could not use it otherwise.
OPEN: Final[ColumnElement[bool]] = literal_column("status IN ('queued', 'running')")


async def add(connection: AsyncConnection, row: Mapping[str, Any]) -> None:
    """Write a client's report, queued."""
    await connection.execute(insert(reports).values(**row))


async def find(
    connection: AsyncConnection, report_id: UUID, client_id: UUID, mode: str
) -> RowMapping | None:
    """Return a client's report."""
    c = reports.c
    found = await connection.execute(
        select(reports).where(c.id == report_id, c.client_id == client_id, c.mode == mode)
    )
    return found.mappings().one_or_none()


async def claim(
    connection: AsyncConnection, *, now: datetime, lease: timedelta, limit: int
) -> Sequence[RowMapping]:
    """Take reports that are due; whose worker died is due again when its lease is over."""
    c = reports.c
    due = (
        select(c.id)
        .where(OPEN, c.due_at <= now)
        .order_by(c.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    taken = await connection.execute(
        update(reports)
        .where(c.id.in_(select(due.c.id)))
        .values(status="running", attempts=c.attempts + 1, due_at=now + lease)
        .returning(reports)
    )
    rows: Sequence[RowMapping] = taken.mappings().all()
    return rows


async def end(connection: AsyncConnection, held: RowMapping, **columns: object) -> bool:
    """Write what came of a claim; False where another worker has taken the report since."""
    c = reports.c
    written = await connection.execute(
        update(reports)
        .where(c.id == held["id"], c.status == "running", c.due_at == held["due_at"])
        .values(**columns)
    )
    return bool(written.rowcount)
