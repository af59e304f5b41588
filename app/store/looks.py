"""Look what is due, all of it in one statement that only reads."""

from datetime import datetime
from typing import Final

from sqlalchemy import (
    Column,
    ColumnElement,
    FromClause,
    ScalarSelect,
    exists,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.message import Channel
from app.domain.standing import State
from app.store.checks import TRACKED
from app.store.queue import WAITING
from app.store.reports import OPEN
from app.store.tables import channels, messages, reports
from app.store.uncertain import UNCERTAIN

TRACK: Final = "track"
RECONCILE: Final = "reconcile"
PROBE: Final = "probe"
REPORT: Final = "report"


async def due(connection: AsyncConnection, now: datetime) -> set[str]:
    """Return what there is work for: channels to submit on by their names, and the other steps."""
    m, c = messages.c, channels.c
    uncertain = or_(m.due_at.is_(None), m.due_at <= now)
    steps = {
        **{one.value: _first(m.due_at, WAITING, m.channel == one.value) <= now for one in Channel},
        TRACK: _first(m.due_at, TRACKED) <= now,
        RECONCILE: _any(messages, UNCERTAIN, uncertain),
        PROBE: _any(channels, c.state != State.CLOSED.value, c.probe_at <= now),
        REPORT: _any(reports, OPEN, reports.c.due_at <= now),
    }
    found = await connection.execute(select(*(one.label(name) for name, one in steps.items())))
    return {name for name, is_due in found.mappings().one().items() if is_due}


def _first(column: Column[datetime], *conditions: ColumnElement[bool]) -> ScalarSelect[datetime]:
    # By its index alone. Where PostgreSQL believes that many rows wait, as they may have when it
    # counted them last, it would look for any of them from the beginning of the table.
    return select(func.min(column)).where(*conditions).scalar_subquery()


def _any(table: FromClause, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists(select(literal(1)).select_from(table).where(*conditions))
