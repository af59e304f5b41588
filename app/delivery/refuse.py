"""Refuse a reference that its client used before, where its references must be unique.

The first message that is kept with a reference has it for good, whatever becomes of it.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.delivery.arrival import Arrival, ReferencesTaken
from app.store import idempotency, references


async def take_references(
    connection: AsyncConnection, new: Sequence[Arrival]
) -> dict[UUID, ReferencesTaken]:
    """Write the references that must be unique; return what stood in the way, by its object.

    An arrival that is refused leaves its key free, and nothing else of it was written.
    """
    refused = await refused_of(connection, new)
    asking = [one for one in _unique(new) if one.object_id not in refused]
    lost = await references.take(connection, [row for one in asking for row in named(one)])
    refused |= {
        one.object_id: ReferencesTaken(dict([lost[one.messages[0]["id"]]]))
        for one in asking
        if one.messages[0]["id"] in lost
    }
    for one in new:
        if one.object_id in refused and one.key is not None:
            key = one.key
            await idempotency.free(connection, one.object_id, key.client_id, key.key)
    return refused


async def refused_of(
    connection: AsyncConnection, arrivals: Sequence[Arrival]
) -> dict[UUID, ReferencesTaken]:
    """Return the arrivals whose reference an earlier message has."""
    refused: dict[UUID, ReferencesTaken] = {}
    asking = _unique(arrivals)
    for client_id, mode in {
        (row["client_id"], row["mode"]) for one in asking for row in one.messages
    }:
        theirs = {
            one.object_id: row
            for one in asking
            for row in named(one)
            if (row["client_id"], row["mode"]) == (client_id, mode)
        }
        names = {row["reference"] for row in theirs.values()}
        found = await references.earlier(connection, client_id, mode, names)
        for object_id, row in theirs.items():
            holder = found.get(row["reference"], row["message_id"])
            if holder != row["message_id"]:
                refused[object_id] = ReferencesTaken({row["reference"]: holder})
    return refused


def _unique(arrivals: Sequence[Arrival]) -> list[Arrival]:
    """Return those whose messages, one each, must have references of their own."""
    return [one for one in arrivals if one.unique_references and named(one)]


def named(arrival: Arrival) -> list[dict[str, Any]]:
    """Return the rows of an arrival's references."""
    return [
        {
            **{name: row[name] for name in ("client_id", "mode", "reference")},
            "message_id": row["id"],
        }
        for row in arrival.messages
        if row["reference"] is not None
    ]
