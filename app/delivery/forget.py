"""Forget Idempotency-Keys whose time is over, and never before what they made is gone."""

from datetime import datetime
from typing import Final

import structlog

from app.delivery.gateway import Gateway
from app.store import idempotency
from app.store.idempotency import Named

log = structlog.get_logger()

EVERY: Final = 3600.0  # seconds between two walks through the keys
MOST: Final = 500  # keys in one transaction


class Forgetting:
    """Walks through the keys that are old enough, from the oldest on, some at a time."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._after: tuple[datetime, Named] | None = None

    async def step(self) -> bool:
        """Look at the next keys; say whether there are more."""
        gateway = self._gateway
        before = gateway.now() - gateway.timing.keys_kept
        async with gateway.database.transaction() as connection:
            walked = await idempotency.forget(connection, before, self._after, MOST)
        self._after = walked.last
        if walked.forgotten:
            log.info("keys_forgotten", keys=walked.forgotten)
        return walked.last is not None
