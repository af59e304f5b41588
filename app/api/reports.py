"""Reports: asked for here, made by the worker, and read back as the provider wrote them."""

import json
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy import RowMapping

from app.api import bodies
from app.api.access import Caller
from app.api.answers import Row
from app.api.bodies import failed
from app.api.consulting import DESK, may_consult
from app.api.edge import (
    CallerDep,
    Edge,
    EdgeDep,
    IdempotencyKeyHeader,
    first_answer,
    key_of,
    take_in,
)
from app.api.openapi import takes
from app.api.tool_shapes import ReportIn, ReportOut, ReportRowsOut
from app.delivery.accept import Answer, Arrival
from app.domain.errors import (
    FieldError,
    NotFound,
    ReportFailed,
    ReportNotReady,
    ReportUnreadable,
)
from app.domain.identifiers import REPORT, read, shown
from app.domain.message import masked_address
from app.domain.moments import moment
from app.store import documents, reports

router = APIRouter(prefix="/v1/reports", tags=["reports"])

SCOPE: Final = "reports:read"
LARGEST: Final = 65_536  # bytes of a body
LONGEST: Final = timedelta(days=366)
# The first zone to see a day is this far ahead of UTC: a later day is the future everywhere.
_EARLIEST_ZONE: Final = timedelta(hours=14)
_SHORT: Final = 8  # characters of a recipient of which a part would tell the rest
_HEADERS: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


@router.post("", status_code=202, response_model=ReportOut, openapi_extra=takes(ReportIn))
async def create_report(
    request: Request,
    edge: EdgeDep,
    caller: CallerDep,
    idempotency_key: IdempotencyKeyHeader = None,
) -> Response:
    """Ask a provider for its report of some days; both belong to it."""
    may_consult(edge, caller, SCOPE)
    value = await bodies.read_json(request, LARGEST)
    key = key_of(edge, caller, idempotency_key, request, value)
    answer = await first_answer(edge, key)
    if answer is None:
        row = _row(edge, caller, bodies.validated(ReportIn, value))
        answer = Answer(
            status=202,
            location=_location(row),
            body=json.dumps(_public(row), ensure_ascii=False),
        )
        arrival = Arrival(object_id=row["id"], answer=answer, key=key, report=row)
        answer = await take_in(edge, arrival)
    headers = {"Location": answer.location}
    if answer.replayed:
        headers["Idempotency-Replayed"] = "true"
    return Response(answer.body, answer.status, headers, media_type="application/json")


@router.get("/{report_id}", response_model=ReportOut)
async def get_report(report_id: str, edge: EdgeDep, caller: CallerDep) -> Response:
    """Return how far a report is."""
    return JSONResponse(_public(await _found(edge, caller, report_id)))


@router.get(
    "/{report_id}/file",
    response_class=Response,
    responses={200: {"content": {"text/csv": {}, "application/octet-stream": {}}}},
)
async def get_report_file(report_id: str, edge: EdgeDep, caller: CallerDep) -> Response:
    """Return a report's file, byte for byte as the provider made it."""
    row = await _found(edge, caller, report_id)
    content = await _content(edge, row)
    name = f"{row['kind']}-{row['first_day']}-{row['last_day']}"
    # A text of tables holds no zero byte; in which encoding it is, the provider does not say.
    kind, ending = ("application/octet-stream", "bin") if b"\0" in content else ("text/csv", "csv")
    headers = {**_HEADERS, "Content-Disposition": f'attachment; filename="{name}.{ending}"'}
    # As a header: a `media_type` of text would get the charset of a text that we wrote.
    return Response(content, headers={**headers, "Content-Type": kind})


