"""What an operator's key may administer: its own mode; a live one, every mode.

An operator may give any scope, also one that its own key lacks: who makes keys could make itself one.
What a client has of every mode (its options, its team's list) is for live keys alone: by a longer
list or a higher rate a test or team key would reach what only live keys may.
"""

import re
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from app.api.access import Caller
from app.domain.errors import ModeNotAllowed, NotFound
from app.domain.identifiers import CLIENT, read
from app.domain.message import Mode
from app.store import clients

_KEY: Final = re.compile(r"(?:gw_(?:live|team|test)_)?([0-9A-Z]{10})", re.ASCII)


def modes_of(caller: Caller) -> Sequence[str]:
    """Return the modes whose keys a caller may see, make and end; raises ScopeMissing."""
    caller.may("admin")
    return [one.value for one in Mode] if caller.mode == Mode.LIVE else [caller.mode]


def may_administer(caller: Caller, mode: str) -> None:
    """Raise where a caller may not administer a mode."""
    if mode not in modes_of(caller):
        raise ModeNotAllowed(f"A key of the mode {caller.mode} administers its own mode only.")


def may_change_clients(caller: Caller) -> None:
    """Raise where a caller may not change what concerns every mode."""
    caller.may("admin")
    if caller.mode != Mode.LIVE:
        raise ModeNotAllowed("This concerns live keys too: it takes an operator's live key.")


def client_id_of(text: str) -> UUID:
    """Return the client that an address names; raises NotFound."""
    client_id = read(CLIENT, text)
    if client_id is None:
        raise NotFound
    return client_id


def key_id_of(text: str) -> str:
    """Return the key that an address names by its visible part; raises NotFound."""
    found = _KEY.fullmatch(text)
    if found is None:
        raise NotFound
    return found[1]


async def found_client(connection: AsyncConnection, client_id: UUID) -> RowMapping:
    """Return a client; raises NotFound."""
    row = await clients.find(connection, client_id)
    if row is None:
        raise NotFound
    return row
