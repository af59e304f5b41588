"""A disk that is full: nothing is half written, nothing is sent, and all goes on when it is not."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Connection, event, func, select, text
from sqlalchemy.exc import OperationalError

from app.delivery import accept, limit, submit
from app.domain.message import Channel
from app.store import documents, migrate
from app.store.database import Database, is_unavailable
from app.store.tables import attempts, blobs, counters, events, messages
from tests.gateways import World, fax, sms
from tests.postgres import Postgres

pytestmark = pytest.mark.anyio

TABLES = (messages, events, attempts, blobs, counters)
MANY = 1_000_000  # pages


class Disk:
    """How many pages SQLite may use: beyond it, it says that the disk is full."""

    def __init__(self, database: Database) -> None:
        self.pages = MANY
        self._engine = database._engine.sync_engine
        event.listen(self._engine, "begin", self._limit)

    def _limit(self, connection: Connection) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count={self.pages}")

    @contextmanager
    def full(self, left: int = 0) -> Iterator[None]:
        """Have only so many pages more than are used."""
        self.pages = left + 1  # SQLite makes it what is used at least
        try:
            yield
        finally:
            self.pages = MANY


@pytest.fixture
async def small(tmp_path: Path) -> World:
    database = Database(f"sqlite:///{tmp_path / 'store.db'}")
    await migrate.upgrade(database)
    world = World(database)
    await world.open()
    return world


async def rows(world: World) -> dict[str, int]:
    async with world.gateway.database.reading() as connection:
        return {
            table.name: (
                await connection.execute(select(func.count()).select_from(table))
            ).scalar_one()
            for table in TABLES
        }


async def test_nothing_is_half_accepted_and_it_goes_on_when_there_is_room(small: World) -> None:
    disk = Disk(small.gateway.database)
    arrivals = [small.arrival(fax()) for _ in range(100)]
    large = b"%PDF-1.4 " + b"a" * 1_000_000
    arrivals[50] = accept.Arrival(
        **{
            **{name: getattr(arrivals[50], name) for name in ("object_id", "answer", "messages")},
            "files": {documents.digest(large): large},
        }
    )
    await small.keep(fax())
    before = await rows(small)

    with disk.full():
        for taken in (arrivals, arrivals[50:51]):
            with pytest.raises(OperationalError, match="full") as caught:
                await accept.accept(small.gateway, taken)
            assert is_unavailable(caught.value)  # so it is 503, to all who wait
    nothing = await rows(small)
    await accept.accept(small.gateway, arrivals)

    assert nothing == before
    assert (await rows(small))["messages"] == before["messages"] + 100
    assert await limit.recount(small.gateway.database) == {}
    await small.gateway.database.close()


async def test_a_claim_that_cannot_be_committed_sends_nothing(small: World) -> None:
    disk = Disk(small.gateway.database)
    kept = [await small.keep(sms()) for _ in range(60)]

    with disk.full(), pytest.raises(OperationalError, match="full"):
        await submit.claim(small.gateway, Channel.SMS, 60)
    standing = {(await small.row(one))["status"] for one in kept}

    assert small.provider.submissions == []
    assert standing == {"queued"}
    assert (await rows(small))["attempts"] == 0
    await small.submit(Channel.SMS)
    assert len(small.provider.submissions) == 60
    assert {(await small.row(one))["status"] for one in kept} == {"submitted"}
    await small.gateway.database.close()


async def test_a_full_disk_of_postgresql_is_a_store_that_is_away(postgres: Postgres) -> None:
    """The server says 53100 where it cannot extend a file; here a trigger says it."""
    database = Database(postgres.create(f"full_{uuid4().hex}"))
    await migrate.upgrade(database)
    world = World(database)
    await world.open()
    async with database.transaction() as connection:
        await connection.execute(
            text(
                "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = '53100'; END $$"
            )
        )
        await connection.execute(
            text(
                "CREATE TRIGGER full_disk BEFORE INSERT ON events"
                " FOR EACH ROW EXECUTE FUNCTION full_disk()"
            )
        )

    with pytest.raises(OperationalError) as caught:
        await world.keep(sms())
    nothing = await rows(world)
    async with database.transaction() as connection:
        await connection.execute(text("DROP TRIGGER full_disk ON events"))
    await world.keep(sms())

    assert is_unavailable(caught.value)
    assert (nothing["messages"], nothing["counters"]) == (0, 0)
    assert await limit.recount(database) == {}
    await database.close()
