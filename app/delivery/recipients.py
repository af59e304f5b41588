"""Learn what became of each recipient of one message, and what that makes of the message."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import RowMapping

from app.domain.outcome import ByRecipient, Failure, Report
from app.domain.status import FINAL, NEXT, Status

SEVERAL: Final = "several"  # instead of a code, where recipients have different ones


def learnt(rows: Sequence[RowMapping], found: ByRecipient, now: datetime) -> list[dict[str, Any]]:
    """Return the recipients' rows after what their provider said; those that stay are left out."""
    changed = []
    for row in rows:
        finding = found.findings.get(row["address"])
        if not isinstance(finding, Report) or _is_known(row, finding):
            continue
        status = _following(row, finding)
        changed.append(
            {
                "message_id": row["message_id"],
                "place": row["place"],
                "status": status.value,
                "status_at": now if status != row["status"] else row["status_at"],
                "failure": asdict(finding.failure) if finding.failure else row["failure"],
                "provider_code": finding.code,
                "provider_label": finding.label,
                "provider_time": finding.occurred,
                "unmapped_code": finding.code if finding.unmapped_in else None,
                "unmapped_function": finding.unmapped_in,
            }
        )
    return changed


def _is_known(row: RowMapping, report: Report) -> bool:
    """Say whether a report is no news: a repeated code is, unless it has a meaning only now."""
    has_meaning_now = row["unmapped_code"] is not None and report.unmapped_in is None
    return report.code == row["provider_code"] and not has_meaning_now


def _following(row: RowMapping, report: Report) -> Status:
    """Return a recipient's status after a report; one that the table of moves forbids changes none."""
    standing = Status(row["status"])
    if report.status is None or report.status not in NEXT[standing]:
        return standing
    return report.status


def overall(rows: Sequence[RowMapping | dict[str, Any]]) -> Report:
    """Return what the statuses of all recipients say of their message.

    It has arrived when everybody has it, and partially when nothing is open and somebody has it.
    """
    statuses = [Status(row["status"]) for row in rows]
    arrived = statuses.count(Status.DELIVERED)
    codes = {row["provider_code"] for row in rows}
    report = Report(
        code=codes.pop() if len(codes) == 1 else SEVERAL,
        status=_overall(statuses),
        label=f"{arrived} of {len(rows)} delivered",
    )
    first = next((row["failure"] for row in rows if row["failure"]), None)
    if report.status is Status.FAILED and first is not None:
        return replace(report, failure=Failure(**first))
    return report


def _overall(statuses: Sequence[Status]) -> Status:
    if not all(one in FINAL for one in statuses):
        moving = any(one is not Status.SUBMITTED for one in statuses)
        return Status.SENT if moving else Status.SUBMITTED
    if all(one is Status.DELIVERED for one in statuses):
        return Status.DELIVERED
    return Status.PARTIALLY_DELIVERED if Status.DELIVERED in statuses else Status.FAILED
