"""From a batch's request to what is committed: every message checked, in slices, or none kept."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.api.access import Caller
from app.api.batch_alike import MOST, Alikes
from app.api.batch_answer import written
from app.api.batch_draft import Draft
from app.api.batch_key import BatchKey
from app.api.batch_rows import Errors, Row, by_relay, validated
from app.api.batch_schemas import MOST_TOGETHER, BatchIn
from app.api.duplicates import duplicate_reference
from app.api.edge import Edge
from app.api.gather import Gathered, gather_files
from app.api.sending import Batch, Body, Drafted, Sending, draft
from app.api.slices import Slices
from app.api.team import Checking
from app.delivery.accept import Answer, Arrival
from app.delivery.accept_many import Ahead
from app.domain.identifiers import BATCH, shown
from app.domain.message import File, Mode
from app.store import references


@dataclass(frozen=True, slots=True)
class _Looking:
    """What messages are looked at with."""

    errors: Errors
    team: Checking
    alikes: Alikes


async def arrival_of(
    sending: Sending[Body],
    edge: Edge,
    caller: Caller,
    given: tuple[BatchIn, BatchKey | None, Ahead],
    slices: Slices,
) -> Arrival:
    """Check a batch against everything that can be known before it is kept.

    Its messages are let go of one by one, for they take as much room as what is made of them.
    """
    batch, key, ahead = given
    together = batch.mode == "provider_multi"
    made = Draft(
        Batch(id=edge.gateway.ids.new(), together=together),
        batch.defaults,
        caller.unique_references,
        ahead,
    )
    await _draft_all(sending, edge, caller, (batch, made, key), slices)
    if caller.unique_references:
        await _require_new(edge, caller, made)
    if together:
        _divide(edge, made.rows)
    row = {
        "id": made.batch.id,
        "client_id": caller.client_id,
        "mode": caller.mode,
        "channel": sending.channel.value,
        "sending": batch.mode,
        "size": len(made.rows),
        "created_at": made.rows[0]["created_at"],
    }
    answer = Answer(
        status=202,
        location=f"/v1/batches/{shown(BATCH, made.batch.id)}",
        body=await written(row, made.rows, slices),
    )
    return Arrival(
        object_id=made.batch.id,
        answer=answer,
        key=key.whole() if key is not None else None,
        unique_references=caller.unique_references,
        daily_quota=caller.quota_of(sending.channel),
        batch=row,
        messages=made.rows,
        totals=made.totals,
        recipients=made.recipients,
        files=made.files,
    )


async def _draft_all(
    sending: Sending[Body],
    edge: Edge,
    caller: Caller,
    given: tuple[BatchIn, Draft, BatchKey | None],
    slices: Slices,
) -> None:
    """Draft every message; raises ValidationFailed with what is wrong with all of them."""
    batch, made, key = given
    alikes = Alikes(edge, sending.model, batch.defaults)
    looking = _Looking(Errors(), await edge.team.checking(caller), alikes)
    # Every recipient of a team's key is looked for in a list, and those of one call are compared.
    looks_at_each = caller.mode == Mode.TEAM or made.batch.together
    place = 0
    while place < len(batch.messages):
        if key is not None:
            await key.cover(batch.messages, place + MOST, slices)
        taken = 0 if looks_at_each else _take_alikes(batch, made, looking, place)
        if not taken:
            await _take_one(sending, edge, caller, (batch, made, place), looking)
        place += taken or 1
        if not made.batch.together:  # their rows change when all are there
            await made.ahead.came()
        await slices.pause()
    if looking.errors:
        raise looking.errors.fault(None)
    looking.team.close()


def _take_alikes(batch: BatchIn, made: Draft, looking: _Looking, place: int) -> int:
    """Take the messages from a place on that are like an earlier one; return how many."""
    rows = looking.alikes.rows(batch.messages, place)
    until = place + len(rows)
    if not looking.errors:
        made.add(place, batch.messages[place:until], rows)
    batch.messages[place:until] = [{}] * len(rows)
    return len(rows)


async def _take_one(
    sending: Sending[Body],
    edge: Edge,
    caller: Caller,
    given: tuple[BatchIn, Draft, int],
    looking: _Looking,
) -> None:
    batch, made, place = given
    row, errors = Row(place, batch.messages[place], batch.defaults), looking.errors
    batch.messages[place] = {}
    body = validated(sending, row, errors)
    if body is not None:
        looking.team.note(body, row.located)
        drafted = await _draft_one(sending, edge, caller, (row, body, made), errors)
        if drafted is not None:
            looking.alikes.learn(row, body, drafted)
    if errors.are_enough:
        raise errors.fault(None if place == len(batch.messages) - 1 else place)


async def _draft_one(
    sending: Sending[Body],
    edge: Edge,
    caller: Caller,
    given: tuple[Row, Body, Draft],
    errors: Errors,
) -> Drafted | None:
    row, body, made = given
    if made.batch.together and (by_itself := by_relay(row, body)):
        errors.note([by_itself])
        return None
    looked_at, gathered = await _gathered(sending, edge, caller, given)
    drafted = await draft(sending, edge, caller, body, (looked_at, gathered), batch=made.batch)
    errors.note(row.located(one) for one in gathered.errors)
    if drafted is None:
        return None
    if made.batch.together:
        errors.note([made.together.check(row, body, drafted.content)])
    if not errors:
        made.add_whole(row, drafted)
    return drafted


async def _gathered(
    sending: Sending[Body], edge: Edge, caller: Caller, given: tuple[Row, Body, Draft]
) -> tuple[list[File], Gathered]:
    """Return a message's files; those that messages share are looked at once."""
    row, body, made = given
    files = sending.files(body)
    # What all have by default is not written out for each, only to see that it is the same.
    own = "attachments" in row.given
    name = json.dumps([one.model_dump() for one in files.values()]) if own and files else str(own)
    if name not in made.gathered:
        made.gathered[name] = await gather_files(
            edge.gateway,
            caller.client_id,
            files,
            limit=edge.attachment_limit,
            pdf_only=sending.pdf_only,
        )
    looked_at, gathered = made.gathered[name]
    return looked_at, gathered.copied()


async def _require_new(edge: Edge, caller: Caller, made: Draft) -> None:
    """Raise DuplicateReference with every reference that an earlier message has."""
    repeated: dict[str, UUID | str] = {}
    first: dict[str, int] = {}  # the message of the batch that has each
    for place, row in enumerate(made.rows):
        reference = row["reference"]
        if reference is not None and first.setdefault(reference, place) != place:
            repeated[made.pointers[place]] = f"/messages/{first[reference]}"
    async with edge.gateway.database.reading() as connection:
        found = await references.earlier(connection, caller.client_id, caller.mode, first)
    repeated |= {made.pointers[first[name]]: message_id for name, message_id in found.items()}
    if repeated:
        raise duplicate_reference(repeated)


def _divide(edge: Edge, rows: Sequence[dict[str, Any]]) -> None:
    """Give every thousand messages a call of their own, of which the first is due for all."""
    for place in range(0, len(rows), MOST_TOGETHER):
        first, *others = rows[place : place + MOST_TOGETHER]
        if place:
            first["campaign_id"] = edge.gateway.ids.new()
        for one in others:
            one["campaign_id"] = first["campaign_id"]
            one["due_at"] = None
