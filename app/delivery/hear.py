"""Take in what a provider tells by itself: the plain ones by a short way, others by the general one.

Nearly every acknowledgement is the first of its attempt, and says how a fax ended that its provider
took. What it would come to then is known before anything is read: those that come at the same time
are written in one round trip, wherever their faxes stand so. `acknowledge` takes in whatever does
not.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import partial
from typing import Final
from uuid import UUID

import structlog

from app.delivery import weigh
from app.delivery.acknowledge import (
    Received,
    concerns_all,
    ending_of,
    fields_of,
    receive_many,
    tell,
)
from app.delivery.fault_points import Point
from app.delivery.gateway import Gateway
from app.delivery.gather import Gathering
from app.domain.acknowledgement import Acknowledgement
from app.domain.status import FINAL, NEXT, Status
from app.store import acknowledgements, hearing
from app.store.hearing import Heard
from app.store.messages import LABEL_LENGTH

log = structlog.get_logger()

ENDS: Final = NEXT[Status.SUBMITTED] & FINAL


class Hearing:
    """Keeps and applies acknowledgements, those together that come at the same time."""

    def __init__(self, gateway: Gateway) -> None:
        # Once: to find out how lines are written costs as much as a line.
        self._lines = log.bind()
        # A file has one writer: there the short way would save nothing.
        providers = () if gateway.database.is_sqlite else gateway.learn
        self._plain = {
            one: Gathering(partial(hear, gateway, one), concerns_all, rounds=2) for one in providers
        }
        self._general = Gathering(partial(receive_many, gateway), concerns_all)

    async def do(self, received: Received) -> str | None:
        """Keep an acknowledgement; return why it moved nothing, where it did not."""
        plain = self._plain.get(received.provider)
        if plain is not None and await plain.do(received.brought):
            note = None
        else:
            note = await self._general.do(received)
        tell(self._lines, received, note)
        return note


async def hear(gateway: Gateway, provider: str, brought: Sequence[Acknowledgement]) -> list[bool]:
    """Keep and apply the plain ones of acknowledgements, all in one commit; say which those are.

    Of the others nothing is kept.
    """
    ids = iter(gateway.ids.many(2 * len(brought)))
    thought = [_heard(gateway, provider, one, ids) for one in brought]
    heard = {at: one for at, one in enumerate(thought) if one is not None}
    if not heard:
        return [False] * len(brought)
    await gateway.fault_points.reached(Point.ACKNOWLEDGING)
    moved = await hearing.apply(gateway.database, provider, [*heard.values()], gateway.now())
    lines = log.bind()  # once: a logger is made of what is configured at each call
    taken = [False] * len(brought)
    for (at, one), message_id in zip(heard.items(), moved, strict=True):
        if message_id is not None:
            weigh.tell(lines, message_id, Status(one.status), one.code, applied=True)
            taken[at] = True
    return taken


def _heard(
    gateway: Gateway, provider: str, brought: Acknowledgement, ids: Iterator[UUID]
) -> Heard | None:
    """Return what is written of an acknowledgement; None where it says more than how a fax ended."""
    # A fax of which fewer pages were sent than it has is not taken.
    report = gateway.learn[provider](brought, None)
    if report.status is None or report.status not in ENDS:
        return None
    if report.unmapped_in or report.label == "":
        return None
    told = (report.code, report.occurred, report.pages_sent)
    if told != (brought.code, brought.provider_time, brought.pages):
        return None
    failure = report.failure
    return Heard(
        event_id=next(ids),
        kept_id=next(ids),
        fingerprint=acknowledgements.fingerprint_of(fields_of(provider, brought)),
        reference=brought.reference,
        code=brought.code,
        number=brought.number,
        pages=brought.pages,
        provider_time=brought.provider_time,
        status=report.status,
        label=report.label and report.label[:LABEL_LENGTH],
        failure=asdict(failure) if failure is not None else None,
        ending=ending_of(brought.number),
        # Where pages were sent it may have arrived, and is not sent once more.
        again=failure.reason if failure is not None and not brought.pages else None,
    )
