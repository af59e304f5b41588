"""Load the bytes of files that calls hand over; those of the last calls are still at hand.

Messages that were sent to many carry the same file: it is read once, and not for each of them.
"""

import asyncio
from collections.abc import Collection
from typing import Final

from app.store import documents
from app.store.database import Database

AT_HAND: Final = 16_777_216  # bytes that stay at hand, at most
AT_ONCE: Final = 2  # messages whose files are read: more would hold the event loop up


class Loading:
    """Reads files from the store, and keeps those that were wanted last."""

    def __init__(self) -> None:
        self._at_hand: dict[str, bytes] = {}  # by SHA-256; the one that was wanted last is last
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def load(self, database: Database, digests: Collection[str]) -> dict[str, bytes]:
        """Return the bytes behind digests."""
        async with self._turns:
            found = {one: self._at_hand.pop(one) for one in digests if one in self._at_hand}
            missing = [one for one in digests if one not in found]
            if missing:
                found |= await documents.load_at_once(database, missing)
        self._at_hand |= found
        self._let_go()
        return found

    def _let_go(self) -> None:
        held = sum(map(len, self._at_hand.values()))
        while held > AT_HAND:
            first = next(iter(self._at_hand))
            held -= len(self._at_hand.pop(first))
