"""Remember what the store knows of a report's rows, to weigh uncertain messages against it."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from app.delivery.match import Case, Context, Text, known_texts, last_text, number_of, tail
from app.domain.evidence import Reported, Seen
from app.domain.message import Channel
from app.store import uncertain

LOOKED_AT: Final = 5000  # rows at each end of a report, for what we know that it took
_TOGETHER: Final = 500  # names in one query


async def remember(
    connection: AsyncConnection, provider: str, reported: Reported, cases: Sequence[Case]
) -> Context:
    """Return what the store knows that may explain a report's rows."""
    rows = _ends(reported.rows)
    reached = dict(await _by_reference(connection, provider, rows))
    texts = [one for one in cases if one.channel is Channel.SMS]
    if not texts:
        return Context(reached=reached)
    numbers = {number_of(one.row) for one in texts}
    theirs = [row for row in reported.rows if tail(row.recipient or "") in numbers]
    known = await _texts(connection, provider, [*rows, *theirs])
    last = last_text(rows, known)
    if last is not None:
        reached[Channel.SMS] = last
    doubtful: dict[str, set[UUID]] = defaultdict(set)
    for row in await uncertain.texts_in_doubt(connection, provider):
        doubtful[number_of(row)].add(row["id"])
    return Context(reached=reached, texts=known, doubtful=doubtful)


def _ends(rows: Sequence[Seen]) -> Sequence[Seen]:
    """Return both ends of a report: nobody says which of them is the later one."""
    if len(rows) <= 2 * LOOKED_AT:
        return rows
    return [*rows[:LOOKED_AT], *rows[-LOOKED_AT:]]


async def _by_reference(
    connection: AsyncConnection, provider: str, rows: Sequence[Seen]
) -> Mapping[Channel, datetime]:
    """Return, per channel, the last submission that stands in a report under our reference."""
    reached: dict[Channel, datetime] = {}
    for some in _some([row.reference for row in rows]):
        for one in await uncertain.taken_by_reference(connection, provider, some):
            channel = Channel(one["channel"])
            reached[channel] = max(one["started_at"], reached.get(channel, one["started_at"]))
    return reached


async def _texts(
    connection: AsyncConnection, provider: str, rows: Sequence[Seen]
) -> Mapping[str, Sequence[Text]]:
    found: list[RowMapping] = []
    for some in _some([row.provider_message_id for row in rows]):
        found += await uncertain.texts_taken(connection, provider, some)
    return known_texts(found)


def _some(names: Sequence[str | None]) -> Iterator[list[str]]:
    every = sorted({name for name in names if name})
    for start in range(0, len(every), _TOGETHER):
        yield every[start : start + _TOGETHER]
