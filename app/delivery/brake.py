"""Brake a channel on which too much is uncertain, until that is settled.

It pauses; after a while a message or two may leave all the same, as after an outage: without any
later message of ours, no report could ever prove that one is absent, and the pause would not end.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from app.delivery.conclude import Ended
from app.delivery.gateway import Gateway
from app.domain.message import Channel
from app.domain.outcome import Unclear
from app.domain.standing import Standing, State
from app.domain.twins import is_twin
from app.store import channels, uncertain
from app.store.channels import Name

log = structlog.get_logger()

REASON: Final = "uncertain_brake"
MOST: Final = 20  # uncertain messages of a channel at a provider
MOST_OF: Final[Mapping[str, int]] = {Channel.LETTER.value: 3}
PAUSE: Final = timedelta(minutes=15)


def concerned(ended: Iterable[Ended]) -> set[Name]:
    """Return the channels of calls that ended unclear."""
    return {
        (one.held.claim.row["provider"], one.held.channel.value)
        for one in ended
        if isinstance(one.outcome, Unclear)
    }


async def apply(
    gateway: Gateway, connection: AsyncConnection, names: Collection[Name], now: datetime
) -> None:
    """Pause those channels on which too much is uncertain, after something became so.

    Those of simulated twins go on: nothing there is ever sent twice to anybody, and who tries how
    its service bears what is uncertain would stop the tests of all others.
    """
    for name in sorted(names):
        if is_twin(name[0]) or not await _too_many(connection, name):
            continue
        standing = (await channels.standings(connection, [name], lock=True))[name]
        if standing.state is not State.CLOSED:
            continue  # nothing leaves as it is
        stopped = Standing(
            state=State.STOPPED,
            reason=REASON,
            why="too many messages are uncertain",
            probe_at=now + gateway.timing.pace * PAUSE,
        )
        await channels.write(connection, {name: stopped}, now)
        log.error("channel_stopped", provider=name[0], channel=name[1], reason=REASON)


async def release(gateway: Gateway) -> None:
    """Let channels go on, slowly, of which few enough messages are uncertain by now."""
    async with gateway.database.reading() as connection:
        braked = [
            (row["provider"], row["channel"])
            for row in await channels.every(connection)
            if row["reason"] == REASON
        ]
        free = [name for name in braked if not await _too_many(connection, name)]
    for name in free:
        now = gateway.now()
        async with gateway.database.transaction() as connection:
            standing = (await channels.standings(connection, [name], lock=True))[name]
            if standing.reason != REASON:
                continue
            await channels.write(connection, {name: Standing(width=1)}, now)
        log.info("channel_resumed", provider=name[0], channel=name[1])
        gateway.wake.call(Channel(name[1]))


async def _too_many(connection: AsyncConnection, name: Name) -> bool:
    most = MOST_OF.get(name[1], MOST)
    return await uncertain.count(connection, *name, most) >= most
