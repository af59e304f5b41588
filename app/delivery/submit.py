"""Step 2: hand queued messages to their provider, and write down what came of it.

Claim, call, write down: the claim and its attempt are committed before any byte leaves, no
transaction is open during the call, and the outcome is guarded by the fence that the claim gave.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from operator import attrgetter
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from app.delivery import ascertain, carry, outcomes, taken
from app.delivery.admit import admission, paced, spend_pace
from app.delivery.conclude import Ended, Held, tell
from app.delivery.fault_points import Point
from app.delivery.gateway import Gateway
from app.delivery.grant import grant
from app.domain.message import Campaign, Channel, Content, MayBegin, Submission, files_of
from app.domain.outcome import Blocked, Deferred, Outcome
from app.domain.twins import twin_of
from app.store import claiming, contents, queue
from app.store.database import CommitUnknown
from app.store.queue import Claim

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """How much is to be claimed."""

    limit: int
    under_way: int  # calls that run already
    twins: bool  # of the simulated twins' messages, or of the providers'


async def claim(
    gateway: Gateway, channel: Channel, limit: int, *, under_way: int = 0, twins: bool = False
) -> list[Sequence[Held]]:
    """Claim due messages of a channel, call by call; grant the fetch of documents where needed.

    Those that simulated `twins` carry are claimed apart: each lane has room and a pace of its own.
    Nothing is claimed of providers that are away or stopped, and little after they were. Where the
    commit's answer never came, only claims that are seen to stand are returned.
    """
    asked = Asked(limit=limit, under_way=under_way, twins=twins)
    plain = _plain(gateway, channel, asked)
    if plain is not None and (claimed := await _claim_plain(gateway, plain, limit)) is not None:
        return [(one,) for one in claimed]
    held: list[Held] = []
    try:
        return calls_of(await _commit_claims(gateway, channel, asked, held))
    except CommitUnknown:
        return calls_of(await ascertain.standing(gateway, held))


async def _claim_plain(gateway: Gateway, plain: claiming.Plain, limit: int) -> list[Held] | None:
    """Commit claims of what is plain; None where nothing is, and the general way has to look."""
    attempt_ids, now = gateway.ids.many(limit), gateway.now()
    await gateway.fault_points.reached(Point.CLAIMING)
    try:
        claims = await claiming.claim(
            gateway.database, gateway.ids, plain, attempt_ids, now=now, lease=gateway.timing.lease
        )
    except CommitUnknown:
        claims = await ascertain.claimed(gateway, plain.channel, attempt_ids)
        return [Held(one, now) for one in claims]
    return [Held(one, now) for one in claims] or None


async def _commit_claims(
    gateway: Gateway, channel: Channel, asked: Asked, held: list[Held]
) -> list[Held]:
    """Commit claims; they are added to `held` before, for who must know what was tried."""
    async with gateway.database.transaction() as connection:
        now = gateway.now()
        claims = await _claim_any(gateway, connection, channel, asked, now)
        urls = await grant(gateway, connection, claims, now)
        if claims:
            await gateway.fault_points.reached(Point.CLAIMING)
        held += [Held(one, now, urls.get(one.attempt_id)) for one in claims]
    return held


def _plain(gateway: Gateway, channel: Channel, asked: Asked) -> claiming.Plain | None:
    """Return what may be claimed with one statement: what needs no pace, no slot and no grant."""
    of, route = carry.names(gateway, twins=asked.twins), gateway.routes[channel]
    plain = {
        name
        for name in of
        if name not in gateway.rates and not gateway.providers[name].fetches_document
    }
    is_plain = (twin_of(route) if asked.twins else route) in plain
    slots = 0 if asked.twins else gateway.slots_of(channel)
    if gateway.database.is_sqlite or not is_plain or slots or asked.limit <= 0:
        return None
    return claiming.Plain(channel=channel, of=of, plain=plain)


async def _claim_any(
    gateway: Gateway, connection: AsyncConnection, channel: Channel, asked: Asked, now: datetime
) -> list[Claim]:
    """Claim whatever is due, with all that it needs."""
    admitted = await admission(connection, channel, carry.names(gateway, twins=asked.twins))
    limit, slots = asked.limit, 0
    if not asked.twins:  # a simulator has no pace, and counts nothing
        limit = await paced(gateway, connection, channel, limit)
        slots = gateway.slots_of(channel)
    claims = await queue.claim(
        connection,
        gateway.ids,
        channel,
        replace(admitted.room(limit, asked.under_way), slots=slots),
        now=now,
        lease=gateway.timing.lease,
    )
    await spend_pace(gateway, connection, claims)
    return claims


def calls_of(held: Sequence[Held]) -> list[Sequence[Held]]:
    """Return what is handed over in one call each: a message alone, or a campaign's together."""
    calls: list[list[Held]] = []
    campaigns: dict[UUID, list[Held]] = {}
    # By their ids: the order in which they came.
    for one in sorted(held, key=attrgetter("claim.message_id.int")):
        campaign_id = one.claim.row["campaign_id"]
        if campaign_id in campaigns:
            campaigns[campaign_id].append(one)
            continue
        calls.append([one])
        if campaign_id is not None:
            campaigns[campaign_id] = calls[-1]
    return [*calls]


