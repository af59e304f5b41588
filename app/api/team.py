"""Keys of the mode team: they send to the recipients of their client's list, and to nobody else."""

from collections.abc import Callable, Iterator
from typing import Final
from uuid import UUID

from app.api.access import Caller
from app.api.remembered import Remembered
from app.api.schemas import Common, EmailIn, FaxIn, SmsIn
from app.domain.addresses import normalised
from app.domain.errors import FieldError, RecipientNotInTeamList
from app.domain.message import Mode
from app.store import clients
from app.store.database import Database

CODE: Final = "not_in_team_list"
MOST_ERRORS: Final = 100  # recipients that an answer names
_DETAIL: Final = "Not in the client's list of recipients: add it there, or use a live key."


class Team:
    """Knows each client's list, as it was a few seconds ago."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lists = Remembered(self._ask)

    async def checking(self, caller: Caller) -> "Checking":
        """Return what checks a caller's recipients; that of another mode lets everybody pass."""
        if caller.mode != Mode.TEAM:
            return Checking(None)
        return Checking(await self._lists.get(caller.client_id.hex) or frozenset())

    async def check(self, caller: Caller, body: Common) -> None:
        """Raise RecipientNotInTeamList where a caller may not send one message."""
        if caller.mode == Mode.TEAM:
            checking = await self.checking(caller)
            checking.note(body)
            checking.close()

    async def _ask(self, client: str) -> frozenset[str]:
        async with self._database.reading() as connection:
            return frozenset(await clients.team(connection, UUID(client)))


class Checking:
    """One request's recipients."""

    def __init__(self, allowed: frozenset[str] | None) -> None:
        self._allowed = allowed  # None: everybody
        self._wrong: dict[FieldError, None] = {}

    def note(
        self, body: Common, located: Callable[[FieldError], FieldError] = lambda error: error
    ) -> None:
        """Look at a message's recipients; `located` says where in the request they stand."""
        if self._allowed is None:
            return
        for pointer, address in _recipients(body):
            if normalised(address) not in self._allowed and len(self._wrong) < MOST_ERRORS:
                self._wrong[located(FieldError(pointer, CODE, _DETAIL))] = None

    def close(self) -> None:
        """Raise RecipientNotInTeamList where a recipient is not in the list."""
        if self._wrong:
            raise RecipientNotInTeamList(errors=tuple(self._wrong))


def _recipients(body: Common) -> Iterator[tuple[str, str]]:
    """Return a message's recipients by their pointers; a letter has none that a list could hold."""
    match body:
        case EmailIn():
            for name, people in (("to", body.to), ("cc", body.cc)):
                for place, one in enumerate(people):
                    yield f"/{name}/{place}/address", one.address
            if body.errors_to is not None:  # it gets what came back, with the message
                yield "/errors_to", body.errors_to
        case SmsIn() | FaxIn():
            yield "/to", body.to
        case _:
            return
