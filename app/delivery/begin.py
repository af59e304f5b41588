"""Begin: have every provider learn what it needs, as far as it can be had now."""

import asyncio
from contextlib import suppress
from typing import Final

from app.delivery.gateway import Gateway
from app.domain.twins import is_twin

TWIN_STARTS: Final = 2.0  # seconds: no simulator holds up the start of what is live


async def begin(gateway: Gateway) -> None:
    """Start every provider; a simulated twin that takes long is waited for by who needs it."""
    for name, provider in gateway.providers.items():
        with suppress(TimeoutError):
            async with asyncio.timeout(TWIN_STARTS if is_twin(name) else None):
                await provider.start()
