"""Step 2: hand queued messages to their provider, and write down what came of it.

Claim, call, write down: the claim and its attempt are committed before any byte leaves, no
transaction is open during the call, and the outcome is guarded by the fence that the claim gave.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from app.delivery import retry
from app.delivery.acknowledge import apply_waiting
from app.delivery.conclude import Ended, Held, closing_of, move_of
from app.delivery.gateway import Gateway
from app.domain.identifiers import MESSAGE, shown
from app.domain.message import Channel, Submission, files_of
from app.domain.outcome import Accepted, Blocked, Deferred, Refused
from app.store import attempts, contents, documents, messages, queue
from app.store.queue import Claim

log = structlog.get_logger()


async def claim(gateway: Gateway, channel: Channel, limit: int) -> list[Held]:
    """Claim due messages of a channel; grant the fetch of their documents where it is needed."""
    now = gateway.now()
    async with gateway.database.transaction() as connection:
        claims = await queue.claim(
            connection,
            gateway.ids,
            channel,
            now=now,
            lease=gateway.timing.lease,
            limit=limit,
        )
        tokens = {
            taken.attempt_id: gateway.ids.token()
            for taken in claims
            if gateway.providers[taken.row["provider"]].fetches_document
        }
        granted = [
            _grant(gateway, taken, tokens[taken.attempt_id], now)
            for taken in claims
            if taken.attempt_id in tokens
        ]
        if granted:
            await attempts.grant(connection, granted)
    return [
        Held(claim=taken, at=now, document_url=_url(gateway, tokens.get(taken.attempt_id)))
        for taken in claims
    ]


def _grant(gateway: Gateway, taken: Claim, token: str, now: datetime) -> dict[str, Any]:
    content = contents.read(Channel(taken.row["channel"]), taken.row["content"])
    return {
        "token_hash": attempts.hashed(token),
        "attempt_id": taken.attempt_id,
        "message_id": taken.message_id,
        "sha256": files_of(content)[0].sha256,
        "expires_at": now + gateway.timing.document_life,
    }


def _url(gateway: Gateway, token: str | None) -> str | None:
    return f"{gateway.public_url}/d/{token}.pdf" if token else None


async def call(gateway: Gateway, held: Held) -> Ended:
    """Call the provider for one claimed message; no transaction is open meanwhile."""
    row = held.claim.row
    content = contents.read(held.channel, row["content"])
    wanted = {file.sha256 for file in files_of(content)}
    provider = gateway.providers[row["provider"]]
    if wanted and held.document_url is None:
        async with gateway.database.reading() as connection:
            files = await documents.load(connection, wanted)
    else:
        files = {}
    # A worker that was stopped for long must not send: its lease may be another's by now.
    if gateway.now() - held.at > gateway.timing.start_within:
        return Ended(held=held, outcome=Deferred("the worker was held up before the call"))
    outcome = await provider.submit(
        Submission(
            message_id=held.claim.message_id,
            content=content,
            reference=held.claim.reference,
            billing_code=row["billing_code"],
            files=files,
            document_url=held.document_url,
        )
    )
    return Ended(held=held, outcome=outcome)


async def record(gateway: Gateway, ended: Sequence[Ended]) -> list[bool]:
    """Write outcomes down together; False for each whose claim had been lost meanwhile."""
    now = gateway.now()
    async with gateway.database.transaction() as connection:
        judged = [await _judge(connection, one) for one in ended]
        moved = await messages.move(
            connection, gateway.ids, [move_of(gateway, one, now) for one in judged]
        )
        closed = {one.held.claim.attempt_id: closing_of(one.outcome) for one in judged}
        await attempts.close(connection, closed, now)
        await _revoke(connection, judged, now)
        for one, was_moved in zip(judged, moved, strict=True):
            attempt_id = one.held.claim.attempt_id
            if not was_moved:
                await attempts.keep_late(connection, attempt_id, closed[attempt_id])
            alias = closed[attempt_id]["provider_message_id"]
            names = {one.held.claim.reference, alias or one.held.claim.reference}
            await apply_waiting(gateway, connection, one.held.claim.row["provider"], names)
    for one, was_moved in zip(judged, moved, strict=True):
        _tell(one, recorded=was_moved)
    return moved


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


def _tell(one: Ended, *, recorded: bool) -> None:
    closing = closing_of(one.outcome)
    log.info(
        "submitted" if isinstance(one.outcome, Accepted) else "not_submitted",
        message_id=shown(MESSAGE, one.held.claim.message_id),
        attempt_reference=one.held.claim.reference,
        outcome=closing["outcome"],
        code=closing["code"],
        why=closing["why"],
        recorded=recorded,
    )
