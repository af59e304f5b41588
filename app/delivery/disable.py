"""Disable the endpoints that take nothing: at once where they say so, or after days of failures."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from app.delivery.gateway import Gateway
from app.domain.identifiers import CLIENT, ENDPOINT, shown
from app.domain.moments import moment
from app.domain.webhooks import (
    DISABLED_EVENT,
    DISABLES_AFTER,
    FAILING,
    FAILING_EVENT,
    GONE,
    PERSISTS,
    TELLS_AFTER,
    Gone,
    Outcome,
    Taken,
)
from app.store import events, webhooks

log = structlog.get_logger()

Result = tuple[RowMapping, RowMapping, Outcome]  # endpoint and delivery as claimed, and its try


async def judge(
    connection: AsyncConnection, gateway: Gateway, results: Sequence[Result], now: datetime
) -> None:
    """Write what tries mean for their endpoints, before anything of the deliveries is written."""
    of: defaultdict[UUID, list[Result]] = defaultdict(list)
    for one in results:
        of[one[0]["id"]].append(one)
    # An endpoint that works, as it did, is not touched.
    changed = [
        endpoint_id
        for endpoint_id, mine in of.items()
        if not all(isinstance(outcome, Taken) for _, _, outcome in mine)
        or any(endpoint["failing_since"] is not None for endpoint, _, _ in mine)
    ]
    if not changed:
        return
    for endpoint in await webhooks.held(connection, changed):
        await _judge(connection, gateway, endpoint, of[endpoint["id"]], now)


async def _judge(
    connection: AsyncConnection,
    gateway: Gateway,
    endpoint: RowMapping,
    results: Sequence[Result],
    now: datetime,
) -> None:
    # A try from before the endpoint was moved or enabled says nothing of it as it is now.
    results = [one for one in results if one[0]["changed_at"] == endpoint["changed_at"]]
    outcomes = [outcome for _, _, outcome in results]
    if not outcomes:
        return
    if any(isinstance(one, Gone) for one in outcomes):
        await _disable(connection, gateway, endpoint, GONE, now)
        return
    if any(isinstance(one, Taken) for one in outcomes):
        await webhooks.works(connection, [endpoint["id"]])
        return
    since = endpoint["failing_since"]
    if since is None:
        await webhooks.fails(connection, endpoint["id"], since=now)
        return
    pace = gateway.timing.pace
    # A receiver that was away once, had nothing to take since, and is away for a moment now, mends.
    persists = any(
        row["attempts"] > 1 and now - row["created_at"] >= PERSISTS * pace for _, row, _ in results
    )
    if persists and now - since >= DISABLES_AFTER * pace:
        await _disable(connection, gateway, endpoint, FAILING, now)
    elif persists and now - since >= TELLS_AFTER * pace and endpoint["failing_told_at"] is None:
        await webhooks.fails(connection, endpoint["id"], since=since, told_at=now)
        await _say(connection, gateway, endpoint, FAILING_EVENT, FAILING, now)


async def _disable(
    connection: AsyncConnection,
    gateway: Gateway,
    endpoint: RowMapping,
    reason: str,
    now: datetime,
) -> None:
    """Stop an endpoint; what waits for it stays, and goes on if it is enabled again."""
    if not endpoint["enabled"] or endpoint["deleted_at"] is not None:
        return
    await webhooks.change(connection, endpoint["id"], now, enabled=False, disabled_reason=reason)
    await _say(connection, gateway, endpoint, DISABLED_EVENT, reason, now)
    log.warning(
        "webhook_endpoint_disabled",
        client=shown(CLIENT, endpoint["client_id"]),
        endpoint_id=shown(ENDPOINT, endpoint["id"]),
        reason=reason,
    )


async def _say(
    connection: AsyncConnection,
    gateway: Gateway,
    endpoint: RowMapping,
    kind: str,
    reason: str,
    now: datetime,
) -> None:
    """Write the event that tells the client, in its feed and at its other endpoints."""
    detail = {
        "endpoint_id": shown(ENDPOINT, endpoint["id"]),
        "reason": reason,
        "failing_since": moment(endpoint["failing_since"]),
    }
    await events.add(connection, gateway.ids, endpoint, kind, now, detail)
