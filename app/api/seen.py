"""A message as its caller may see it: read together with all that others ask for at this moment."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from app.api import answers
from app.api.access import Caller
from app.api.answers import Row
from app.api.edge import Edge
from app.delivery.gateway import Gateway
from app.domain.errors import NotFound
from app.domain.identifiers import MESSAGE, read
from app.domain.status import Status
from app.store import reading

RESOLVES: Final = ("messages:resolve", "admin")
_OWN: Final[dict[str, Any]] = {"metadata": {}, "tags": []}  # as another's message shows them


async def look_up(gateway: Gateway, ids: Sequence[UUID]) -> list[Row | None]:
    """Return what is shown of each message, whoever's it is; None where there is none."""
    rows = await reading.of_ids(gateway.database, ids)
    return [rows.get(one) for one in ids]


async def found(edge: Edge, caller: Caller, text: str) -> Row:
    """Return a caller's message; raises NotFound, for another's too."""
    caller.may("messages:read")
    row = await _row(edge, text)
    if not _is_own(caller, row):
        raise NotFound
    return row


async def visible(edge: Edge, caller: Caller, text: str) -> Row:
    """Return a caller's message, or one that is uncertain and that the caller may resolve.

    Raises NotFound for every other.
    """
    caller.may("messages:read", *RESOLVES)
    row = await _row(edge, text)
    if not (_is_own(caller, row) and "messages:read" in caller.scopes) and not (
        row["status"] == Status.UNCERTAIN and _may_resolve(caller, row)
    ):
        raise NotFound
    return row


def told(caller: Caller, row: Row) -> dict[str, Any]:
    """Return a message as a caller is told of it."""
    public = answers.message(row)
    return public if row["client_id"] == caller.client_id else public | _OWN


def reach(caller: Caller) -> UUID | None:
    """Return the client whose messages a caller may resolve; None: every client's."""
    return None if "admin" in caller.scopes else caller.client_id


async def _row(edge: Edge, text: str) -> Row:
    message_id = read(MESSAGE, text)
    row = await edge.finding.do(message_id) if message_id is not None else None
    if row is None:
        raise NotFound
    return row


def _is_own(caller: Caller, row: Row) -> bool:
    return bool(row["client_id"] == caller.client_id and row["mode"] == caller.mode)


def _may_resolve(caller: Caller, row: Row) -> bool:
    if caller.scopes.isdisjoint(RESOLVES) or row["mode"] != caller.mode:
        return False
    return reach(caller) in {None, row["client_id"]}
