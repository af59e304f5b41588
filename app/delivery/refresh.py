"""Ask a provider now, and not when its turn comes, what became of a message."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import RowMapping

from app.delivery.acting import Actor
from app.delivery.gateway import Gateway
from app.domain.errors import AlreadyFinal, NotSubmitted, StatusQueryNotSupported
from app.domain.message import Channel
from app.domain.status import FINAL, TRACKED, Status
from app.store import checks, messages, reading, resolving
from app.store.messages import Move

ASKED: Final = "message.refresh_requested"
EVERY: Final = timedelta(seconds=10)  # a message is asked about on request


@dataclass(frozen=True, slots=True)
class Refreshed:
    """The message, and for how long it is not asked about on request again."""

    row: RowMapping
    wait: timedelta


async def refresh(gateway: Gateway, actor: Actor, row: RowMapping) -> Refreshed:
    """Make a message due to be asked about, unless it was on request a moment ago.

    Raises StatusQueryNotSupported, NotSubmitted and AlreadyFinal.
    """
    async with gateway.database.transaction() as connection:
        locked = await messages.lock(connection, row["id"])
        _check(locked)
        now = gateway.now()
        last = await resolving.last_event(connection, row["id"], ASKED)
        is_early = last is not None and last["at"] > now - EVERY
        if not is_early:
            await checks.hasten(connection, locked, now)
            asked = Move(
                message_id=row["id"],
                to=None,
                at=now,
                source="client",
                type=ASKED,
                detail={"by": actor.shown},
            )
            await messages.move(connection, gateway.ids, [asked])
        found = await reading.find(connection, row["id"], row["client_id"], row["mode"])
    assert found is not None
    return Refreshed(found, last["at"] + EVERY - now if last is not None and is_early else EVERY)


def _check(row: RowMapping) -> None:
    status = Status(row["status"])
    # Neither provider's document has a function that tells of a fax.
    if row["channel"] == Channel.FAX:
        raise StatusQueryNotSupported
    may_return = status is Status.DELIVERED and row["channel"] == Channel.LETTER and row["due_at"]
    if status in FINAL and not may_return:
        raise AlreadyFinal(f"It is {status}, and that is final.")
    if status not in TRACKED and not may_return:
        raise NotSubmitted(f"It is {status}: its provider has not accepted it, as far as we know.")
    if row["provider_message_id"] is None:
        raise StatusQueryNotSupported("The provider's id of it is not known: it cannot be asked.")
