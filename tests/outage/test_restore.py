"""A restored store sends nothing before a person says how, and nothing that was sent before."""

import asyncio
import os
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from app.delivery import publish, restore, settle, submit
from app.delivery.outside import UnreadableCopy
from app.domain.identifiers import Identifiers
from app.domain.message import Channel
from app.store import channels, feed, incarnation, migrate
from app.store.database import Database
from tests.gateways import World, sms
from tests.postgres import Postgres, binaries

pytestmark = pytest.mark.anyio

MORE = 50  # sends after the backup


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A store that a test backs up and restores while nobody uses it."""

    url: str
    outside: Path | None
    backup: Callable[[], None]
    restore: Callable[[], None]


def sqlite_site(folder: Path) -> Site:
    file, copy = folder / "store.db", folder / "backup.db"

    def backup() -> None:
        source, target = sqlite3.connect(file), sqlite3.connect(copy)
        source.backup(target)
        source.close()
        target.close()

    def put_back() -> None:
        for one in folder.glob("store.db-*"):
            one.unlink()
        copy.replace(file)

    outside = folder / "store.db.incarnation"
    return Site(url=f"sqlite:///{file}", outside=outside, backup=backup, restore=put_back)


def copied_site(folder: Path, server: Postgres) -> Site:
    """PostgreSQL's files, copied while it is stopped: only an outside copy tells."""
    data, copy = server._data, server._data.with_name("copy")

    def backup() -> None:
        server.stop()
        subprocess.run(["cp", "-a", data, copy], check=True)
        server.start()

    def put_back() -> None:
        server.stop()
        subprocess.run(["rm", "-r", data], check=True)
        subprocess.run(["mv", copy, data], check=True)
        server.start()

    url = server.create(f"restored_{uuid4().hex}")
    return Site(url=url, outside=folder / "incarnation", backup=backup, restore=put_back)


def dumped_site(folder: Path, server: Postgres) -> Site:
    """A dump that is loaded into a database of the same name: the server tells by itself."""
    name = f"dumped_{uuid4().hex}"
    dump = folder / "dump.sql"
    where = ["-h", "127.0.0.1", "-p", str(server.port), "-U", server.user]

    def call(tool: str, *arguments: str) -> None:
        subprocess.run([str(binaries() / tool), *where, *arguments], check=True)

    def put_back() -> None:
        call("dropdb", name)
        call("createdb", name)
        call("psql", "-q", "-v", "ON_ERROR_STOP=1", "-o", "/dev/null", "-f", str(dump), name)

    return Site(
        url=server.create(name),
        outside=None,
        backup=lambda: call("pg_dump", "-f", str(dump), name),
        restore=put_back,
    )


