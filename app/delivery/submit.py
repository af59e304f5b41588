"""Step 2: hand queued messages to their provider, and write down what came of it.

Claim, call, write down: the claim and its attempt are committed before any byte leaves, no
transaction is open during the call, and the outcome is guarded by the fence that the claim gave.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from app.delivery import ascertain, brake, carry, count, retry
from app.delivery.acknowledge import apply_to
from app.delivery.admit import admission, note_calls, paced, spend_pace
from app.delivery.conclude import Ended, Held, closing_of, move_of, tell
from app.delivery.fault_points import Point
from app.delivery.gateway import Gateway
from app.delivery.grant import grant
from app.domain.message import Campaign, Channel, Content, MayBegin, Submission, files_of
from app.domain.outcome import Blocked, Deferred, Outcome, Refused, Unclear
from app.store import attempts, contents, documents, messages, queue, uncertain
from app.store.database import CommitUnknown

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
    held: list[Held] = []
    try:
        asked = Asked(limit=limit, under_way=under_way, twins=twins)
        return calls_of(await _commit_claims(gateway, channel, asked, held))
    except CommitUnknown:
        return calls_of(await ascertain.standing(gateway, held))


async def _commit_claims(
    gateway: Gateway, channel: Channel, asked: Asked, held: list[Held]
) -> list[Held]:
    """Commit claims; they are added to `held` before, for who must know what was tried."""
    now = gateway.now()
    async with gateway.database.transaction() as connection:
        of = carry.names(gateway, twins=asked.twins)
        admitted = await admission(connection, channel, of)
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
        urls = await grant(gateway, connection, claims, now)
        if claims:
            await gateway.fault_points.reached(Point.CLAIMING)
        held += [
            Held(claim=taken, at=now, document_url=urls.get(taken.attempt_id)) for taken in claims
        ]
    return held


def calls_of(held: Sequence[Held]) -> list[Sequence[Held]]:
    """Return what is handed over in one call each: a message alone, or a campaign's together."""
    calls: dict[UUID, list[Held]] = {}
    # By their ids: the order in which they came.
    for one in sorted(held, key=lambda one: one.claim.message_id):
        row = one.claim.row
        calls.setdefault(row["campaign_id"] or row["id"], []).append(one)
    return list(calls.values())


async def call(gateway: Gateway, group: Sequence[Held], *, is_shut: bool = False) -> list[Ended]:
    """Make one call for claimed messages; no transaction is open meanwhile.

    `is_shut`: their channel has stopped since, and nothing is called.
    """
    first = group[0]
    row = first.claim.row
    together = row["campaign_id"] is not None
    provider = gateway.providers[row["provider"]]
    contents_of = [_content(one) for one in group]
    wanted = {file.sha256 for file in files_of(contents_of[0])}
    files: Mapping[str, bytes] = {}
    if wanted and first.document_url is None:
        # One after the other: megabytes of several at once would hold the loop up.
        async with gateway.loading, gateway.database.reading() as connection:
            files = await documents.load(connection, wanted)
    may_begin = partial(_may_begin, gateway, first)
    submissions = [
        _submission(one, content, files, may_begin)
        for one, content in zip(group, contents_of, strict=True)
    ]
    function = provider.function_for(submissions[0].content, together=together)
    outcome: Outcome
    await gateway.fault_points.reached(Point.CLAIMED)
    if not carry.may_carry(gateway, provider.name, row["mode"]):
        why = f"a message of the mode {row['mode']} must not reach it"
        outcome = Blocked("mode_not_allowed", why, stops=False)
    elif _is_late(gateway, first):
        outcome = Deferred("the worker was held up before the call", ours=True)
    elif is_shut:
        outcome = Deferred("the channel stopped before the call", ours=True)
    elif together:
        outcome = await provider.submit_together(Campaign(tuple(submissions)))
    else:
        outcome = await provider.submit(submissions[0])
    return [Ended(held=one, outcome=outcome, function=function) for one in group]


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


async def record_calls(gateway: Gateway, calls: Sequence[Sequence[Ended]]) -> list[None]:
    """Write the outcomes of calls down together."""
    await record(gateway, [one for call in calls for one in call])
    return [None] * len(calls)


async def record(gateway: Gateway, ended: Sequence[Ended]) -> list[bool]:
    """Write outcomes down together; False for each whose claim had been lost meanwhile.

    One that is written down `again` changes nothing where the first time was committed after all.
    """
    await gateway.fault_points.reached(Point.ANSWERED)
    now = gateway.now()
    async with gateway.database.transaction() as connection:
        every = [
            await _judge(connection, one) if isinstance(one.outcome, Refused) else one
            for one in ended
        ]
        written = await ascertain.written(connection, every)
        judged = [one for one in every if one.held.claim.attempt_id not in written]
        moved = await messages.move(
            connection, gateway.ids, [move_of(gateway, one, now) for one in judged]
        )
        await note_calls(gateway, connection, judged, now)
        closed = {one.held.claim.attempt_id: closing_of(one.outcome) for one in judged}
        if closed:
            await attempts.close(connection, closed, now)
        await brake.apply(gateway, connection, brake.concerned(judged), now)
        await _revoke(connection, judged, now)
        await count.record(connection, judged, moved, now)
        for one, was_moved in zip(judged, moved, strict=True):
            attempt_id = one.held.claim.attempt_id
            if not was_moved:
                await attempts.keep_late(connection, attempt_id, closed[attempt_id])
                if not isinstance(one.outcome, Unclear):
                    await uncertain.hurry(connection, one.held.claim.message_id, now)
            provider = one.held.claim.row["provider"]
            if provider in gateway.learn:  # what it acknowledged while the call ran
                await apply_to(gateway, connection, provider, one.held.claim.message_id)
        await gateway.fault_points.reached(Point.RECORDING)
    await gateway.fault_points.reached(Point.RECORDED)
    if any(one.held.claim.slot for one in judged):
        gateway.wake.call(Channel.SMS)  # it may wait for the slot
    tell(judged, moved, closed)
    written |= {
        one.held.claim.attempt_id: was_moved for one, was_moved in zip(judged, moved, strict=True)
    }
    return [written[one.held.claim.attempt_id] for one in ended]


async def _judge(connection: AsyncConnection, one: Ended) -> Ended:
    """Turn a refusal of a document that was never fetched into another try."""
    refused, claimed = one.outcome, one.held.claim
    if not (isinstance(refused, Refused) and refused.only_if_fetched):
        return one
    if await attempts.was_fetched(connection, claimed.attempt_id):
        return one
    if claimed.row["attempts"] >= retry.MOST_UNFETCHED:
        # Not the document is at fault, but the way to it.
        failure = replace(
            refused.failure, type="technical", reason="document_unreachable", retryable=True
        )
        return replace(one, outcome=Refused(failure))
    why = "the provider refused a document that it never fetched"
    code, words = refused.failure.provider_code, refused.failure.label
    return replace(one, outcome=Deferred(why, code=code, words=words))


async def _revoke(connection: AsyncConnection, ended: Sequence[Ended], now: datetime) -> None:
    """Close the documents of attempts that the provider did not take."""
    over = [
        one.held.claim.attempt_id
        for one in ended
        if one.held.document_url and isinstance(one.outcome, Refused | Deferred | Blocked)
    ]
    if over:
        await attempts.revoke(connection, over, now)
