"""Resolve one message that is uncertain or held, by a person's word.

A letter that is sent once more costs money and may have legal weight: two keys must say so.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from app.delivery import accept
from app.delivery.accept import Answer, Key
from app.delivery.acknowledge import apply_to
from app.delivery.acting import Actor
from app.delivery.fault_points import Point
from app.delivery.gateway import Gateway
from app.delivery.verdicts import (
    RESOLVABLE,
    SENDS,
    Case,
    Resolution,
    Verdict,
    check,
    detail_of,
    look,
    move_of,
    settle_attempt,
)
from app.domain.errors import FieldError, IdempotencyInProgress, NotUncertain, ValidationFailed
from app.domain.identifiers import MESSAGE, shown
from app.domain.message import Channel
from app.domain.status import Status
from app.store import campaigns, idempotency, messages, reading, resolving
from app.store.messages import Move

log = structlog.get_logger()

ASKED: Final = "message.resolution_asked"
SECOND_WITHIN: Final = timedelta(hours=24)  # after the first key's word
DONE: Final = 200
WAITS: Final = 202  # for the second key

Written = Callable[[RowMapping], str]  # a message's row as the answer's body


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What somebody says of a message."""

    actor: Actor
    row: RowMapping
    resolution: Resolution
    key: Key | None
    written: Written


@dataclass(frozen=True, slots=True)
class Resolved:
    """The answer, and whether the message waits to be sent now."""

    answer: Answer
    queued: bool = False


async def resolve(gateway: Gateway, command: Command) -> Answer:
    """Resolve a message; 200, or 202 where a second key must confirm it.

    The answer, its key and the move are one commit. Raises what `check` raises, ValidationFailed
    where the risk of sending twice is not accepted, and IdempotencyKeyReused.
    """
    async with gateway.database.transaction() as connection:
        done = await _resolve(gateway, connection, command)
        await gateway.fault_points.reached(Point.RESOLVING)
    await gateway.fault_points.reached(Point.RESOLVED)
    if done.queued:
        gateway.wake.call(Channel(command.row["channel"]))
    log.info(
        "resolved",
        message_id=shown(MESSAGE, command.row["id"]),
        verdict=command.resolution.verdict.value,
        waits=done.answer.status == WAITS,
        replayed=done.answer.replayed,
    )
    return done.answer


async def _resolve(gateway: Gateway, connection: AsyncConnection, command: Command) -> Resolved:
    row, resolution, key = command.row, command.resolution, command.key
    object_id = gateway.ids.new()
    if key is not None:
        first = await _first_answer(gateway, connection, key, object_id)
        if first is not None:
            return Resolved(first)
    shared = {row["campaign_id"]} - {None}
    locked, due = await campaigns.lock(connection, {row["id"]}, shared)
    check(Status(locked[row["id"]]["status"]), resolution.verdict)
    last = await resolving.last_attempts(connection, [row["id"]])
    case = await look(connection, locked[row["id"]], last.get(row["id"]), resolution.verdict)
    _refuse_risk(case, resolution)
    is_done = await _is_confirmed(gateway, connection, command, case)
    if is_done:
        await apply(gateway, connection, command.actor, [case], resolution)
        await campaigns.pass_on(connection, due, gateway.now())
    found = await reading.find(connection, row["id"], row["client_id"], row["mode"])
    assert found is not None
    answer = Answer(status=DONE if is_done else WAITS, location="", body=command.written(found))
    if key is not None:
        said = {"status": answer.status, "body": answer.body}
        await idempotency.answer(connection, object_id, key.client_id, key.key, **said)
    return Resolved(answer, queued=found["status"] == Status.QUEUED)


async def _first_answer(
    gateway: Gateway, connection: AsyncConnection, key: Key, object_id: UUID
) -> Answer | None:
    """Return what a key was answered before; None where it was free, and is taken now."""
    record = {
        "client_id": key.client_id,
        "mode": key.mode,
        "key": key.key,
        "fingerprint": key.fingerprint,
        "object_id": object_id,
        "status": 0,
        "location": "",
        "body": "",
        "created_at": gateway.now(),
    }
    if await idempotency.take(connection, [record]):
        return None
    (first,) = await accept.first_answers(connection, [key])
    if first is None:  # it was taken, and given free since
        raise IdempotencyInProgress
    return accept.replay(first, key)


def _refuse_risk(case: Case, resolution: Resolution) -> None:
    if resolution.verdict is Verdict.RETRY and not (case.absent or resolution.accepts_risk):
        detail = "It may have been sent already: say true to have it sent, perhaps a second time."
        error = FieldError("/accept_duplicate_risk", "duplicate_risk", detail)
        raise ValidationFailed("One field is wrong.", (error,))


async def _is_confirmed(
    gateway: Gateway, connection: AsyncConnection, command: Command, case: Case
) -> bool:
    """Say whether a verdict needs no second key, or has it; otherwise keep that the first said it.

    Only what was said since the message stands where it does counts, and for a day.
    """
    verdict = command.resolution.verdict
    if case.row["channel"] != Channel.LETTER or verdict not in SENDS:
        return True
    now = gateway.now()
    asked = await resolving.last_event(connection, case.row["id"], ASKED)
    since = max(case.row["status_at"], now - SECOND_WITHIN)
    if asked is not None and asked["at"] >= since and asked["detail"]["resolved"] == verdict:
        is_another: bool = asked["detail"]["by"]["key"] != command.actor.key_id
        return is_another
    said = Move(
        message_id=case.row["id"],
        to=None,
        at=now,
        source="operator",
        type=ASKED,
        detail=detail_of(command.actor, case, command.resolution),
    )
    await messages.move(connection, gateway.ids, [said])
    return False


async def apply(
    gateway: Gateway,
    connection: AsyncConnection,
    actor: Actor,
    cases: Sequence[Case],
    resolution: Resolution,
) -> None:
    """Move locked messages as a verdict says; raises NotUncertain where one cannot."""
    now = gateway.now()
    moves = [move_of(gateway, actor, case, resolution, now) for case in cases]
    moved = await messages.move(connection, gateway.ids, moves)
    if not all(moved):
        raise NotUncertain
    for case in cases:
        await settle_attempt(connection, case, resolution, now)
        if resolution.verdict is Verdict.ASSUME_SENT:
            # It may have been acknowledged by the provider's own name for it.
            await apply_to(gateway, connection, case.row["provider"], case.row["id"])


def is_resolvable(row: RowMapping, verdict: Verdict) -> bool:
    """Say whether a message may still be resolved so."""
    status = Status(row["status"])
    return status in RESOLVABLE and not (status is Status.HELD and verdict is Verdict.ASSUME_SENT)