async def call(gateway: Gateway, group: Sequence[Held], *, is_shut: bool = False) -> list[Ended]:
    """Make one call for claimed messages; no transaction is open meanwhile.

    `is_shut`: their channel has stopped since, and nothing is called.
    """
    first = group[0]
    row = first.claim.row
    provider = gateway.providers[row["provider"]]
    content = _content(first)
    files: Mapping[str, bytes] = {}
    if first.document_url is None and (attached := files_of(content)):
        files = await gateway.loading.load(gateway.database, {one.sha256 for one in attached})
    may_begin = partial(_may_begin, gateway, first)
    together = row["campaign_id"] is not None
    await gateway.fault_points.reached(Point.CLAIMED)
    outcome: Outcome
    if (why_not := _why_not(gateway, first, is_shut=is_shut)) is not None:
        outcome = why_not
    elif together:
        members = [_submission(one, _content(one), files, may_begin) for one in group]
        outcome = await provider.submit_together(Campaign(tuple(members)))
    else:
        outcome = await provider.submit(_submission(first, content, files, may_begin))
    function = provider.function_for(content, together=together)
    return [Ended(one, outcome, function) for one in group]


def _why_not(gateway: Gateway, held: Held, *, is_shut: bool) -> Outcome | None:
    """Return what keeps a claimed message from being called for; None where nothing does."""
    row = held.claim.row
    if not carry.may_carry(gateway, row["provider"], row["mode"]):
        why = f"a message of the mode {row['mode']} must not reach it"
        return Blocked("mode_not_allowed", why, stops=False)
    if _is_late(gateway, held):
        return Deferred("the worker was held up before the call", ours=True)
    if is_shut:
        return Deferred("the channel stopped before the call", ours=True)
    return None


def _is_late(gateway: Gateway, held: Held) -> bool:
    """Say whether a worker was stopped for so long that its lease may soon be another's."""
    return gateway.now() - held.at > gateway.timing.start_within


async def _may_begin(gateway: Gateway, held: Held) -> bool:
    """Say whether a call may begin whose connection stands: by now it is known where to."""
    await gateway.fault_points.reached(Point.CONNECTED)
    row = held.claim.row
    return carry.may_carry(gateway, row["provider"], row["mode"]) and not _is_late(gateway, held)


def _content(held: Held) -> Content:
    return contents.read(held.channel, held.claim.row["content"])


def _submission(
    held: Held, content: Content, files: Mapping[str, bytes], may_begin: MayBegin
) -> Submission[Content]:
    return Submission(
        message_id=held.claim.message_id,
        content=content,
        reference=held.claim.reference,
        billing_code=held.claim.slot.code if held.claim.slot else held.claim.row["billing_code"],
        files=files,
        document_url=held.document_url,
        may_begin=may_begin,
    )


async def record(gateway: Gateway, ended: Sequence[Ended]) -> list[bool]:
    """Write outcomes down together; False for each whose claim had been lost meanwhile.

    One that is written down `again` changes nothing where the first time was committed after all.
    """
    await gateway.fault_points.reached(Point.ANSWERED)
    now = gateway.now()
    plain, others = await taken.write(gateway, ended, now)
    tell(gateway, [(one, True) for one in plain])
    if not others:
        return [True] * len(ended)
    judged, written = await outcomes.write(gateway, others, now)
    if any(one.held.claim.slot for one in others):
        gateway.wake.call(Channel.SMS)  # it may wait for the slot
    tell(gateway, judged)
    written |= {one.held.claim.attempt_id: was_moved for one, was_moved in judged}
    return [written.get(one.held.claim.attempt_id, True) for one in ended]
