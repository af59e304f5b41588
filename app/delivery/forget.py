"""Forget Idempotency-Keys whose time is over, and never before what they made is gone."""

from datetime import datetime, timedelta
from typing import Final

import structlog

from app.delivery.gateway import Gateway
from app.store import idempotency
from app.store.idempotency import Named

log = structlog.get_logger()

MOST: Final = 500  # keys in one transaction


class Forgetting:
    """Walks through the keys that are old enough, from the oldest on, some at a time."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._after: tuple[datetime, Named] | None = None

    async def step(self) -> bool:
        """Look at the next keys; say whether there are more."""
        gateway = self._gateway
        # No key is forgotten before its message is deleted: those need not be looked at.
        kept = max(gateway.timing.keys_kept, gateway.timing.kept or timedelta())
        before = gateway.now() - kept
        async with gateway.database.transaction() as connection:
            walked = await idempotency.forget(connection, before, self._after, MOST)
        self._after = walked.last
        if walked.forgotten:
            log.info("keys_forgotten", keys=walked.forgotten)
        return walked.last is not None
