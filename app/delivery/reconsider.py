"""Return the move that a kept code would have been, had its meaning been known when it came."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final
from uuid import UUID

from sqlalchemy import RowMapping

from app.delivery.conclude import Ended, Held, move_of
from app.delivery.gateway import Gateway
from app.delivery.recipients import learnt, overall
from app.domain.identifiers import EVENT, shown
from app.domain.message import Channel
from app.domain.outcome import ByRecipient, Failure, Meant, NoStatus, Report
from app.domain.status import FINAL, Status
from app.store.messages import Move
from app.store.queue import Claim

SOURCE: Final = "replay"
_DETAIL: Final = "message.status_detail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A code that has a meaning by now."""

    provider: str
    function: str
    text: str
    meaning: Meant

    @property
    def key(self) -> tuple[str, str, str]:
        """By what the store knows it."""
        return self.provider, self.function, self.text


def of_message(
    gateway: Gateway, code: Code, row: RowMapping, news: RowMapping | None, attempt_id: UUID | None
) -> Move | None:
    """Return the move of a message; None where what the code would have done is past.

    `news`: the event that brought the code; `attempt_id`: of the message's last call.
    """
    match code.meaning:
        case Report() as report:
            words = row["provider_label"] or report.label
            said = replace(report, label=words, failure=_worded(report.failure, words))
            return of_report(gateway, code, row, said, news)
        case NoStatus():
            return _move(gateway, code, row, news)
        case outcome:
            if row["status"] != Status.UNCERTAIN or attempt_id is None:
                return None
            claim = Claim(row, attempt_id, row["attempt_reference"])
            held = Held(claim=claim, at=gateway.now())
            ended = Ended(held=held, outcome=outcome, function=code.function)
            move = move_of(gateway, ended, gateway.now())
            return replace(
                move, source=SOURCE, detail={**(move.detail or {}), **_detail(code, news)}
            )


def of_report(
    gateway: Gateway, code: Code, row: RowMapping, report: Report, news: RowMapping | None
) -> Move:
    """Return the move of a message that a report means."""
    said = report.of_pages(row["units"], row["pages_sent"])
    move = replace(
        _move(gateway, code, row, news),
        code=said.code,
        label=said.label,
        occurred=news["provider_time"] if news else None,
    )
    if said.status == row["status"]:
        # The status stands; why it failed may be known only now.
        why = {"failure": asdict(said.failure)} if said.failure else {}
        return replace(move, changes=why)
    # A letter may come back after it was delivered: it is asked about on.
    over = said.status in FINAL and row["channel"] != Channel.LETTER
    return replace(
        move,
        to=said.status,
        type=None,
        failure=said.failure,
        changes={"due_at": None} if over else {},
    )


def of_recipients(
    gateway: Gateway, code: Code, rows: Sequence[RowMapping]
) -> tuple[list[dict[str, Any]], Report | None]:
    """Return the changed rows of a message's recipients, and what they make of the message."""
    on_code = [
        row
        for row in rows
        if (row["unmapped_function"], row["unmapped_code"]) == (code.function, code.text)
    ]
    if not isinstance(code.meaning, Report):
        cleared = {"unmapped_code": None, "unmapped_function": None}
        keys = ("message_id", "place")
        return [{**{key: row[key] for key in keys}, **cleared} for row in on_code], None
    changed = []
    for row in on_code:
        words = row["provider_label"] or code.meaning.label
        said = replace(
            code.meaning,
            label=words,
            occurred=row["provider_time"],
            failure=_worded(code.meaning.failure, words),
        )
        changed += learnt([row], ByRecipient({row["address"]: said}), gateway.now())
    by_place = {row["place"]: row for row in changed}
    return changed, overall([by_place.get(row["place"], row) for row in rows])


def _move(gateway: Gateway, code: Code, row: RowMapping, news: RowMapping | None) -> Move:
    """Return a move that leaves the status where it is."""
    return Move(
        message_id=row["id"],
        to=None,
        at=gateway.now(),
        source=SOURCE,
        code=code.text,
        label=row["provider_label"],
        type=_DETAIL,
        evidence=True,
        detail=_detail(code, news),
    )


def _detail(code: Code, news: RowMapping | None) -> Mapping[str, Any]:
    return {"function": code.function, "event": shown(EVENT, news["id"]) if news else None}


def _worded(failure: Failure | None, words: str | None) -> Failure | None:
    return replace(failure, label=words) if failure else None
