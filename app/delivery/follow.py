"""Follow feeds: whoever waits at one is woken when it goes on; one look serves all who wait."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from app.delivery.gateway import Gateway
from app.delivery.publish import look
from app.store.feed import Feed

OFTEN: Final = 0.05  # seconds between two looks, at least
SELDOM: Final = 0.25  # seconds between two looks while this process publishes nothing

_Woken = asyncio.Future[None]


class Followers:
    """Who waits for which feed to go on, in this process."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._waiting: dict[Feed, dict[_Woken, int]] = defaultdict(dict)
        self._looking: asyncio.Task[None] | None = None

    @property
    def waiting_now(self) -> int:
        """How many wait."""
        return sum(len(those) for those in self._waiting.values())

    @asynccontextmanager
    async def waiting(self, feed: Feed, position: int) -> AsyncIterator[_Woken]:
        """Give a future that is done when a feed goes beyond a position, or cannot be looked at."""
        woken: _Woken = asyncio.get_running_loop().create_future()
        self._waiting[feed][woken] = position
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        try:
            yield woken
        finally:
            self._forget(feed, woken)

    async def _look(self) -> None:
        """Look until nobody waits any more."""
        while self._waiting:
            coming = asyncio.create_task(self._gateway.news.wait())
            try:
                await self._look_once(list(self._waiting))
                await asyncio.sleep(OFTEN)
                await asyncio.wait([coming], timeout=SELDOM - OFTEN)
            finally:
                coming.cancel()

    async def _look_once(self, wanted: list[Feed]) -> None:
        (found,) = await asyncio.gather(look(self._gateway, wanted), return_exceptions=True)
        for place, feed in enumerate(wanted):
            for woken, position in list(self._waiting.get(feed, {}).items()):
                if woken.done():
                    continue
                if isinstance(found, BaseException):
                    woken.set_exception(found)
                elif found[place].position > position:
                    woken.set_result(None)

    def _forget(self, feed: Feed, woken: _Woken) -> None:
        waiting = self._waiting[feed]
        waiting.pop(woken, None)
        if not waiting:
            del self._waiting[feed]
        if woken.done() and not woken.cancelled():
            woken.exception()  # whoever waited may have left before it
