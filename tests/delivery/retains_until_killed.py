"""A process that deletes what is old, and is gone after so many DELETEs: `URL DAYS DELETES`."""

import asyncio
import os
import signal
import sys
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import event

from app.delivery import retain
from app.store.database import Database
from tests.gateways import World


async def main(url: str, days: int, deletes: int) -> None:
    database = Database(url)
    world = World(database)
    world.clock.turn(days=days + 2)  # when a file was last used is known to a day
    kept = timedelta(days=days)
    gateway = replace(world.gateway, timing=replace(world.gateway.timing, kept=kept))
    left = deletes

    def executed(_c: object, _cursor: object, statement: str, *_rest: Any) -> None:
        nonlocal left
        left -= statement.startswith("DELETE")
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(database._engine.sync_engine, "after_cursor_execute", executed)
    while await retain.delete_messages(gateway, kept) or await retain.delete_files(gateway, kept):
        pass
    await database.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
