"""From a batch's request to what is committed: every message checked, in slices, or none kept."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from app.api import answers, bodies
from app.api.access import Caller
from app.api.batch_rows import Errors, Row, Together, by_relay, validated
from app.api.batch_schemas import MOST_TOGETHER, BatchIn
from app.api.duplicates import duplicate_reference
from app.api.edge import Edge
from app.api.gather import Gathered, gather_files
from app.api.sending import Batch, Body, Drafted, Sending, draft
from app.api.slices import Slices
from app.delivery.accept import Answer, Arrival, Key
from app.domain.errors import FieldError
from app.domain.identifiers import BATCH, shown
from app.domain.message import File
from app.store import references

# Each message keeps its whole content, so that defaults of 1 MB are 10 GB of ten thousand messages.
MOST_WRITTEN: Final = 64 * 1_048_576  # bytes of all contents, and of the files once each


@dataclass(slots=True)
class _Draft:
    """What was checked so far."""

    batch: Batch
    rows: list[dict[str, Any]] = field(default_factory=list)
    recipients: list[dict[str, Any]] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)  # by SHA-256
    pointers: list[str] = field(default_factory=list)  # to references, where they must be unique
    size: int = 0  # bytes of contents and files
    together: Together = field(default_factory=Together)
    gathered: dict[str, tuple[list[File], Gathered]] = field(default_factory=dict)

    def add(self, drafted: Drafted) -> None:
        """Take one message to the others."""
        self.rows.append(drafted.row)
        self.recipients += drafted.recipients
        new = {name: one for name, one in drafted.files.items() if name not in self.files}
        self.files |= new
        self.size += len(drafted.row["content"]) + sum(map(len, new.values()))


async def arrival_of(
    sending: Sending[Body],
    edge: Edge,
    caller: Caller,
    given: tuple[BatchIn, Key | None],
    slices: Slices,
) -> Arrival:
    """Check a batch against everything that can be known before it is kept.

    Its messages are let go of one by one, for they take as much room as what is made of them.
    """
    batch, key = given
    together = batch.mode == "provider_multi"
    made = _Draft(Batch(id=edge.gateway.ids.new(), together=together))
    await _draft_all(sending, edge, caller, (batch, made), slices)
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
        body=await _written(row, made.rows, slices),
    )
    return Arrival(
        object_id=made.batch.id,
        answer=answer,
        key=key,
        unique_references=caller.unique_references,
        daily_quota=caller.quota_of(sending.channel),
        batch=row,
        messages=made.rows,
        recipients=made.recipients,
        files=made.files,
    )


async def _draft_all(
    sending: Sending[Body],
    edge: Edge,
    caller: Caller,
    given: tuple[BatchIn, _Draft],
    slices: Slices,
) -> None:
    """Draft every message; raises ValidationFailed with what is wrong with all of them."""
    batch, made = given
    errors, team = Errors(), await edge.team.checking(caller)
    for place, one in enumerate(batch.messages):
        row = Row(place, one, batch.defaults)
        batch.messages[place] = {}
        body = validated(sending, row, errors)
        if body is not None:
            team.note(body, row.located)
            await _draft_one(sending, edge, caller, (row, body, made), errors)
        if errors.are_enough:
            is_last = place == len(batch.messages) - 1
            raise errors.fault(None if is_last else place)
        await slices.pause()
    if errors:
        raise errors.fault(None)
    team.close()


async def _draft_one(
    sending: Sending[Body],
    edge: Edge,
    caller: Caller,
    given: tuple[Row, Body, _Draft],
    errors: Errors,
) -> None:
    row, body, made = given
    if made.batch.together and (by_itself := by_relay(row, body)):
        errors.note([by_itself])
        return
    looked_at, gathered = await _gathered(sending, edge, caller, given)
    drafted = await draft(sending, edge, caller, body, (looked_at, gathered), batch=made.batch)
    errors.note(row.located(one) for one in gathered.errors)
    if drafted is None:
        return
    if made.batch.together:
        errors.note([made.together.check(row, body, drafted.content)])
    if not errors:
        made.add(drafted)
        if caller.unique_references:
            made.pointers.append(row.located(FieldError("/reference", "", "")).pointer)
        if made.size > MOST_WRITTEN:
            detail = (
                f"The contents and files have more than {MOST_WRITTEN:,} bytes, written out for"
                f" each message: after message {row.place}. Send smaller batches."
            )
            raise bodies.failed([FieldError("/messages", "too_large", detail)])


async def _gathered(
    sending: Sending[Body], edge: Edge, caller: Caller, given: tuple[Row, Body, _Draft]
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


async def _require_new(edge: Edge, caller: Caller, made: _Draft) -> None:
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


async def _written(row: dict[str, Any], members: Sequence[dict[str, Any]], slices: Slices) -> str:
    """Return the answer's JSON; ten thousand messages would keep all others waiting."""
    counts = Counter(one["status"] for one in members)
    empty = json.dumps(answers.batch(row, counts, []), ensure_ascii=False)
    head, _, tail = empty.partition("[]")
    shown_members = []
    for place, one in enumerate(members):
        shown_members.append(json.dumps(answers.member(place, one), ensure_ascii=False))
        await slices.pause()
    return f"{head}[{', '.join(shown_members)}]{tail}"
