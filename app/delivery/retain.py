"""Delete what is older than it is kept: messages with all that is theirs, files, and keys.

Some rows at a time, by whichever worker has the turn, and half of the time at most: deleting must
not be felt by who sends. What was begun and not committed is done by the next one.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final

import structlog

from app.delivery.forget import Forgetting
from app.delivery.gateway import Gateway
from app.store import retention
from app.store.documents import USED_WITHIN

log = structlog.get_logger()

MOST: Final = 200  # messages in one transaction
MOST_FILES: Final = 20  # files in one transaction
MOST_STANDING: Final = (
    20_000  # old messages with files that still stand: beyond, no file is deleted
)
ROUND: Final = timedelta(hours=1)  # from the end of one walk to the next
SELDOM: Final = timedelta(days=1)  # the same, of keys where no message is ever deleted
LOOK: Final = 60.0  # seconds between looks whether a turn is due


class Retaining:
    """The lane that deletes."""

    def __init__(self, gateway: Gateway, rest: Callable[[float], Awaitable[None]]) -> None:
        self._gateway = gateway
        self._rest = rest
        self._forgetting = Forgetting(gateway)
        self._keys_due: datetime | None = None

    async def step(self) -> None:
        """Delete some of what is due, and rest as long as that took; where nothing is, longer."""
        began = self._gateway.now()
        kept = self._gateway.timing.kept
        more = False
        if kept is not None:
            more = await delete_messages(self._gateway, kept)
            more |= await delete_files(self._gateway, kept)
        more |= await self._forget_keys(began)
        took = (self._gateway.now() - began).total_seconds()
        await self._rest(max(took, 0.0) if more else LOOK)

    async def _forget_keys(self, now: datetime) -> bool:
        """Look at the next old keys, where a walk through them is due; say whether there are more."""
        if self._keys_due is not None and now < self._keys_due:
            return False
        more = await self._forgetting.step()
        pause = ROUND if self._gateway.timing.kept is not None else SELDOM
        self._keys_due = None if more else now + pause
        return more


async def delete_messages(gateway: Gateway, kept: timedelta) -> bool:
    """Delete some messages that are over for so long; say whether there may be more now."""
    now = gateway.now()
    async with gateway.database.transaction() as connection:
        turn = await retention.turn(connection, retention.MESSAGES, now)
        if turn is None:
            return False
        walked = await retention.walk(connection, turn["after"], now - kept, MOST)
        if walked.last is None:
            await retention.delete_besides(connection, now - kept, MOST)
        due_at = now if walked.last is not None else now + ROUND
        await retention.leave(connection, retention.MESSAGES, after=walked.last, due_at=due_at)
    if walked.deleted:
        log.info("messages_deleted", messages=walked.deleted)
    return walked.last is not None


async def delete_files(gateway: Gateway, kept: timedelta) -> bool:
    """Delete some files that no message has any more; say whether there may be more now."""
    now = gateway.now()
    before = now - kept
    async with gateway.database.transaction() as connection:
        if await retention.turn(connection, retention.FILES, now) is None:
            return False
        standing = await retention.files_of_standing(connection, before, MOST_STANDING)
        gone, more = 0, False
        if standing is None:
            log.warning("files_not_deleted", why="too many old messages that are not over")
        else:
            # It is known to within a day when bytes were last used.
            gone, more = await retention.delete_files(
                connection, before - USED_WITHIN, standing, now=now, most=MOST_FILES
            )
        due_at = now if more else now + ROUND
        await retention.leave(connection, retention.FILES, after=None, due_at=due_at)
    if gone:
        log.info("files_deleted", files=gone)
    return more