@pytest.fixture(params=["sqlite", "copied files", "loaded dump"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Site:
    if request.param == "sqlite":
        return sqlite_site(tmp_path)
    server: Postgres = request.getfixturevalue("own_postgres")
    return (copied_site if request.param == "copied files" else dumped_site)(tmp_path, server)


@asynccontextmanager
async def started(site: Site, *, first: World | None = None) -> AsyncIterator[World]:
    """Start a gateway as `main` does, as far as the store is concerned."""
    database = Database(site.url)
    await migrate.upgrade(database)
    world = World(database)
    world.gateway = replace(world.gateway, outside=site.outside)
    if first is None:
        # Ids like no other store's.
        ids = Identifiers(world.clock.now, os.urandom)
        world.gateway, world.client_id = replace(world.gateway, ids=ids), ids.new()
        await world.open()
    else:
        world.client_id = first.client_id
        world.gateway = replace(world.gateway, ids=first.gateway.ids)
        world.clock.time = first.clock.time + timedelta(hours=1)
    try:
        await restore.notice(world.gateway)
        yield world
        await restore.look(world.gateway, None)
    finally:
        await database.close()


async def send(world: World) -> list[UUID]:
    """Let workers submit all that they may; return what they sent."""
    before = len(world.provider.submissions)
    while await world.submit(Channel.SMS):
        world.clock.turn(seconds=1)
    return [one.message_id for one in world.provider.submissions[before:]]


async def promoted(world: World) -> None:
    """Return when a server that was a standby takes writes."""
    for _ in range(200):
        async with world.gateway.database.reading() as connection:
            found = await connection.execute(text("SELECT pg_is_in_recovery()"))
            if not found.scalar_one():
                return
        await asyncio.sleep(0.05)


async def since(world: World) -> object:
    async with world.gateway.database.reading() as connection:
        row = await incarnation.standing(connection)
        assert row is not None
        return row["restore_since"]


async def stopped(world: World) -> set[str]:
    async with world.gateway.database.reading() as connection:
        return {
            row["channel"]
            for row in await channels.every(connection)
            if (row["state"], row["reason"]) == ("stopped", "restore")
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What was true before the restore."""

    first: World
    sent_before: list[UUID]  # before the backup
    waited: list[UUID]  # at the backup; sent since
    under_way: UUID  # at the backup


async def lived(site: Site) -> Past:
    """Send, back up, send more, and restore."""
    async with started(site) as world:
        assert await since(world) is None
        early = [await world.keep(sms()) for _ in range(5)]
        assert await send(world) == early
        under_way = await world.keep(sms())
        ((held,),) = await submit.claim(world.gateway, Channel.SMS, 1)
        waited = [await world.keep(sms()) for _ in range(4)]
        waited.append(await world.keep(sms(), send_at=world.clock.now() + timedelta(minutes=1)))
        await world.gateway.database.close()
        await asyncio.to_thread(site.backup)
        await submit.record(world.gateway, await submit.call(world.gateway, [held]))
        world.clock.turn(minutes=2)
        more = [await world.keep(sms()) for _ in range(MORE - len(waited))]
        assert sorted(await send(world)) == sorted([*waited, *more])
    await asyncio.to_thread(site.restore)
    return Past(first=world, sent_before=early, waited=waited, under_way=under_way)


@pytest.mark.parametrize("release", [False, True], ids=["hold", "release"])
async def test_a_restored_store_waits_for_a_person(site: Site, *, release: bool) -> None:
    past = await lived(site)

    async with started(site, first=past.first) as world:
        assert await since(world) == world.clock.now()
        assert await stopped(world) == {"email", "sms", "letter", "fax"}
        world.clock.turn(seconds=1)
        new = await world.keep(sms())
        assert await send(world) == []
        world.clock.turn(hours=1)
        await settle.lose_leases(world.gateway)
        assert await send(world) == []
        for message_id in past.waited:
            row = await world.row(message_id)
            assert (row["status"], row["blocked_reason"]) == ("held", "restore")
        lost = await world.row(past.under_way)
        # Whatever proves that this attempt was not sent says nothing of one that was made since.
        assert (lost["status"], lost["on_uncertain"]) == ("uncertain", "hold")

    # Neither a restart nor another process opens it.
    async with started(site, first=past.first) as world:
        assert await since(world) is not None
        world.clock.turn(hours=2)
        assert await send(world) == []

        released = await restore.accept(world.gateway, release=release)

        assert released == (len(past.waited) if release else 0)
        assert await stopped(world) == set()
        sent = await send(world)
        assert sorted(sent) == sorted([new, *(past.waited if release else [])])
        assert not set(sent) & {*past.sent_before, past.under_way}

    async with started(site, first=past.first) as world:
        assert await since(world) is None


async def fed(world: World, after: int) -> list[tuple[int, UUID]]:
    """Return what a client reads after a position, and where it stands."""
    of = (world.client_id, "live")
    (standing,) = await publish.look(world.gateway, [of])
    assert standing.position >= after
    async with world.gateway.database.reading() as connection:
        page = await feed.page(connection, of, after=after, until=standing.position, limit=1000)
    return [(event["position"], event["message_id"]) for event, _ in page]


async def test_who_had_read_beyond_the_backup_passes_nothing_over(site: Site) -> None:
    async with started(site) as world:
        await world.keep(sms())
        await fed(world, 0)
        await world.gateway.database.close()
        await asyncio.to_thread(site.backup)
        for _ in range(20):
            await world.keep(sms())
        assert len(await send(world)) == 21
        after = (await fed(world, 0))[-1][0]
    await asyncio.to_thread(site.restore)

    async with started(site, first=world) as again:
        sent = [await again.keep(sms()) for _ in range(30)]

        found = await fed(again, after)

        # The first one's being held is news too.
        assert [message_id for _, message_id in found if message_id in sent] == sent
        assert len(found) == len(sent) + 1
        (first, *_, last) = [position for position, _ in found]
        assert (first, last) == (feed.LEAP + 2, feed.LEAP + 2 + len(sent))
        assert [one for one, _ in await fed(again, 0)] == [1, *range(first, last + 1)]


async def test_a_store_that_was_not_restored_goes_on(site: Site) -> None:
    async with started(site) as world:
        await world.keep(sms())
        assert len(await send(world)) == 1
    for _ in range(2):
        async with started(site, first=world) as again:
            assert await since(again) is None
            await again.keep(sms())
            assert len(await send(again)) == 1


async def test_a_new_store_where_an_old_one_was_is_no_restore(tmp_path: Path) -> None:
    site = sqlite_site(tmp_path)
    async with started(site) as world:
        await world.keep(sms())
        await send(world)
    (tmp_path / "store.db").unlink()

    async with started(site) as new:
        assert await since(new) is None
        await new.keep(sms())
        assert len(await send(new)) == 1


async def test_another_stores_file_in_its_place_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    here, there = sqlite_site(tmp_path / "a"), sqlite_site(tmp_path / "b")
    for site in (here, there):
        async with started(site) as world:
            await world.keep(sms())
    (tmp_path / "b" / "store.db").replace(tmp_path / "a" / "store.db")

    async with started(here, first=world) as moved:
        assert await since(moved) is not None
        assert await send(moved) == []


async def test_an_outside_copy_that_cannot_be_read_is_a_persons_matter(tmp_path: Path) -> None:
    site = sqlite_site(tmp_path)
    assert site.outside is not None
    site.outside.write_text("{")

    with pytest.raises(UnreadableCopy):
        async with started(site):
            pass


async def test_a_standby_that_takes_over_under_a_running_worker_sends_nothing(
    own_postgres: Postgres, tmp_path: Path
) -> None:
    site = replace(dumped_site(tmp_path, own_postgres), outside=None)
    async with started(site) as world:
        waiting = [await world.keep(sms()) for _ in range(3)]
        assert len(await world.submit(Channel.SMS)) == 3
        waiting = [await world.keep(sms()) for _ in range(3)]
        await world.gateway.database.close()

        # Recovery from an archive ends on a new timeline, as a promotion does.
        own_postgres.stop()
        settings = own_postgres._data / "postgresql.auto.conf"
        with settings.open("a") as file:
            file.write("restore_command = 'false'\n")
        (own_postgres._data / "recovery.signal").touch()
        own_postgres.start()
        await promoted(world)

        # Before anybody has looked.
        assert await since(world) is None
        assert await send(world) == []
        # And when somebody has.
        assert await restore.look(world.gateway, None) is None
        assert await since(world) is not None
        assert await stopped(world) == {"email", "sms", "letter", "fax"}
        for message_id in waiting:
            assert (await world.row(message_id))["status"] == "held"
        await restore.accept(world.gateway, release=True)
        assert sorted(await send(world)) == sorted(waiting)
