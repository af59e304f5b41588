"""What must hold after everything: read from the journals, the ledgers and the store alone.

The numbers are those of reliability.md, 3.1. Nothing here asks the gateway's code what is right,
except for the spelling of ids.
"""

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import psycopg
from psycopg.rows import dict_row

from app.domain.identifiers import MESSAGE, shown
from tests.crash.fleet import lines_of

# The moves that 2.2 allows, written down a second time.
MOVES: Final[Mapping[str | None, set[str]]] = {
    None: {"queued", "scheduled"},
    "scheduled": {"queued", "submitting", "held", "cancelled", "expired", "failed"},
    "queued": {"submitting", "held", "cancelled", "expired", "failed"},
    "held": {"queued", "cancelled", "expired", "failed"},
    "submitting": {"queued", "submitted", "failed", "uncertain", "held"},
    # Held: the second process that died of it (2.9).
    "uncertain": {"queued", "submitted", "failed", "expired", "held"},
    "submitted": {"sent", "delivered", "partially_delivered", "failed", "returned", "expired"},
    "sent": {"delivered", "partially_delivered", "failed", "returned", "expired"},
    "delivered": {"returned"},
    "partially_delivered": {"delivered"},
    "failed": {"delivered", "partially_delivered"},
    "expired": {"delivered", "partially_delivered"},
}
# Where a message may stand, by how often its provider took it.
UNSENT: Final = {"scheduled", "queued", "held", "cancelled", "expired", "failed"}
SENT: Final = {"submitted", "sent", "delivered", "partially_delivered", "returned", "failed"}
OPEN: Final = {"submitting", "uncertain"}
CLOCKS: Final = 0.5  # seconds: half of the longest round trip by which a store's clock is read
# The fleet sends nothing that may be sent twice: no fax is repeated when a line is busy.
TAKEN: Final = {"delivered": 1, "rejected": 0, "lost": 1, "notsent": 0, "slow": 1}


BRAKE = "uncertain_brake"  # why a channel stands still on which too much is uncertain


@dataclass(slots=True)
class Store:
    """What the store holds at the end."""

    messages: dict[UUID, dict[str, Any]]
    events: dict[UUID, list[dict[str, Any]]]
    attempts: dict[UUID, list[dict[str, Any]]]
    braked: set[tuple[str, str]] = field(default_factory=set)  # provider and channel


@dataclass(slots=True)
class Findings:
    """What was found: figures, and every violation with the number of what it violates."""

    figures: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)

    def violated(self, which: str, what: str) -> None:
        self.figures[which] += 1
        self.violations.append(f"{which}: {what}")


def read_store(database_url: str) -> Store:
    """Read the three tables that tell everything."""
    if database_url.startswith("sqlite"):
        lite = sqlite3.connect(database_url.removeprefix("sqlite:///"))
        lite.row_factory = sqlite3.Row

        def rows(table: str, order: str) -> list[dict[str, Any]]:
            return [dict(one) for one in lite.execute(f"SELECT * FROM {table} ORDER BY {order}")]

    else:
        connection = psycopg.connect(database_url, row_factory=dict_row)

        def rows(table: str, order: str) -> list[dict[str, Any]]:
            with connection.cursor() as cursor:
                return cursor.execute(f"SELECT * FROM {table} ORDER BY {order}").fetchall()  # type: ignore[call-overload,no-any-return]

    try:
        store = Store({_uuid(one["id"]): one for one in rows("messages", "id")}, {}, {})
        for name, order in (("events", "message_id, sequence"), ("attempts", "message_id, number")):
            gathered: dict[UUID, list[dict[str, Any]]] = defaultdict(list)
            for one in rows(name, order):
                gathered[_uuid(one["message_id"])].append(one)
            setattr(store, name, gathered)
        store.braked = {
            (one["provider"], one["channel"])
            for one in rows("channels", "provider, channel")
            if one["reason"] == BRAKE
        }
    finally:
        (lite if database_url.startswith("sqlite") else connection).close()
    return store


def _uuid(value: Any) -> UUID:
    return value if isinstance(value, UUID) else UUID(str(value))


