"""A migration that dies in mid step (reliability.md 2.3, K17): nothing of it stays, and it can be done."""

import os
import signal
import subprocess
import time
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from app.store import migrate
from app.store.database import Database
from app.store.revision import NEWEST, revision
from tests.journeys.system import COMMAND
from tests.postgres import Postgres

pytestmark = pytest.mark.anyio

WAITS = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


def migrating(url: str, folder: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [COMMAND, "migrate"],
        env={"PATH": os.environ["PATH"], "MULTICANAL_DATABASE_URL": url},
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


async def test_a_migration_that_dies_leaves_the_store_as_it_was(
    tmp_path: Path, postgres: Postgres
) -> None:
    url = postgres.create(f"migration_{uuid4().hex}")
    database = Database(url)
    await migrate.upgrade(database, "0001")
    with psycopg.connect(url) as holding, psycopg.connect(url, autocommit=True) as looking:
        # Whoever alters `messages` now waits in mid step.
        holding.execute("LOCK TABLE messages IN ACCESS EXCLUSIVE MODE")
        dying = migrating(url, tmp_path)
        deadline = time.monotonic() + 30
        while looking.execute(WAITS).fetchone() == (0,):
            assert dying.poll() is None, "it ended before it was killed"
            assert time.monotonic() < deadline
            time.sleep(0.05)
        dying.send_signal(signal.SIGKILL)
        dying.wait(10)
        holding.rollback()

    assert await revision(database) == "0001"
    assert migrating(url, tmp_path).wait(60) == 0
    assert await revision(database) == NEWEST
    await database.close()
