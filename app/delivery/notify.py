"""Tell clients what happened: deliveries that are due are posted, and what came of it is kept.

At least once: a delivery whose worker died is posted again when its lease is over, under the same
`webhook-id`. No transaction is open while a receiver is waited for, and none takes the place of
another: see `share.py`.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import RowMapping

from app.delivery import sign, tell
from app.delivery.fault_points import Point
from app.delivery.gateway import Gateway
from app.delivery.gather import Gathering
from app.delivery.mark import Held, Tried, record
from app.delivery.post import Posted, Webhooks
from app.delivery.seal import SealBroken
from app.delivery.share import Shares
from app.domain.identifiers import EVENT, shown
from app.domain.webhooks import Missed
from app.store import deliveries
from app.store.database import is_unavailable

KEPT_FOR: Final = timedelta(days=30)  # of a delivery, after it was made
FORGETS: Final = 500  # deliveries in one transaction
FORGETS_EVERY: Final = 60.0  # seconds
_LEASE: Final = 4  # times the longest try


class Notifying:
    """Posts what is due, within the bounds of this worker."""

    def __init__(
        self,
        gateway: Gateway,
        begin: Callable[[Coroutine[Any, Any, None]], None],
        rest: Callable[[float], Awaitable[None]],
    ) -> None:
        assert gateway.webhooks is not None
        self._gateway = gateway
        self._webhooks = gateway.webhooks
        self._begin = begin
        self._rest = rest
        self._ended = asyncio.Event()
        self._shares = Shares()
        self._record: Gathering[Tried, None] = Gathering(
            lambda tried: record(gateway, tried), is_unavailable
        )

    async def step(self) -> None:
        """Begin what is due; where nothing is, rest until there may be room or work."""
        self._ended.clear()
        seconds = self._gateway.timing.idle * (0.5 + self._gateway.random())
        # From before the look on: what is published meanwhile is no news that nobody heard.
        wakes = [
            asyncio.ensure_future(one)
            for one in (self._gateway.tellings.wait(), self._ended.wait(), self._rest(seconds))
        ]
        try:
            held = await self.claim()
            for one in held:
                self._begin(self.deliver(one))
            if not held:
                await asyncio.wait(wakes, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wake in wakes:
                wake.cancel()

    async def forget(self) -> None:
        """Delete a few of the deliveries that are older than they are kept."""
        before = self._gateway.now() - KEPT_FOR
        async with self._gateway.database.transaction() as connection:
            forgotten = await deliveries.forget(connection, before, FORGETS)
        if forgotten < FORGETS:
            await self._rest(FORGETS_EVERY)

    async def claim(self) -> Sequence[Held]:
        """Take deliveries that are due, of each endpoint its share."""
        gateway, now = self._gateway, self._gateway.now()
        room = self._shares.room
        if not room:
            return []
        async with gateway.database.reading() as connection:
            endpoints = await deliveries.due(connection, now, room, *self._shares.full)
        shares = self._shares.divide(endpoints)
        if not shares:
            return []
        lease = min(gateway.timing.lease, self._webhooks.timeout * _LEASE)
        by_id = {endpoint["id"]: endpoint for endpoint in endpoints}
        async with gateway.database.transaction() as connection:
            rows = [
                row
                for endpoint_id, share in shares.items()
                for row in await deliveries.claim(
                    connection, endpoint_id, now=now, lease=lease, limit=share
                )
            ]
        async with gateway.database.reading() as connection:
            told = await deliveries.told(connection, rows)
        held = [Held(by_id[row["endpoint_id"]], row, told.get(row["event_id"])) for row in rows]
        for one in held:
            self._shares.begun(one.endpoint)
        return held

    async def deliver(self, held: Held) -> None:
        """Post one delivery, and write down what came of it."""
        try:
            at = self._gateway.now()
            posted = await self._post(held, at)
            await self._gateway.fault_points.reached(Point.NOTIFIED)
            await self._record.do(Tried(held, at, posted))
        finally:
            self._shares.ended(held.endpoint)
            self._ended.set()

    async def _post(self, held: Held, at: datetime) -> Posted:
        body = _body(held)
        if body is None:
            return Posted(Missed("event_gone"), 0)
        try:
            secrets = secrets_of(self._webhooks, held.endpoint, at)
        except SealBroken:
            return Posted(Missed("secret_unreadable"), 0)
        headers = sign.headers(webhook_id(held.row), at, body, secrets)
        return await self._webhooks.poster.post(held.endpoint["url"], body, headers)


def webhook_id(row: RowMapping) -> str:
    """Return what a receiver knows a delivery by: its event's id, or a ping's own."""
    return shown(EVENT, row["event_id"] or row["id"])


def secrets_of(webhooks: Webhooks, endpoint: RowMapping, now: datetime) -> list[str]:
    """Return the secrets that sign now, the newest first; raises SealBroken."""
    secrets = [webhooks.seal.open(endpoint["secret"], endpoint["id"])]
    if endpoint["previous_until"] is not None and endpoint["previous_until"] > now:
        secrets.append(webhooks.seal.open(endpoint["previous_secret"], endpoint["id"]))
    return secrets


def _body(held: Held) -> bytes | None:
    """Return what is posted; the same each time, None where the event is gone."""
    if held.row["payload"] is not None:
        text: str = held.row["payload"]
        return text.encode()
    if held.told is None:
        return None
    return written(tell.told(*held.told)).encode()


def written(content: dict[str, Any]) -> str:
    """Return a webhook's body."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))