def _time(value: Any) -> float:
    """Return a time of either store, in seconds."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    aware = value if value.tzinfo else value.replace(tzinfo=UTC)
    seconds: float = aware.timestamp()
    return seconds


def read_ledger(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@dataclass(slots=True)
class Evidence:
    """All that is judged."""

    store: Store
    journal: Sequence[Mapping[str, Any]]
    efidem: Sequence[Mapping[str, Any]]
    fax123: Sequence[Mapping[str, Any]]
    listed: Mapping[str, str]  # what the API shows: status by id


def gathered(folder: Path, database_url: str, listed: Mapping[str, str]) -> Evidence:
    return Evidence(
        store=read_store(database_url),
        journal=lines_of(folder),
        efidem=read_ledger(folder / "efidem.ledger"),
        fax123=read_ledger(folder / "fax123.ledger"),
        listed=listed,
    )


def judge(evidence: Evidence, *, longest: float, settled: bool) -> Findings:
    """Judge everything; a call reaches its provider at most `longest` seconds after its claim.

    `settled`: nothing may remain uncertain.
    """
    found = Findings()
    told = _answers(evidence, found)
    taken = _taken(evidence, found, longest)
    _messages(evidence, found, told, taken, settled=settled)
    _histories(evidence, found)
    _feeds(evidence, found)
    return found


def _answers(evidence: Evidence, found: Findings) -> dict[str, str]:
    """I1 and I4: who was told an id finds it, and a key has one id."""
    told: dict[str, str] = {}
    for line in evidence.journal:
        found.figures[f"journal_{line['event']}"] += 1
        if line["event"] == "told" and told.setdefault(line["mark"], line["id"]) != line["id"]:
            found.violated("two_ids", f"{line['mark']} was told {line['id']} and {told}")
    for mark, message_id in told.items():
        if message_id not in evidence.listed:
            found.violated("lost", f"{mark}: nobody knows {message_id}")
    for key, one in evidence.store.messages.items():
        found.figures["messages"] += 1
        mark, message_id = one["billing_code"], shown(MESSAGE, key)
        if told.get(mark) != message_id:
            found.violated("unasked", f"{message_id} ({mark}) was told to nobody")
        shown_as = evidence.listed.get(message_id)
        if shown_as != one["status"]:
            found.violated("unlisted", f"{message_id} is {one['status']}, shown as {shown_as}")
    return told


def _taken(evidence: Evidence, found: Findings, longest: float) -> Counter[str]:
    """I3 and I5: what the providers took, by mark; nothing comes from nowhere, or too late."""
    store = evidence.store
    by_reference = {one["reference"]: one for many in store.attempts.values() for one in many}
    by_mark = {one["billing_code"]: message_id for message_id, one in store.messages.items()}
    taken: Counter[str] = Counter()
    for line in (*evidence.efidem, *evidence.fax123):
        found.figures["ledger_lines"] += 1
        reference = line.get("reference") or line.get("ref")
        attempt = by_reference.get(reference)
        # A text message has no reference: its billing code is its own.
        known = _uuid(attempt["message_id"]) if attempt else by_mark.get(line.get("billing_code"))
        if known is None or (reference and not attempt):
            found.violated("from_nowhere", f"nobody sent {reference or line['billing_code']}")
            continue
        mark = store.messages[known]["billing_code"]
        taken[mark] += 1
        attempts = [attempt] if attempt else store.attempts[known]
        ages = [line["at"] - _time(one["started_at"]) for one in attempts if _began(one, line)]
        if not ages:
            found.violated("unmarked", f"{mark} was taken before any attempt was written")
        elif min(ages) > longest:
            found.violated("sent_late", f"{mark}: {min(ages):.1f} s after its claim")
    for mark, times in taken.items():
        if times > 1:
            found.violated("twice", f"{mark} was taken {times} times")
    return taken


def _began(attempt: Mapping[str, Any], line: Mapping[str, Any]) -> bool:
    """Say whether an attempt had begun when its provider took it; clocks may differ a little."""
    return _time(attempt["started_at"]) <= line["at"] + CLOCKS


def _messages(
    evidence: Evidence,
    found: Findings,
    told: Mapping[str, str],
    taken: Counter[str],
    *,
    settled: bool,
) -> None:
    """I2, I7 and I8: where a message stands is what its provider did."""
    behaviours = {
        line["mark"]: line["behaviour"] for line in evidence.journal if line["event"] == "ask"
    }
    for message_id, row in evidence.store.messages.items():
        mark, status = row["billing_code"], row["status"]
        found.figures[f"status_{status}"] += 1
        _attempts(found, row, evidence.store.attempts[message_id])
        if mark in told:
            # Letters wait for a person (2.6): their absence is never taken for granted.
            due = settled and not mark.startswith("letters")
            wrong = _wrong(status, taken[mark], TAKEN[behaviours[mark]], settled=due)
            # Where too much is uncertain, nothing leaves until a person has looked (2.6).
            if (row.get("provider"), row.get("channel")) in evidence.store.braked:
                wrong = [which for which in wrong if (which, status) != ("stuck", "queued")]
            for which in wrong:
                said = f"{mark} ({behaviours[mark]}) is {status}, and was taken {taken[mark]} times"
                found.violated(which, said)


def _wrong(status: str, times: int, at_most: int, *, settled: bool) -> list[str]:
    """Return what a message violates that stands somewhere, and was taken so many times."""
    legal = SENT if times else UNSENT
    rules = {
        "stuck": status in {"submitting", "queued", "scheduled"},
        "unsettled": settled and status == "uncertain",
        "lost": not times and status not in UNSENT | OPEN,
        "untrue": (bool(times) and status not in legal | OPEN) or times > at_most,
    }
    return [name for name, violated in rules.items() if violated]


def _attempts(found: Findings, row: Mapping[str, Any], attempts: list[dict[str, Any]]) -> None:
    """Judge a message's attempts: at most one is open, and at most one was accepted."""
    mark, status = row["billing_code"], row["status"]
    open_ones = sum(one["ended_at"] is None for one in attempts)
    if open_ones > (status == "submitting"):
        found.violated("open_attempt", f"{mark} is {status} with {open_ones} open")
    if sum(one["outcome"] == "accepted" for one in attempts) > 1:
        found.violated("twice", f"{mark} has two accepted attempts")
    found.figures["fenced"] += sum(str(one["late"]) not in {"None", "null"} for one in attempts)


