"""Take in what a provider tells by itself: the plain ones by a short way, others by the general one.

Nearly every acknowledgement is the first of its attempt, and says how a fax ended that its provider
took. Those that come at the same time are read, weighed and committed together in two round trips.
What is plain is decided by `weigh`'s own rules; `acknowledge` takes in whatever is not.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Final

import structlog

from app.delivery.acknowledge import Received, concerns_all, fields_of, receive_many, said_of
from app.delivery.fault_points import Point
from app.delivery.gateway import Gateway
from app.delivery.gather import Gathering
from app.delivery.weigh import Said, tell
from app.domain.acknowledgement import Acknowledgement
from app.domain.status import FINAL, NEXT, Status
from app.store import acknowledgements, hearing
from app.store.attempts import Named
from app.store.hearing import Heard
from app.store.messages import LABEL_LENGTH

log = structlog.get_logger()

ENDS: Final = NEXT[Status.SUBMITTED] & FINAL


class Hearing:
    """Keeps and applies acknowledgements, those together that come at the same time."""

    def __init__(self, gateway: Gateway) -> None:
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
            return None
        return await self._general.do(received)


async def hear(gateway: Gateway, provider: str, brought: Sequence[Acknowledgement]) -> list[bool]:
    """Keep and apply the plain ones of acknowledgements, all in one commit; say which those are.

    Of the others nothing is kept.
    """
    names = {one.reference for one in brought}
    standing = await hearing.standing(gateway.database, provider, names)
    plain = [
        (one, said)
        for one in _alone(brought, standing)
        if (said := _plain(gateway, one, standing[one.reference])) is not None
    ]
    if not plain:
        return [False] * len(brought)
    await gateway.fault_points.reached(Point.ACKNOWLEDGING)
    heard = _heard(gateway, provider, plain)
    moved = await hearing.apply(gateway.database, provider, heard, gateway.now())
    applied = {one.reference: said for one, said in plain if said.row["id"] in moved}
    lines = log.bind()  # once: a logger is made of what is configured at each call
    for said in applied.values():
        tell(lines, said, said.report.status, applied=True)
    return [one.reference in applied for one in brought]


def _alone(
    brought: Sequence[Acknowledgement], standing: Mapping[str, Named]
) -> list[Acknowledgement]:
    """Return those whose message is known, and that no other of them is about."""
    known = [one for one in brought if one.reference in standing]
    times = Counter(standing[one.reference].message["id"] for one in known)
    return [one for one in known if times[standing[one.reference].message["id"]] == 1]


def _plain(gateway: Gateway, brought: Acknowledgement, named: Named) -> Said | None:
    """Return what is said of a fax; None where that is more than how one ended that was taken."""
    said = said_of(gateway, brought, named)
    if said is None or said.status is not Status.SUBMITTED or said.too_early:
        return None
    if said.may_be_repeated or not said.of_last:
        return None
    report = said.report
    told = (report.code, report.occurred, report.pages_sent)
    if told != (brought.code, brought.provider_time, brought.pages):
        return None
    is_plain = report.status in ENDS and not report.unmapped_in and report.label != ""
    return said if is_plain else None


def _heard(
    gateway: Gateway, provider: str, plain: Sequence[tuple[Acknowledgement, Said]]
) -> list[Heard]:
    """Return what is written of plain acknowledgements."""
    ids = iter(gateway.ids.many(2 * len(plain)))
    return [
        Heard(
            message_id=said.row["id"],
            fence=said.row["fence"],
            sequence=said.row["sequence"],
            attempt_id=said.attempt["id"],
            event_id=next(ids),
            kept_id=next(ids),
            fingerprint=acknowledgements.fingerprint_of(fields_of(provider, brought)),
            reference=brought.reference,
            code=brought.code,
            number=brought.number,
            pages=brought.pages,
            provider_time=brought.provider_time,
            status=said.report.status or said.status,
            label=said.report.label and said.report.label[:LABEL_LENGTH],
            failure=asdict(said.report.failure) if said.report.failure else None,
        )
        for brought, said in plain
    ]
