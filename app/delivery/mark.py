"""Mark what came of a webhook's try: in its delivery, for its endpoint, and in the log."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import structlog
from sqlalchemy import RowMapping

from app.delivery.disable import judge
from app.delivery.gateway import Gateway
from app.delivery.post import Posted
from app.domain.identifiers import CLIENT, DELIVERY, ENDPOINT, shown
from app.domain.moments import moment
from app.domain.webhooks import DELIVERED, FAILED, PENDING, Gone, Missed, Outcome, Taken, pause
from app.store import counters, deliveries

log = structlog.get_logger()

KEPT_TRIES: Final = 20  # of a delivery


@dataclass(frozen=True, slots=True)
class Held:
    """A delivery that this worker has claimed, with what is to be told."""

    endpoint: RowMapping
    row: RowMapping
    told: tuple[RowMapping, RowMapping | None] | None  # the event, and its message


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of a try, to be written down."""

    held: Held
    at: datetime
    posted: Posted


async def record(gateway: Gateway, tried: Sequence[Tried]) -> list[None]:
    """Write down what came of tries, and what that means for their endpoints."""
    now = gateway.now()
    async with gateway.database.transaction() as connection:
        # Endpoints come before deliveries: no two transactions wait for each other.
        await judge(
            connection,
            gateway,
            [(one.held.endpoint, one.held.row, one.posted.outcome) for one in tried],
            now,
        )
        await deliveries.end(
            connection, [(one.held.row, _ended(gateway, one, now)) for one in tried]
        )
        for one in tried:
            counters.tried(connection, _word(one.posted.outcome))
    for one in tried:
        _tell(one)
    return [None] * len(tried)


def _ended(gateway: Gateway, tried: Tried, now: datetime) -> dict[str, Any]:
    """Return the columns of a delivery after a try."""
    posted, row = tried.posted, tried.held.row
    outcome = posted.outcome
    one = {
        "at": moment(tried.at),
        "milliseconds": posted.milliseconds,
        "code": outcome.code,
        "why": outcome.why if isinstance(outcome, Missed) else None,
    }
    columns = {"tries": [*(row["tries"] or ()), one][-KEPT_TRIES:], "response": posted.response}
    match outcome:
        case Taken():
            return columns | {"state": DELIVERED, "due_at": None, "ended_at": now}
        case Gone():
            return columns | {"state": FAILED, "due_at": None, "ended_at": now}
        case Missed(wait=wait):
            rest = pause(row["attempts"], gateway.random, gateway.timing.pace, wait)
            if rest is None:
                return columns | {"state": FAILED, "due_at": None, "ended_at": now}
            return columns | {"state": PENDING, "due_at": now + rest, "ended_at": None}


def _word(outcome: Outcome) -> str:
    return outcome.why if isinstance(outcome, Missed) else type(outcome).__name__.casefold()


def _tell(tried: Tried) -> None:
    """Log a try: never the address, which may hold a token."""
    log.info(
        "webhook",
        client=shown(CLIENT, tried.held.endpoint["client_id"]),
        endpoint_id=shown(ENDPOINT, tried.held.endpoint["id"]),
        delivery_id=shown(DELIVERY, tried.held.row["id"]),
        type=tried.held.row["type"],
        outcome=_word(tried.posted.outcome),
        code=tried.posted.outcome.code,
        milliseconds=tried.posted.milliseconds,
        tries=tried.held.row["attempts"],
    )
