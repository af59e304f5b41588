"""Slots: billing codes under which one text message at a time is under way.

A slot keeps what the provider counted under its code before: what it counts after tells whether it
took the one. While an attempt holds a slot, `expected` is what was counted before it, then what was
counted first since it ended (`changed_at` tells which), and NULL once others were seen to use the
code. A free slot whose count is not known is used by nobody.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    RowMapping,
    Select,
    bindparam,
    case,
    exists,
    func,
    literal_column,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.message import Channel
from app.domain.status import Status
from app.store.database import insert_new
from app.store.tables import attempts, messages, slots

# The words of the partial index, as a literal: a prepared plan could not use it otherwise.
_WAITING: Final[ColumnElement[bool]] = literal_column("status IN ('queued', 'scheduled')")
_UNNAMED: Final = "S"  # before the number, where the client gave no billing code
_LONGEST: Final = 97  # characters of a billing code that leave room for the number
_IN_DOUBT: Final = (Status.SUBMITTING.value, Status.UNCERTAIN.value)
_FREE: Final = (slots.c.attempt_id.is_(None), slots.c.expected.is_not(None))
_BASE: Final = func.coalesce(func.nullif(messages.c.billing_code, ""), _UNNAMED)


@dataclass(frozen=True, slots=True)
class Slot:
    """A slot that a claim was given."""

    provider: str
    code: str
    expected: int  # what the provider counted under its code before


def fits(most: int) -> ColumnElement[bool]:
    """Say of a message whether it needs no slot, or one of so many is free for it."""
    codes = [_BASE.concat(f"-{number}") for number in range(1, most + 1)]
    free = exists().where(slots.c.provider == messages.c.provider, slots.c.code.in_(codes), *_FREE)
    return or_(~_needs(), free)


async def reserve(
    connection: AsyncConnection, due: Select[Any], most: int
) -> dict[UUID, Slot | None]:
    """Return the messages of a query that may be sent, each with a slot that is locked for it.

    None for those that need none; the others of the query wait.
    """
    rows = (await connection.execute(due.add_columns(_needs().label("needs")))).mappings().all()
    bases = {_base(row["billing_code"]) for row in rows if row["needs"]}
    providers = {row["provider"] for row in rows}
    free = await _lock_free(connection, providers, bases, most)
    given: dict[UUID, Slot | None] = {}
    for row in rows:
        those = free[row["provider"], _base(row["billing_code"])]
        if not row["needs"]:
            given[row["id"]] = None
        elif those:
            given[row["id"]] = those.pop()
    return given


async def _lock_free(
    connection: AsyncConnection, providers: Collection[str], bases: Collection[str], most: int
) -> dict[tuple[str, str], list[Slot]]:
    of_code = {code: base for base in bases for code in codes_of(base, most)}
    found = await connection.execute(
        select(slots)
        .where(slots.c.provider.in_(providers), slots.c.code.in_(of_code), *_FREE)
        .order_by(slots.c.code)
        .with_for_update(skip_locked=True)
    )
    free: dict[tuple[str, str], list[Slot]] = defaultdict(list)
    for row in found.mappings():
        key = row["provider"], of_code[row["code"]]
        free[key].append(Slot(row["provider"], row["code"], row["expected"]))
    return free


def codes_of(base: str, most: int) -> list[str]:
    """Return the codes of the slots that begin with a billing code."""
    return [f"{base}-{number}" for number in range(1, most + 1)]


def _base(billing_code: str | None) -> str:
    return billing_code or _UNNAMED


def _needs() -> ColumnElement[bool]:
    # A campaign is one call for many; a code that is too long cannot carry a number.
    c = messages.c
    alone = c.campaign_id.is_(None) & (c.channel == Channel.SMS.value)
    return alone & (func.length(_BASE) <= _LONGEST)


async def hold(
    connection: AsyncConnection, given: Mapping[UUID, Slot | None], now: datetime
) -> None:
    """Let attempts hold the slots that were locked for them."""
    taken = [
        {"_provider": slot.provider, "_code": slot.code, "_attempt": attempt_id}
        for attempt_id, slot in given.items()
        if slot is not None
    ]
    if taken:
        await connection.execute(
            update(slots)
            .where(slots.c.provider == bindparam("_provider"), slots.c.code == bindparam("_code"))
            .values(attempt_id=bindparam("_attempt"), changed_at=now),
            taken,
        )


async def release(
    connection: AsyncConnection, counts: Mapping[UUID, int | None], now: datetime
) -> None:
    """Free the slots of attempts, with what the provider counts under their codes now.

    None: nobody knows; nor where others were seen to use the code. It is counted anew then.
    """
    for attempt_id, count in counts.items():
        known = case((slots.c.expected.is_(None), null()), else_=count)
        await connection.execute(
            update(slots)
            .where(slots.c.attempt_id == attempt_id)
            .values(attempt_id=None, expected=known if count is not None else None, changed_at=now)
        )


async def held(
    connection: AsyncConnection, attempt_ids: Collection[UUID]
) -> Mapping[UUID, RowMapping]:
    """Return the slots that attempts hold."""
    found = await connection.execute(select(slots).where(slots.c.attempt_id.in_(attempt_ids)))
    return {row["attempt_id"]: row for row in found.mappings()}


async def note(
    connection: AsyncConnection, attempt_id: UUID, count: int | None, at: datetime
) -> None:
    """Keep what was counted first since an attempt ended; None: others use the code."""
    await connection.execute(
        update(slots).where(slots.c.attempt_id == attempt_id).values(expected=count, changed_at=at)
    )


async def wanted(
    connection: AsyncConnection, provider: str, most: int, now: datetime
) -> Sequence[str]:
    """Return codes of slots that due messages need and that were never made."""
    c = messages.c
    last = exists().where(slots.c.provider == provider, slots.c.code == _BASE.concat(f"-{most}"))
    found = await connection.execute(
        select(c.billing_code)
        .where(_WAITING, _needs(), c.provider == provider, c.due_at <= now, ~last)
        .distinct()
        .limit(10)
    )
    return [code for base in found.scalars() for code in codes_of(_base(base), most)]


async def add(
    connection: AsyncConnection, provider: str, codes: Collection[str], now: datetime
) -> None:
    """Make slots whose counts are not known yet; those that stand stay as they are."""
    for code in sorted(codes):
        await connection.execute(
            insert_new(connection, slots).values(provider=provider, code=code, changed_at=now)
        )


async def uncounted(connection: AsyncConnection, provider: str, limit: int) -> Sequence[RowMapping]:
    """Return some free slots whose counts are not known, always in the same order."""
    found = await connection.execute(
        select(slots)
        .where(
            slots.c.provider == provider,
            slots.c.attempt_id.is_(None),
            slots.c.expected.is_(None),
        )
        .order_by(func.random())  # those that cannot be counted hold no others up
        .limit(limit)
    )
    return sorted(found.mappings(), key=lambda row: row["code"])


async def learn(connection: AsyncConnection, seen: RowMapping, count: int, now: datetime) -> None:
    """Write a free slot's count, unless it changed since it was seen."""
    await connection.execute(
        update(slots)
        .where(
            slots.c.provider == seen["provider"],
            slots.c.code == seen["code"],
            slots.c.changed_at == seen["changed_at"],
            slots.c.attempt_id.is_(None),
            slots.c.expected.is_(None),
        )
        .values(expected=count, changed_at=now)
    )


async def left(connection: AsyncConnection, ended_by: datetime) -> Sequence[UUID]:
    """Return attempts that hold a slot, ended so long ago, and that nobody asks about any more.

    Their messages were settled otherwise: by a person, or by their time.
    """
    in_question = exists().where(
        attempts.c.id == slots.c.attempt_id,
        attempts.c.message_id == messages.c.id,
        or_(
            attempts.c.ended_at.is_(None),
            attempts.c.ended_at > ended_by,
            (attempts.c.number == messages.c.attempts) & messages.c.status.in_(_IN_DOUBT),
        ),
    )
    found = await connection.execute(
        select(slots.c.attempt_id)
        .where(slots.c.attempt_id.is_not(None), ~in_question)
        .order_by(slots.c.code)
    )
    return found.scalars().all()


async def forget_counts(connection: AsyncConnection) -> None:
    """Have every slot counted anew, and let no count tell of attempts that hold one now."""
    await connection.execute(update(slots).values(expected=None))
