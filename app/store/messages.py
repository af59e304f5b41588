"""Message rows: written once, found, listed, and moved, each move with its event."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.identifiers import Identifiers
from app.domain.message import Message, Sms, files_of, masked_recipient, units_of
from app.domain.outcome import Failure
from app.domain.segments import encoding_of
from app.domain.status import BY_REPORT, NEXT, Status
from app.store import counters, many
from app.store.change_many import change
from app.store.contents import written
from app.store.events import event_row, first_rows
from app.store.tables import events, messages
from app.store.unmapped import Sighting, count

LABEL_LENGTH: Final = 500
CODE_LENGTH: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One change of a message's status, or news that leave the status where it is."""

    message_id: UUID
    to: Status | None  # None: news that leave the status where it is
    at: datetime
    source: str  # who says so: client, worker, provider_response, provider_status, ...
    fence: int | None = None  # only if the message still has this fence
    raise_fence: bool = False  # whoever holds the message now may no longer write
    code: str | None = None  # the provider's, raw
    unmapped_in: str | None = None  # the function whose codes lack this one
    label: str | None = None  # the provider's words
    occurred: str | None = None  # the provider's time, as it wrote it
    failure: Failure | None = None
    type: str | None = None  # of the event, where it is not message.<status>
    changes: Mapping[str, Any] = field(default_factory=dict)  # other columns of the message
    detail: Mapping[str, Any] | None = None  # of the event
    evidence: bool = False  # keep it as an event with `applied: false` where it may not move
    only_from: AbstractSet[Status] | None = None  # only if the message stands in one of these
    reported: bool = False  # a provider's report on the attempt says so: allows BY_REPORT's moves


def row_of(message: Message) -> dict[str, Any]:
    """Return a new message's row."""
    waits = message.send_at is not None and message.send_at > message.created_at
    content = written(message.channel, message.content)
    text = message.content.text if isinstance(message.content, Sms) else None
    return {
        "id": message.id,
        "client_id": message.client_id,
        "mode": message.mode.value,
        "channel": message.channel.value,
        "provider": message.provider,
        "created_at": message.created_at,
        "send_at": message.send_at,
        "expires_at": message.expires_at,
        "reference": message.reference,
        "billing_code": message.billing_code,
        "purpose": message.purpose,
        "tags": list(message.tags),
        "metadata": dict(message.metadata),
        "warnings": list(message.warnings),
        "batch_id": message.batch_id,
        "campaign_id": message.campaign_id,
        "on_uncertain": message.on_uncertain,
        "content": content,
        "size": len(content.encode()) + sum(file.size for file in files_of(message.content)),
        "recipient": masked_recipient(message.content),
        "recipient_digest": message.recipient_digest,
        "units": units_of(message.content),
        "encoding": encoding_of(text).value if text is not None else None,
        "status": (Status.SCHEDULED if waits else Status.QUEUED).value,
        "status_at": message.created_at,
        "status_source": "client",
        "due_at": message.send_at if waits else message.created_at,
        "sequence": 1,
        "fence": 0,
        "attempts": 0,
        "checks": 0,
    }


