"""Files: kept before what is taken in with them, and read once for all that are sent with them."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete, select

from app.delivery.keep_files import LARGE, keep_files
from app.delivery.load_files import AT_HAND, Loading
from app.store import documents
from app.store.documents import USED_WITHIN
from app.store.tables import blobs
from tests.gateways import PDF, World, fax

pytestmark = pytest.mark.anyio

CONTENT = b"\x00\xff" * LARGE
DIGEST = documents.digest(CONTENT)


async def kept(world: World) -> dict[str, dict[str, object]]:
    """Return the rows of files, by their digests."""
    async with world.gateway.database.reading() as connection:
        found = (await connection.execute(select(blobs))).mappings().all()
    return {row["sha256"]: dict(row) for row in found}


async def keep(world: World, **files: bytes) -> bool:
    """Take files in by themselves; return whether that was done."""
    arrival = replace(world.arrival(fax()), files=files)
    left = await keep_files(world.gateway, arrival)
    assert replace(left, files=files) == arrival
    return not left.files


async def test_large_files_are_committed_before_what_has_them(world: World) -> None:
    is_done = await keep(world, **{DIGEST: CONTENT})

    assert is_done is not world.gateway.database.is_sqlite
    assert set(await kept(world)) == ({DIGEST} if is_done else set())


async def test_small_files_share_the_commit_of_what_has_them(world: World) -> None:
    is_done = await keep(world, **{documents.digest(PDF): PDF})

    assert not is_done
    assert await kept(world) == {}


async def test_both_ways_keep_the_same(world: World) -> None:
    database, now = world.gateway.database, world.clock.now()
    if database.is_sqlite:
        pytest.skip("SQLite has one way")
    contents = {documents.digest(one): one for one in (CONTENT, PDF, b"x")}
    found = []
    for later in (timedelta(0), timedelta(hours=1), USED_WITHIN, USED_WITHIN * 2, USED_WITHIN * 4):
        async with database.transaction() as connection:
            await documents.keep(connection, contents, now + later)
        usual = await kept(world)
        async with database.transaction() as connection:
            await connection.execute(delete(blobs))
        for before in found:
            await documents.keep_at_once(database, contents, before)
        await documents.keep_at_once(database, contents, now + later)
        found.append(now + later)

        assert await kept(world) == usual


async def test_a_file_that_many_messages_have_is_read_once(world: World) -> None:
    database = world.gateway.database
    async with database.transaction() as connection:
        await documents.keep(connection, {DIGEST: CONTENT}, world.clock.now())
    loading = Loading()

    first = await loading.load(database, [DIGEST])
    async with database.transaction() as connection:
        await connection.execute(delete(blobs))
    again = await loading.load(database, [DIGEST])

    assert first == again == {DIGEST: CONTENT}
    assert await loading.load(database, ["0" * 64]) == {}


async def test_files_stay_at_hand_within_a_bound(world: World) -> None:
    database = world.gateway.database
    parts = [bytes([place]) * (AT_HAND // 2 - 1) for place in range(3)]
    digests = [documents.digest(one) for one in parts]
    async with database.transaction() as connection:
        await documents.keep(connection, dict(zip(digests, parts, strict=True)), world.clock.now())
    loading = Loading()
    for one in (0, 1, 0, 2):
        await loading.load(database, [digests[one]])
    async with database.transaction() as connection:
        await connection.execute(delete(blobs))

    found = [bool(await loading.load(database, [one])) for one in digests]

    assert found == [True, False, True]
