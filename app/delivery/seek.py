"""Look for work: one read in a while tells each of a worker's lanes that something is due for it.

If each lane looked for itself, an idle worker would begin dozens of transactions a second in vain.
What this process takes in itself wakes its lane at once; others' messages are found by the look.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from app.delivery.gateway import Gateway
from app.domain.message import Channel
from app.store import looks

AT_LEAST: Final = 10  # looks, after which a lane tries whatever was seen


class Seeking:
    """Tells lanes, by the names of `store/looks.py`, that they have work."""

    def __init__(self, gateway: Gateway, rest: Callable[[float], Awaitable[None]]) -> None:
        self._gateway = gateway
        self._rest = rest
        self._told: dict[tuple[str, bool], asyncio.Event] = {}
        self._ended = False

    async def step(self) -> None:
        """Look once, wake whoever has work, and rest."""
        gateway = self._gateway
        async with gateway.database.reading() as connection:
            due = await looks.due(connection, gateway.now())
        for name in due & set(Channel):
            gateway.wake.call(Channel(name))
        for (name, _), told in self._told.items():
            if name in due:
                told.set()
        await self._rest(gateway.timing.idle * (0.5 + gateway.random()))

    async def wait(self, name: str, *, twins: bool = False) -> None:
        """Return when a lane has work, or after a while."""
        told = self._told.setdefault((name, twins), asyncio.Event())
        if self._ended:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(self.patience):
                await told.wait()
        told.clear()

    @property
    def patience(self) -> float:
        """Seconds after which a lane tries, whatever was seen."""
        return self._gateway.timing.idle * AT_LEAST

    def end(self) -> None:
        """Let nobody wait any more."""
        self._ended = True
        for told in self._told.values():
            told.set()