@router.get("/{report_id}/rows", response_model=ReportRowsOut)
async def list_report_rows(
    report_id: str,
    edge: EdgeDep,
    caller: CallerDep,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    cursor: Annotated[str, Query(pattern=r"^[0-9]{1,7}$")] = "0",
) -> Response:
    """Return a report's rows by our names, page by page, where its columns are configured."""
    row = await _found(edge, caller, report_id)
    content = await _content(edge, row)
    desk = edge.access.carrier(caller, DESK)
    try:
        found = await edge.gateway.desks[desk].read_report(content)
    except ValueError as why:
        raise ReportUnreadable(f"The report is not as its columns are configured: {why}.") from None
    if found is None:
        raise ReportUnreadable(
            "Nobody has said what the report's columns are: the operator writes them under [report]"
            " in the file that MULTICANAL_EFIDEM_BINDINGS names. The file can be had as it is."
        )
    begin = int(cursor)
    page = [
        {"row": number, **_masked(one)}
        for number, one in enumerate(found[begin : begin + limit], begin + 1)
    ]
    more = begin + limit < len(found)
    following = str(begin + limit) if more else None
    return JSONResponse(
        {"data": page, "has_more": more, "next_cursor": following}, headers=_HEADERS
    )


def _row(edge: Edge, caller: Caller, body: ReportIn) -> dict[str, Any]:
    now = edge.gateway.now()
    _check(body.from_, body.to, (now + _EARLIEST_ZONE).date())
    return {
        "id": edge.gateway.ids.new(),
        "client_id": caller.client_id,
        "mode": caller.mode,
        "kind": body.kind,
        "first_day": body.from_.isoformat(),
        "last_day": body.to.isoformat(),
        "status": "queued",
        "created_at": now,
        "due_at": now,
        "attempts": 0,
    }


def _check(first: date, last: date, today: date) -> None:
    """Refuse days that make no range, or one that no report can be of."""
    if last < first:
        raise failed([FieldError("/to", "too_early", "The last day comes before the first.")])
    if last - first >= LONGEST:
        raise failed([FieldError("/to", "too_long", "Ask for a year at most.")])
    if last > today:
        raise failed([FieldError("/to", "in_the_future", "This day has not begun anywhere.")])


async def _found(edge: Edge, caller: Caller, text: str) -> RowMapping:
    caller.may(SCOPE)
    report_id = read(REPORT, text)
    if report_id is None:
        raise NotFound
    async with edge.gateway.database.reading() as connection:
        row = await reports.find(connection, report_id, caller.client_id, caller.mode)
    if row is None:
        raise NotFound
    return row


async def _content(edge: Edge, row: RowMapping) -> bytes:
    if row["status"] == "failed":
        raise ReportFailed
    if row["sha256"] is None:
        raise ReportNotReady
    async with edge.gateway.database.reading() as connection:
        return (await documents.load(connection, [row["sha256"]]))[row["sha256"]]


def _location(row: Row) -> str:
    return f"/v1/reports/{shown(REPORT, row['id'])}"


def _public(row: Row) -> dict[str, Any]:
    """Return a report row as its public object. A new row lacks columns that are still null."""
    waits = row.get("due_at") if row["status"] == "queued" else None
    return {
        "id": shown(REPORT, row["id"]),
        "object": "report",
        "kind": row["kind"],
        "mode": row["mode"],
        "from": row["first_day"],
        "to": row["last_day"],
        "status": row["status"],
        "attempts": row["attempts"],
        **{name: row.get(name) for name in ("failure", "size", "sha256")},
        "created_at": moment(row["created_at"]),
        "next_attempt_at": moment(waits),
        "ended_at": moment(row.get("ended_at")),
        "links": {
            "self": _location(row),
            "file": f"{_location(row)}/file",
            "rows": f"{_location(row)}/rows",
        },
    }


def _masked(found: Mapping[str, str]) -> dict[str, Any]:
    """Return a row whose recipient a reader may recognise and a stranger cannot use."""
    if "recipient" not in found:
        return dict(found)
    text = found["recipient"]
    if "@" in text:
        masked = masked_address(text)
    elif len(text) > _SHORT:
        masked = f"{text[:4]}****{text[-4:]}"
    else:
        masked = f"{text[:1]}***"
    return {**found, "recipient": {"masked": masked}}
