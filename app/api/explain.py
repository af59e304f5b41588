"""Explain a message to whoever asks for it on the telephone: sentences in French or English."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request, Response
from pydantic import BaseModel, Field

from app.api import conditional
from app.api.answers import Row
from app.api.conditional import NOT_MODIFIED, IfNoneMatchHeader
from app.api.edge import CallerDep, Edge, EdgeDep
from app.api.languages import language_of
from app.api.seen import visible
from app.domain.explain import Explanation, Facts, Language, Situation, explain
from app.domain.identifiers import MESSAGE, shown
from app.domain.moments import moment
from app.domain.outcome import Failure
from app.domain.status import FINAL, TRACKED, WAITING, Status
from app.store import exchanges

router = APIRouter(prefix="/v1/messages", tags=["follow"])


class ExplanationOut(BaseModel):
    """Where a message stands, in plain sentences."""

    message_id: str
    language: Language
    status: Status
    situation: Situation = Field(description="The status, and what sets the message apart in it")
    reason: str | None = Field(description="The code of what it waits for, or why it failed")
    next_at: datetime | None = Field(description="When the gateway does something for it next")
    means: str = Field(description="What the status means")
    next: str = Field(description="What happens next")
    advice: str = Field(description="What you can do")


@router.get("/{message_id}/explain", response_model=ExplanationOut, responses=NOT_MODIFIED)
async def explain_message(
    message_id: str,
    request: Request,
    edge: EdgeDep,
    caller: CallerDep,
    accept_language: Annotated[
        str | None, Header(description="`fr` or `en`, with qualities; English otherwise")
    ] = None,
    _: IfNoneMatchHeader = None,
) -> Response:
    """Say in French or in English what a message's status means, what comes next, what to do."""
    row = await visible(edge, caller, message_id)
    left = await _may_have_left(edge, row)
    facts, language = _facts(row, edge.gateway.now(), left=left), language_of(accept_language)
    content = _shown(row, facts, explain(facts, language), language)
    headers = {"Content-Language": language.value, "Vary": "Accept-Language"}
    return conditional.answer(request, content, headers)


async def _may_have_left(edge: Edge, row: Row) -> bool:
    """Say whether a provider may have sent a message that expired."""
    if row["status"] != Status.EXPIRED or row["previous_status"] != Status.UNCERTAIN:
        return row["previous_status"] in TRACKED
    async with edge.gateway.database.reading() as connection:
        tried = await exchanges.attempts_of(connection, row["id"])
    return not tried or tried[-1]["outcome"] != "absent"


def _facts(row: Row, now: datetime, *, left: bool) -> Facts:
    status = Status(row["status"])
    blocked = row["blocked_reason"] or (row["channel_reason"] if status in WAITING else None)
    due_at = row["due_at"] if status not in FINAL and blocked is None else None
    return Facts(
        status=status,
        attempts=row["attempts"],
        may_have_left=left,
        blocked_reason=blocked,
        failure=Failure(**row["failure"]) if row["failure"] is not None else None,
        ack_overdue=row["ack_overdue_at"] is not None,
        unmapped_code=row["unmapped_code"],
        next_at=due_at if due_at is not None and due_at > now else None,
    )


def _shown(row: Row, facts: Facts, told: Explanation, language: Language) -> dict[str, Any]:
    return {
        "message_id": shown(MESSAGE, row["id"]),
        "language": language.value,
        "status": facts.status.value,
        "situation": told.situation.value,
        "reason": facts.failure.reason if facts.failure is not None else facts.blocked_reason,
        "next_at": moment(facts.next_at),
        "means": told.means,
        "next": told.follows,
        "advice": told.advice,
    }
