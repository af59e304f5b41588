"""Gateways that are wrong on purpose: what everybody does, and what must be caught here.

Each replaces one function of the product in the process that it is applied to, before anything
runs. `reliability.md` 3.2 names them, with what they did to a prototype.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.api import send
from app.api.edge import Edge
from app.delivery import submit
from app.delivery.accept import Answer, Arrival
from app.delivery.conclude import Ended, Held
from app.delivery.gateway import Gateway
from app.domain.outcome import Deferred, Unclear
from app.domain.status import Status
from app.store import messages, queue, tables
from app.store.alone import Rows, Values
from app.store.database import Database


def retry_on_timeout() -> None:
    """Take a call without an answer for one that was never made."""
    record = submit.record

    async def recorded(gateway: Gateway, ended: Sequence[Ended]) -> list[bool]:
        return await record(
            gateway,
            [
                replace(one, outcome=Deferred(one.outcome.why))
                if isinstance(one.outcome, Unclear)
                else one
                for one in ended
            ],
        )

    submit.record = recorded


class _Forgetful:
    """A store that takes back what is written into it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        async with self._database.transaction() as connection:
            yield connection
            await connection.rollback()

    async def at_once(self, sql: str, values: Values | None) -> Rows:
        alone = self._database._alone
        assert alone is not None
        line = await alone.lend()
        try:
            await line.run("BEGIN", ())
            rows = await line.run(sql, values)
            await line.run("ROLLBACK", ())
        finally:
            alone.take_back(line)
        return rows


def mark_after_send() -> None:
    """Write the attempt down when its call is over, and not before it begins."""
    claim, record = submit.claim, submit.record
    held_now: set[UUID] = set()

    async def claimed(gateway: Gateway, *arguments: Any, **options: Any) -> list[Sequence[Held]]:
        forgetful: Any = _Forgetful(gateway.database)
        groups = await claim(replace(gateway, database=forgetful), *arguments, **options)
        new = [group for group in groups if group[0].claim.message_id not in held_now]
        held_now.update(one.claim.message_id for group in new for one in group)
        return new

    async def recorded(gateway: Gateway, ended: Sequence[Ended]) -> list[bool]:
        marked = ("status", "previous_status", "fence", "attempts", "sequence")
        async with gateway.database.transaction() as connection:
            for one in ended:
                taken, at = one.held.claim, one.held.at
                columns = {name: taken.row[name] for name in marked}
                columns["lease_until"] = at + gateway.timing.lease
                row = tables.messages.c.id == taken.message_id
                await connection.execute(update(tables.messages).where(row).values(columns))
                await connection.execute(insert(tables.attempts), [queue._attempt(taken, at)])
                event = queue._claimed(gateway.ids, taken, at)
                await connection.execute(insert(tables.events), [event])
        moved = await record(gateway, ended)
        held_now.difference_update(one.held.claim.message_id for one in ended)
        return moved

    submit.claim, submit.record = claimed, recorded  # type: ignore[assignment]


def requeue_expired_lease() -> None:
    """Send again what a dead worker held."""
    lost = queue._lost

    def requeued(message_id: UUID, *arguments: Any) -> messages.Move:
        move = lost(message_id, *arguments)
        changes = {**move.changes, "due_at": move.at}
        return replace(move, to=Status.QUEUED, changes=changes)

    queue._lost = requeued


def answer_before_commit() -> None:
    """Answer 202, and commit in a moment."""
    take_in = send.take_in
    running: set[asyncio.Task[Answer]] = set()

    async def taken_in(edge: Edge, arrival: Arrival) -> Answer:
        async def later() -> Answer:
            await asyncio.sleep(0.1)
            return await take_in(edge, arrival)

        task = asyncio.create_task(later())
        running.add(task)
        return arrival.answer

    send.take_in = taken_in


def no_fence() -> None:
    """Let whoever held a message once write what became of it."""
    may = messages._may

    def unfenced(step: messages.Move, row: Mapping[str, Any]) -> bool:
        return may(replace(step, fence=None), row)

    messages._may = unfenced


def no_guard() -> None:
    """Begin a call however long ago its message was claimed."""
    submit._is_late = lambda *_: False


MUTANTS: Mapping[str, Callable[[], None]] = {
    one.__name__: one
    for one in (
        retry_on_timeout,
        mark_after_send,
        requeue_expired_lease,
        answer_before_commit,
        no_fence,
        no_guard,
    )
}
