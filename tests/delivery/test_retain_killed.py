"""A worker that is killed while it deletes leaves a message whole, or nothing of it."""

import asyncio
import signal
import sys
from collections.abc import Mapping

import pytest
from sqlalchemy import func, select

from app.delivery import acknowledge, publish
from app.domain.message import Channel
from app.domain.outcome import Accepted
from app.store.tables import acknowledgements, attempts, blobs, events, grants, messages
from tests.delivery.test_hear import brought
from tests.gateways import World, fax

pytestmark = pytest.mark.anyio

DAYS = 100
FAXES = 5
STEP = 3
OF_A_MESSAGE = (messages, attempts, events, grants, acknowledgements)


async def counted(world: World) -> Mapping[str, int]:
    async with world.gateway.database.reading() as connection:
        return {
            one.name: (await connection.execute(select(func.count()).select_from(one))).scalar_one()
            for one in (*OF_A_MESSAGE, blobs)
        }


async def retained(url: str, deletes: int) -> int:
    """Delete in a process of its own that is killed after so many DELETEs; return how it ended."""
    module = "tests.delivery.retains_until_killed"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, url, str(DAYS), str(deletes))
    )
    return await process.wait()


async def test_who_is_killed_while_deleting_leaves_all_of_a_message_or_nothing(
    world: World, database_url: str
) -> None:
    for _ in range(FAXES):
        await world.keep(fax())
    for one in await world.submit(Channel.FAX, *[Accepted(None, "113")] * FAXES):
        await acknowledge.receive(world.gateway, "fax123", brought(one.held.claim.reference))
    while await publish.publish(world.gateway):
        pass
    before = await counted(world)
    assert all(before.values())

    deletes, seen = STEP, []
    while await retained(database_url, deletes) == -signal.SIGKILL:
        seen.append(await counted(world))
        deletes += STEP

    # Killed among a message's rows; after them, before the file's commit; at last nobody.
    gone = dict.fromkeys(before, 0)
    assert seen[0] == before
    assert all(one in (before, {**gone, "blobs": before["blobs"]}) for one in seen)
    assert await counted(world) == gone
