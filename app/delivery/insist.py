"""Insist on writing outcomes down: what a provider answered is not forgotten with the store away."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import structlog

from app.delivery import submit
from app.delivery.conclude import Ended
from app.delivery.gateway import Gateway
from app.delivery.gather import Gathering
from app.store.database import UNAVAILABLE, is_unavailable

log = structlog.get_logger()

AGAIN_AFTER: Final = 1.0  # seconds
RECORDS_FOR: Final = 600.0  # seconds for which an outcome is tried to be written down


class Insisting:
    """Writes down what calls came to; what one call concerns, in one transaction."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._record: Gathering[Sequence[Ended], None] = Gathering(
            lambda calls: submit.record_calls(gateway, calls), is_unavailable
        )

    async def write_down(self, ended: Sequence[Ended]) -> None:
        """Write outcomes down, again and again while the store is away.

        Beyond the lease too: then the fence keeps them from moving anything, and they are evidence.
        """
        loop = asyncio.get_running_loop()
        gives_up = loop.time() + RECORDS_FOR
        while True:
            try:
                await self._record.do(ended)
            except UNAVAILABLE as fault:
                if loop.time() >= gives_up:
                    raise
                log.warning("outcome_waits", calls=len(ended), fault=type(fault).__name__)
                await asyncio.sleep(AGAIN_AFTER * self._gateway.timing.pace)
                ended = [replace(one, again=True) for one in ended]
            else:
                return
