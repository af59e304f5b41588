"""What operators see of a restored store: readiness, and `multicanal restore`."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from app.ready import CONFIG_ERROR
from app.store.database import Database
from tests.api.conftest import serving
from tests.gateways import World
from tests.outage.test_restore import lived, sqlite_site, started

pytestmark = pytest.mark.anyio

COMMAND = str(Path(sys.executable).with_name("multicanal"))


async def run(url: str, folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return await asyncio.to_thread(
        subprocess.run,
        [COMMAND, *arguments],
        env={"MULTICANAL_DATABASE_URL": url},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


async def readiness(url: str) -> tuple[int, str, object]:
    database = Database(url)
    async with serving(database) as api:
        answer = await api.get("/readyz", key=None)
    await database.close()
    found = answer.json()
    return answer.status, found["status"], found["store"].get("restore")


async def test_a_restore_is_told_and_accepted(tmp_path: Path) -> None:
    site = sqlite_site(tmp_path)
    past = await lived(site)
    async with started(site, first=past.first):
        pass

    status, state, restored = await readiness(site.url)
    told = await run(site.url, tmp_path, "restore", "status")
    unsaid = await run(site.url, tmp_path, "restore", "accept")
    accepted = await run(site.url, tmp_path, "restore", "accept", "--release")
    again = await run(site.url, tmp_path, "restore", "accept", "--hold")

    assert (status, state) == (200, "degraded")
    assert isinstance(restored, dict)
    assert restored["why"].startswith("it had come to ")
    assert told.returncode == 1
    assert "held: 5 messages" in told.stdout
    assert "it knows nothing after 2026-11-21 10:0" in told.stdout
    assert unsaid.returncode == 2  # nothing is chosen for an operator
    assert (accepted.returncode, again.returncode) == (0, 1)
    assert accepted.stdout.splitlines()[-1] == (
        "accepted: channels go on, 5 messages are queued again"
    )
    _, _, none = await readiness(site.url)
    assert none is None
    database = Database(site.url)
    for message_id in past.waited:
        assert (await World(database).row(message_id))["status"] == "queued"
    await database.close()


async def test_an_unreadable_outside_copy_is_one_line(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    assert (await run(url, tmp_path, "migrate")).returncode == 0
    (tmp_path / "store.db.incarnation").write_text("{")

    refused = await run(url, tmp_path, "worker")

    assert refused.returncode not in {0, CONFIG_ERROR}
    assert refused.stderr.splitlines()[-1].endswith("remove it after a look at it")
    assert "Traceback" not in refused.stderr