async def add(
    connection: AsyncConnection, ids: Identifiers, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Write new messages, each with its first event."""
    await many.add(connection, messages, rows)
    await many.add(connection, events, first_rows(ids, rows))
    counters.added(connection, rows)


async def lock(connection: AsyncConnection, message_id: UUID) -> RowMapping:
    """Return a message, whoever's it is, that nobody else moves before this transaction ends."""
    found = await connection.execute(
        select(messages).where(messages.c.id == message_id).with_for_update()
    )
    return found.mappings().one()


async def move(
    connection: AsyncConnection,
    ids: Identifiers,
    moves: Sequence[Move],
    *,
    standing: Mapping[UUID, Mapping[str, Any]] | None = None,
) -> list[bool]:
    """Move messages, in the given order, and write one event for each; say which were moved.

    A move that the fence or the table of moves forbids changes nothing; one that is evidence is
    kept all the same, as an event with `applied: false`. A code that nobody has said the meaning of
    is counted. `standing`: the messages' rows, where this transaction has locked them already.
    """
    if standing is None:
        rows = await _lock(connection, {move.message_id for move in moves})
    else:
        rows = {one.message_id: dict(standing[one.message_id]) for one in moves}
    changed: dict[UUID, dict[str, Any]] = defaultdict(dict)
    written_events = []
    moved = []
    unmapped = []
    for step in moves:
        row = rows[step.message_id]
        moved.append(_may(step, row))
        if not moved[-1] and not step.evidence:
            continue
        row["sequence"] += 1
        changed[step.message_id]["sequence"] = row["sequence"]
        written_events.append(_event_of(ids, step, row, applied=moved[-1]))
        if step.unmapped_in and step.code is not None:
            unmapped.append(Sighting(row["provider"], step.unmapped_in, step.code, step.label))
        if moved[-1]:
            if step.to is not None:
                counters.moved(connection, row, step.to)
            changed[step.message_id] |= _changes(step, row)
            row |= changed[step.message_id]
    await _write(connection, [{"id": key, **one} for key, one in changed.items()])
    await many.add(connection, events, written_events)
    if unmapped:
        await count(connection, unmapped, moves[0].at)
    return moved


def _may(step: Move, row: Mapping[str, Any]) -> bool:
    """Say whether a message stands where a move may begin."""
    status = Status(row["status"])
    if step.fence is not None and step.fence != row["fence"]:
        return False
    if step.only_from is not None and status not in step.only_from:
        return False
    if step.to is None:
        return True
    return step.to in NEXT[status] and (step.reported or (status, step.to) not in BY_REPORT)


async def note(
    connection: AsyncConnection,
    changes: Mapping[UUID, Mapping[str, Any]],
    fences: Mapping[UUID, int],
) -> None:
    """Change columns that are no status, such as when a status was last asked: no event.

    A message that has another fence by now stays as it is.
    """
    noted = [{"id": key, "fence": fences[key], **one} for key, one in changes.items()]
    await _write(connection, noted, where=("id", "fence"))


async def _lock(connection: AsyncConnection, ids: set[UUID]) -> dict[UUID, dict[str, Any]]:
    c = messages.c
    found = await connection.execute(
        select(
            c.id, c.client_id, c.mode, c.channel, c.provider, c.size, c.status, c.fence, c.sequence
        )
        .where(c.id.in_(ids))
        # Always in the same order, or two batches could wait for each other.
        .order_by(c.id)
        .with_for_update()
    )
    return {row["id"]: dict(row) for row in found.mappings()}


def _changes(step: Move, row: Mapping[str, Any]) -> dict[str, Any]:
    changes = dict(step.changes)
    if step.code is not None:
        changes |= {"provider_code": step.code[:CODE_LENGTH]}
        changes |= {"provider_label": (step.label or "")[:LABEL_LENGTH] or None}
        changes |= {"unmapped_code": step.code[:CODE_LENGTH] if step.unmapped_in else None}
        changes |= {"unmapped_function": step.unmapped_in}
    if step.raise_fence:
        changes["fence"] = row["fence"] + 1
    if step.to is not None:
        changes |= {
            "status": step.to.value,
            "previous_status": row["status"],
            "status_at": step.at,
            "status_source": step.source,
            "failure": asdict(step.failure) if step.failure else None,
        }
    return changes


async def _write(
    connection: AsyncConnection,
    changed: Sequence[Mapping[str, Any]],
    *,
    where: tuple[str, ...] = ("id",),
) -> None:
    # One statement for all messages that change the same columns.
    alike: dict[frozenset[str], list[Mapping[str, Any]]] = defaultdict(list)
    for changes in changed:
        alike[frozenset(changes)].append(changes)
    for rows in alike.values():
        await change(connection, messages, rows, where=where)


def _event_of(
    ids: Identifiers, step: Move, row: Mapping[str, Any], *, applied: bool
) -> dict[str, Any]:
    status = step.to.value if step.to is not None else row["status"]
    return event_row(
        ids,
        row,
        row["sequence"],
        row["status"],
        status,
        at=step.at,
        source=step.source,
        type=step.type or f"message.{status}",
        provider_code=step.code and step.code[:CODE_LENGTH],
        provider_label=step.label and step.label[:LABEL_LENGTH],
        provider_time=step.occurred and step.occurred[:64],
        applied=applied,
        failure=asdict(step.failure) if step.failure else None,
        detail=dict(step.detail) if step.detail else None,
    )
