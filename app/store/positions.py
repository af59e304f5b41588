"""Give events their positions in a feed.

On PostgreSQL each index is named by what is asked for, whatever the planner thinks how much waits:
the oldest events are compared as the index of what waits is ordered, or all events would be walked
through from their beginning where most waited lately; a message's earlier events are looked for by
the message alone, or each would be a walk through all that waits; and those to number by their ids.
"""

from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.store import driver
from app.store.feed import FIRST, Feed, Published

_PLACED: Final = (
    "WITH oldest AS (SELECT id, message_id, sequence FROM events"
    " WHERE {of} AND position IS NULL ORDER BY {order} LIMIT {mark}),"
    # Clocks differ: an earlier event may have been given a later identifier elsewhere.
    " taken AS (SELECT id, message_id, sequence FROM oldest"
    " UNION SELECT one.id, one.message_id, one.sequence FROM {earlier} AS one{same}"
    " WHERE one.position IS NULL),"
    " timed AS (SELECT id, sequence, max({text}) OVER"
    " (PARTITION BY coalesce(message_id, id) ORDER BY sequence) AS latest FROM taken),"
    " placed AS (SELECT id, row_number() OVER (ORDER BY latest, sequence) AS place FROM timed)"
)
_NUMBERED: Final = (
    "UPDATE events SET position = {mark} + placed.place FROM placed"
    " WHERE events.id = placed.id{these} RETURNING position"
)
_THESE: Final = " AND events.id = ANY(ARRAY(SELECT id FROM placed))"
_OF: Final = "(client_id, mode, id) >= (%s, %s, %s) AND (client_id, mode) <= (%s, %s)"
_EARLIER: Final = (
    "oldest CROSS JOIN LATERAL (SELECT id, message_id, sequence, position FROM events"
    " WHERE message_id = oldest.message_id AND sequence < oldest.sequence OFFSET 0)"
)
_EARLIER_ON_SQLITE: Final = (
    " ON one.message_id = oldest.message_id AND one.sequence < oldest.sequence"
)
_REACHED: Final = (
    "numbered AS ({numbered}), reached AS (SELECT max(position) AS until FROM numbered),"
    " last AS (SELECT id FROM oldest ORDER BY id DESC LIMIT 1)"
    " UPDATE feeds SET position = until FROM reached CROSS JOIN last"
    " WHERE client_id = %s AND mode = %s AND until IS NOT NULL RETURNING until, last.id"
)
_GIVEN: Final = ", ".join(
    [
        _PLACED.format(
            mark="%s",
            of=_OF,
            order="client_id, mode, id",
            earlier=_EARLIER,
            same="",
            text='id::text COLLATE "C"',
        ),
        _REACHED.format(numbered=_NUMBERED.format(mark="%s", these=_THESE)),
    ]
)
_GIVEN_ON_SQLITE: Final = _PLACED.format(
    mark="?",
    of="client_id = ? AND mode = ?",
    order="id",
    earlier="oldest JOIN events",
    same=_EARLIER_ON_SQLITE,
    text="id",
) + _NUMBERED.format(mark="?", these="")
_REACHED_ON_SQLITE: Final = "UPDATE feeds SET position = ? WHERE client_id = ? AND mode = ?"


async def give(
    connection: AsyncConnection, feed: Feed, position: int, limit: int, since: UUID = FIRST
) -> Published:
    """Give the oldest events of a feed that is held their positions; return which those are.

    About `limit` of them: a message's earlier events always go with its later ones. On PostgreSQL
    none before `since`: there, what got a position stands in the index until the next vacuum, and
    is passed over one by one.
    """
    client_id, mode = feed
    if connection.dialect.name == "sqlite":
        oldest = (client_id.hex, mode, limit, position)
        numbered = await driver.execute(connection, _GIVEN_ON_SQLITE, oldest)
        until = max((one for (one,) in numbered), default=position)
        if until > position:
            await driver.execute(connection, _REACHED_ON_SQLITE, (until, client_id.hex, mode))
        return Published(feed, position, until)
    given = (*feed, since, *feed, limit, position, *feed)
    reached = await driver.execute(connection, _GIVEN, given)
    until, last = reached[0] if reached else (position, None)
    return Published(feed, position, until, last)