def _histories(evidence: Evidence, found: Findings) -> None:
    """I6: each history is a path of the table of moves, and nobody writes over a lost lease."""
    for message_id, events in evidence.store.events.items():
        row = evidence.store.messages[message_id]
        mark = row["billing_code"]
        if [one["sequence"] for one in events] != list(range(1, len(events) + 1)):
            found.violated("illegal", f"{mark}: an event is missing")
        applied = [one for one in events if one["applied"]]
        path = [one["status"] for one in applied]
        for previous, one in zip([None, *applied], applied, strict=False):
            standing = previous and previous["status"]
            if one["status"] != standing and one["status"] not in MOVES.get(standing, set()):
                found.violated("illegal", f"{mark} moved from {standing} to {one['status']}")
            if _is_lost(previous) and one["source"] == "provider_response":
                found.violated("unfenced", f"{mark}: a lost claim wrote {one['status']}")
        if path[-1] != row["status"]:
            found.violated("illegal", f"{mark} stands where no event put it")
        found.figures["uncertain"] += "uncertain" in path
        found.figures["settled"] += "uncertain" in path and path[-1] != "uncertain"


def _feeds(evidence: Evidence, found: Findings) -> None:
    """Each client's feed has no gap, and a message's events follow one another in it."""
    feeds: dict[tuple[str, str], list[int]] = defaultdict(list)
    for message_id, events in evidence.store.events.items():
        mark = evidence.store.messages[message_id]["billing_code"]
        positions = [one["position"] for one in events if one["position"] is not None]
        if positions != sorted(positions):
            found.violated("feed_turned", f"{mark} is told in another order than it moved")
        if any(one["position"] is None for one in events[: len(positions)]):
            found.violated("feed_gap", f"{mark} is told without what came first")
        for one in events:
            if one["position"] is not None:
                feeds[str(one["client_id"]), one["mode"]].append(one["position"])
    for (_, mode), told in feeds.items():
        found.figures["published"] += len(told)
        if sorted(told) != list(range(1, len(told) + 1)):
            found.violated("feed_gap", f"the feed of mode {mode} has a gap, or a place twice")


def _is_lost(event: Mapping[str, Any] | None) -> bool:
    """Say whether an event made a message nobody's, because its worker had it for too long."""
    return event is not None and "lease_expired" in str(event["detail"])
