"""Match uncertain attempts with a provider's report: pure functions, one rule for each way.

By our reference where the channel carries one; a text message has none, and is matched by its
number and time, only where nothing else of ours or theirs could be meant.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import RowMapping

from app.domain.evidence import Absent, Found, Inconclusive, Missing, Reported, Seen, Verdict
from app.domain.message import Channel, Sms
from app.store import contents

BEFORE: Final = timedelta(minutes=10)  # an attempt, from when on a report must cover
NEAR: Final = timedelta(minutes=2)  # between our time and the provider's, of one sending
SIGNIFICANT_DIGITS: Final = 9  # of a number, however its prefix is written
_IN_DOUBT: Final = frozenset({None, "unclear", "absent"})  # outcomes


@dataclass(frozen=True, slots=True)
class Case:
    """An uncertain message, and its attempts, first to last."""

    row: RowMapping
    attempts: Sequence[RowMapping]

    @property
    def last(self) -> RowMapping:
        """The attempt that made it uncertain."""
        return self.attempts[-1]

    @property
    def channel(self) -> Channel:
        """The channel that carries it."""
        return Channel(self.row["channel"])

    @property
    def in_doubt(self) -> Sequence[RowMapping]:
        """The attempts that may have been sent; also those that were proven not to be."""
        return [one for one in self.attempts if one["outcome"] in _IN_DOUBT]

    @property
    def began(self) -> datetime:
        """When the first of them was made."""
        first: datetime = min(
            (one["started_at"] for one in self.in_doubt), default=self.last["started_at"]
        )
        return first


@dataclass(frozen=True, slots=True)
class Text:
    """A text message of ours, and when it was handed over."""

    number: str  # digits that tell it from others
    started_at: datetime
    ended_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What the store knows of a report's rows, and of messages that they could be meant for."""

    reached: Mapping[Channel, datetime]  # the last known submission of ours that it contains
    texts: Mapping[str, Sequence[Text]] = field(default_factory=dict)  # known, by provider's id
    doubtful: Mapping[str, set[UUID]] = field(default_factory=dict)  # text messages, by number


def number_of(row: RowMapping) -> str:
    """Return the number of a text message's row, as `tail` writes it."""
    content = contents.read(Channel.SMS, row["content"])
    return tail(content.to) if isinstance(content, Sms) else ""


def tail(number: str) -> str:
    """Return the digits of a number that do not depend on how its prefix is written."""
    return "".join(filter(str.isdigit, number))[-SIGNIFICANT_DIGITS:]


def known_texts(rows: Iterable[RowMapping]) -> Mapping[str, Sequence[Text]]:
    """Return text messages that a provider took, by its ids for them."""
    found: dict[str, list[Text]] = defaultdict(list)
    for row in rows:
        ended_at = row["ended_at"] or row["started_at"]
        text = Text(number_of(row), row["started_at"], ended_at)
        found[row["provider_message_id"]].append(text)
    return found


def last_text(rows: Iterable[Seen], texts: Mapping[str, Sequence[Text]]) -> datetime | None:
    """Return the last known text message that a report contains, under its number and time.

    So it proves three things: how far the report reaches, how it writes numbers, and its clock.
    """
    times = [
        one.started_at
        for row in rows
        for one in texts.get(row.provider_message_id or "", ())
        if one.number == tail(row.recipient or "") and _near(row, one.started_at, one.ended_at)
    ]
    return max(times, default=None)


def verdict(case: Case, reported: Reported, context: Context, settle: timedelta) -> Verdict:
    """Return what a report says of an uncertain message.

    `settle`: so long after an attempt, the report should have it.
    """
    rule = _by_number if case.channel is Channel.SMS else _by_reference
    found = rule(case, reported, context)
    return found if found is not None else _absence(case, reported, context, settle)


def _by_reference(case: Case, reported: Reported, context: Context) -> Verdict | None:
    _ = context
    if "reference" not in reported.columns:
        return Inconclusive("the report has no column with our reference", lasting=True)
    references = {one["reference"] for one in case.in_doubt}
    rows = [row for row in reported.rows if row.reference in references]
    return _found(rows, reported) if rows else None


def _by_number(case: Case, reported: Reported, context: Context) -> Verdict | None:
    if not {"recipient", "provider_message_id"} <= set(reported.columns):
        return Inconclusive("the report lacks the number or the provider's id", lasting=True)
    number = number_of(case.row)
    rows = [row for row in reported.rows if tail(row.recipient or "") == number]
    strange = [row for row in rows if not _is_known(row, number, context)]
    if any(not row.moments for row in strange):
        return Inconclusive("the report does not tell the time of a message to this number")
    possible = [row for row in strange if max(row.moments) >= case.began - BEFORE]
    near = [
        row
        for row in possible
        if any(_near(row, one["started_at"], one["ended_at"]) for one in case.in_doubt)
    ]
    if not possible:
        return None
    others = context.doubtful.get(number, set()) - {case.row["id"]}
    if others or len(near) != len(possible) or len({row.provider_message_id for row in near}) != 1:
        return Inconclusive("another message to this number could be meant")
    return _found(near, reported)


def _is_known(row: Seen, number: str, context: Context) -> bool:
    return any(one.number == number for one in context.texts.get(row.provider_message_id or "", ()))


def _near(row: Seen, started_at: datetime, ended_at: datetime | None) -> bool:
    last = (ended_at or started_at) + NEAR
    return any(started_at - NEAR <= moment <= last for moment in row.moments)


def _found(rows: Sequence[Seen], reported: Reported) -> Found:
    ids = sorted({row.provider_message_id for row in rows if row.provider_message_id})
    if "provider_message_id" in reported.columns:
        copies = len(ids) or 1
    else:
        # An e-mail to several stands there once for each of them.
        copies = max(Counter(row.recipient for row in rows).values())
    return Found(by="report", provider_message_id=ids[0] if ids else None, copies=copies)


def _absence(
    case: Case, reported: Reported, context: Context, settle: timedelta
) -> Absent | Missing | Inconclusive:
    """Return what it proves that a report lacks a message: all of it must hold."""
    last = case.last
    if reported.since > last["started_at"] - BEFORE:
        return Inconclusive("the report begins too late")
    if reported.at < last["ended_at"] + settle:
        return Inconclusive("the report may not know it yet")
    reached = context.reached.get(case.channel)
    if reached is None or reached <= last["ended_at"]:
        return Inconclusive("no later message of ours stands in the report")
    if last["absent_at"] is None:
        return Missing(at=reported.at)
    if reported.at - last["absent_at"] < between(settle):
        return Inconclusive("two reports too close to each other")
    return Absent(by="report")


def between(settle: timedelta) -> timedelta:
    """Return how far apart two reports must be that agree."""
    return settle / 3
