"""Rounds of plain messages: every form of them is written alike, and SQLite's lane minds its faults."""

import asyncio
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Table, select
from sqlalchemy.exc import IntegrityError, OperationalError

from app.delivery import accept
from app.delivery.arrival import arrival_of
from app.delivery.limit import recount
from app.store import taking
from app.store.database import CommitUnknown, Database
from app.store.news import New
from app.store.sqlite import Lane
from app.store.tables import counters, events, idempotency_keys, messages
from tests.gateways import BEGAN, World
from tests.migrated import Migrated

pytestmark = pytest.mark.anyio

TABLES = (messages, events, idempotency_keys, counters)
OWN = {("events", "id"), ("idempotency_keys", "created_at")}
MANY = 150  # in two rounds of SQLite's largest statement, and rests of it
EAST = timezone(timedelta(hours=9))


def news(world: World, count: int) -> list[New]:
    """Return messages of every form that a plain one may have."""
    return [
        New(
            id=world.gateway.ids.new(),
            client_id=world.client_id,
            mode="live" if place % 4 else "test",
            channel="sms" if place % 3 else "email",
            provider="efidem",
            created_at=BEGAN.astimezone(EAST) + timedelta(microseconds=place),
            send_at=(None, BEGAN, BEGAN.astimezone(EAST) + timedelta(days=1))[place % 3],
            expires_at=BEGAN.astimezone(EAST) + timedelta(days=2) if place % 2 else None,
            reference=f"r{place}" if place % 5 else None,
            billing_code="b" if place % 7 == 0 else None,
            purpose="otp",
            tags=["é"] * (place % 3),
            metadata={"a": '"'} if place % 2 else {},
            warnings=[],
            on_uncertain="retry" if place % 2 else None,
            content='{"to": "+33639980001"}',
            size=place,
            recipient="+336•••••001",
            recipient_digest="d" * 64 if place % 2 else None,
            units=1 if place % 2 else None,
            encoding="gsm7" if place % 2 else None,
            key=f"k{place:03}" if place % 6 else None,
            fingerprint="f" * 64 if place % 6 else None,
        )
        for place in range(count)
    ]


async def rows(database: Database, table: Table) -> list[dict[str, Any]]:
    """Return a table's rows, without what differs: events' ids, and when a key was taken."""
    first = "message_id" if table is events else next(iter(table.primary_key.columns)).name
    async with database.reading() as connection:
        found = await connection.execute(select(table).order_by(table.c[first]))
        return [
            {name: row[name] for name in row if (table.name, name) not in OWN}
            for row in found.mappings()
        ]


async def test_every_form_is_written_as_the_general_way_writes_it(
    world: World, migrated: Migrated, tmp_path: Path
) -> None:
    new = news(world, MANY)
    database = world.gateway.database
    assert await taking.take(database, world.gateway.ids, new)

    other = Database(migrated.sqlite(tmp_path / "other.db"))
    general = World(other)
    general.client_id = world.client_id
    await general.open()
    assert await accept._commit(general.gateway, [arrival_of(one) for one in new]) == [None] * MANY

    for table in TABLES:
        assert await rows(database, table) == await rows(other, table), table.name
    assert await recount(database) == {}
    await other.close()


@pytest.fixture
def file(migrated: Migrated, tmp_path: Path) -> Path:
    """A store on SQLite."""
    migrated.sqlite(tmp_path / "lane.db")
    return tmp_path / "lane.db"


def count(name: str, value: object) -> tuple[str, Sequence[object]]:
    return "INSERT INTO counters (name, value) VALUES (?, ?)", (name, value)


def kept(file: Path) -> Mapping[str, int]:
    with closing(sqlite3.connect(file)) as read:
        return dict(read.execute("SELECT name, value FROM counters").fetchall())


async def test_what_is_wrong_with_one_row_leaves_nothing_and_the_next_round_goes_on(
    file: Path,
) -> None:
    lane = Lane(str(file), asyncio.Lock())
    with pytest.raises(IntegrityError):
        await lane.write([count("a", 1), count("b", None)])
    assert kept(file) == {}
    assert await lane.write([count("a", 1)]) is None
    with pytest.raises(OperationalError):
        await lane.write([count("b", 1), ("INSERT INTO nothing VALUES (1)", ())])
    assert await lane.write([count("c", 1)]) is None
    assert kept(file) == {"a": 1, "c": 1}
    await lane.close()


async def test_another_process_is_waited_for_and_the_event_loop_goes_on(file: Path) -> None:
    lane = Lane(str(file), asyncio.Lock())
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        writing = asyncio.create_task(lane.write([count("a", 1)]))
        await asyncio.sleep(0.2)
        assert not writing.done()
        other.execute("COMMIT")
    async with asyncio.timeout(10):
        assert await writing is None
    assert kept(file) == {"a": 1}
    await lane.close()


async def test_a_commit_that_fails_is_one_that_nobody_knows_the_end_of(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Failing(sqlite3.Connection):
        def execute(self, sql: str, *rest: Any) -> sqlite3.Cursor:
            if sql == "COMMIT":
                raise sqlite3.OperationalError
            return super().execute(sql, *rest)

    database = Database(f"sqlite:///{file}")
    new = news(World(database), 1)
    assert database.lane is not None
    with monkeypatch.context() as patched:
        opened = partial(sqlite3.connect, file, isolation_level=None, factory=Failing)
        patched.setattr(database.lane, "_opened", opened)
        with pytest.raises(CommitUnknown):
            await taking.take(database, World(database).gateway.ids, new)
    assert kept(file) == {}
    # It is the connection that is not trusted any more, and not the store.
    assert await taking.take(database, World(database).gateway.ids, new)
    await database.close()


async def test_a_closed_one_opens_again_for_who_writes(file: Path) -> None:
    lane = Lane(str(file), asyncio.Lock())
    await lane.write([count("a", 1)])
    await lane.close()
    await lane.close()
    assert await lane.write([count("b", 1)]) is None
    await lane.close()
    assert kept(file) == {"a": 1, "b": 1}


async def test_a_closed_store_has_no_thread_left(file: Path) -> None:
    others = set(threading.enumerate())
    lane = Lane(str(file), asyncio.Lock())
    await lane.write([count("a", 1)])
    (own,) = set(threading.enumerate()) - others
    await lane.close()
    await asyncio.to_thread(own.join, 2)
    assert not own.is_alive()


def test_times_are_told_apart_as_their_texts_are() -> None:
    """Whether a message waits is seen by its times as SQLite keeps them."""
    some = [datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, 9, 0, 0, 1, tzinfo=EAST)]
    texts = [
        one.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds") for one in some
    ]
    assert (some[0] < some[1]) == (texts[0] < texts[1])
    assert UUID(int=1).hex < UUID(int=2).hex
