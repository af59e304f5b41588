"""Reports: ask a provider for its file, keep it byte for byte, and say why where there is none.

The function only reads. So it is asked again after every doubt, and after a worker's death.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple

import structlog
from sqlalchemy import RowMapping

from app.delivery import carry, retry
from app.delivery.gateway import Gateway
from app.domain.identifiers import REPORT, shown
from app.domain.outcome import (
    Blocked,
    Consulted,
    Denied,
    Failure,
    Told,
    Unclear,
    Unreached,
    Wrong,
)
from app.store import documents, reports

log = structlog.get_logger()

MOST_UNCLEAR: Final = 8  # calls; an answer that stays unreadable will not mend itself
GIVES_UP: Final = timedelta(hours=24)  # after the request, where the provider cannot be asked


class Asks(NamedTuple):
    """Which provider makes a kind of report, and by which function."""

    provider: str
    function: str


KINDS: Final[Mapping[str, Asks]] = {"provider_efidem": Asks("efidem", "RAPPORT")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A report in a worker's hands, and what its provider answered."""

    row: RowMapping
    consulted: Consulted


async def claim(gateway: Gateway, limit: int) -> Sequence[RowMapping]:
    """Take reports that are due."""
    async with gateway.database.transaction() as connection:
        return await reports.claim(
            connection, now=gateway.now(), lease=gateway.timing.lease, limit=limit
        )


async def make(gateway: Gateway, row: RowMapping) -> Made:
    """Ask a provider for one report; no transaction is open meanwhile."""
    if row["attempts"] > retry.MOST_ATTEMPTS:
        # None of them was written down: each time, the worker died of it.
        return Made(row=row, consulted=Unclear("no worker lived to the end of it"))
    asks = KINDS[row["kind"]]
    values = {
        "DATE_DEBUT": date.fromisoformat(row["first_day"]),
        "DATE_FIN": date.fromisoformat(row["last_day"]),
    }
    desk = carry.carrier(gateway, asks.provider, row["mode"])
    if desk is None:
        why = "a report of a test key is made by a simulator, and there is none"
        return Made(row=row, consulted=Blocked("mode_not_allowed", why, stops=False))
    return Made(row=row, consulted=await gateway.desks[desk].consult(asks.function, values))


async def record(gateway: Gateway, made: Made) -> None:
    """Write down what came of it: the file, the failure, or when to ask again."""
    now = gateway.now()
    content = _content(made.consulted)
    async with gateway.database.transaction() as connection:
        if content is not None:
            digest = documents.digest(content)
            await documents.keep(connection, {digest: content}, now)
            columns = _ended(now, status="ready", sha256=digest, size=len(content), failure=None)
        else:
            columns = _without_file(gateway, made, now)
        written = await reports.end(connection, made.row, **columns)
    log.info(
        "report",
        report_id=shown(REPORT, made.row["id"]),
        outcome=type(made.consulted).__name__.casefold(),
        status=columns["status"],
        reason=(columns["failure"] or {}).get("reason"),
        why=getattr(made.consulted, "why", None),
        written=written,
    )


def _content(consulted: Consulted) -> bytes | None:
    match consulted:
        case Told(bytes() as content):
            return content
        case Told(str() as text):
            return text.encode()
        case _:
            return None


def _without_file(gateway: Gateway, made: Made, now: datetime) -> dict[str, Any]:
    failure = _failure(made.consulted)
    wait = _wait(gateway, made, now)
    said = asdict(failure)
    if wait is None:
        return _ended(now, status="failed", failure=said)
    # Only calls that reached the provider are counted: of those, few may be unclear.
    less = 1 if isinstance(made.consulted, Blocked | Unreached) else 0
    return {
        "status": "queued",
        "due_at": now + wait * gateway.timing.pace,
        "attempts": made.row["attempts"] - less,
        "failure": said,
    }


def _ended(now: datetime, **columns: object) -> dict[str, Any]:
    return {"due_at": None, "ended_at": now, **columns}


def _wait(gateway: Gateway, made: Made, now: datetime) -> timedelta | None:
    """Return how long to wait before the provider is asked again, None where it is not."""
    attempts: int = made.row["attempts"]
    age: timedelta = now - made.row["created_at"]
    match made.consulted:
        case Blocked() if age < GIVES_UP:
            return retry.BLOCKED_PAUSE
        case Unreached() if age < GIVES_UP:
            # As long again as it has waited: an exponential backoff.
            ceiling = min(max(age, retry.FIRST_PAUSE), retry.LONGEST_PAUSE)
            return ceiling * (0.5 + gateway.random() / 2)
        case Unclear() if attempts < MOST_UNCLEAR:
            return retry.pause(attempts, gateway.random)
        case _:
            return None


def _failure(consulted: Consulted) -> Failure:
    """Return why there is no file (yet)."""
    match consulted:
        case Wrong(code, words, reason):
            return _because("permanent", reason, code, words)
        case Denied(code, words):
            return _because("permanent", "report_denied", code, words)
        case Blocked(reason=reason, code=code, words=words):
            return _because("technical", reason, code, words)
        case Unreached():
            return _because("temporary", "provider_unavailable", None, None)
        case Unclear(raw=raw):
            return _because("technical", "provider_protocol_error", raw, None)
        case Told():
            return _because("unknown", "unmapped", None, None)


def _because(kind: str, reason: str, code: str | None, words: str | None) -> Failure:
    return Failure(
        type=kind,
        reason=reason,
        retryable=kind != "permanent",
        provider_code=code or None,
        label=words or None,
    )
