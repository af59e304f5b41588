"""A store that holds very many messages: some through the gateway's own code, the others copied."""

import asyncio
import secrets
import shutil
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import Connection, sql
from sqlalchemy import select

from app.delivery import publish
from app.delivery.accept import Key, accept
from app.domain.message import Channel
from app.domain.outcome import Accepted
from app.domain.status import Status
from app.store import messages, migrate
from app.store.database import Database
from app.store.messages import Move
from app.store.tables import clients
from bench.multiply import TABLES, multiply
from bench.multiply_file import multiply_file
from tests.gateways import World, fax, sms

ORIGINALS: Final = 1000  # messages that each copy copies
TOGETHER: Final = 100  # arrivals in one commit
PAGES: Final = 1  # of a fax: as many as its acknowledgement tells of, as nearly all do
ROOM: Final = 4_000  # bytes of disk for each message, while its indexes are made or work is done


async def opened(url: str) -> World:
    """Return a gateway over a store, for the one client that it has, at the time of day."""
    world = World(Database(url), seed=secrets.randbits(64))
    world.clock.time = datetime.now(UTC)
    async with world.gateway.database.reading() as connection:
        found = (await connection.execute(select(clients.c.id))).scalar_one_or_none()
    if found is None:
        await world.open()
    else:
        world.client_id = found
    return world


def arrivals(world: World, count: int) -> list[Any]:
    """Return new messages, each with a key and a recipient of its own."""
    world.clock.time = datetime.now(UTC)
    found = [
        world.arrival(
            sms(f"+336399{secrets.randbelow(100_000):05}"),
            key=Key(
                client_id=world.client_id,
                mode="live",
                key=secrets.token_hex(16),
                fingerprint=secrets.token_hex(32),
            ),
            recipient_digest=secrets.token_hex(32),
        )
        for _ in range(count)
    ]
    # As a single send has it: its answer is made again from its row.
    return [replace(one, answer=replace(one.answer, kept=False)) for one in found]


async def faxes(url: str, count: int) -> list[str]:
    """Have a store hold so many more faxes that 123-fax took; return our references of them."""
    world = await opened(url)
    found: list[str] = []
    content = fax()
    content = replace(content, file=replace(content.file, pages=PAGES))
    while len(found) < count:
        world.clock.time = datetime.now(UTC)
        some = range(min(TOGETHER, count - len(found)))
        await accept(world.gateway, [world.arrival(content) for _ in some])
        taken = [Accepted(None, "113", "Document transmis") for _ in some]
        ended = await world.submit(Channel.FAX, *taken)
        found += [one.held.claim.reference for one in ended]
    while await publish.publish(world.gateway):
        pass
    await world.gateway.database.close()
    return found


def see_room(folder: Path, many: int) -> None:
    """End this where a disk has no room for a store of so many messages."""
    free, needed = shutil.disk_usage(folder).free, many * ROOM
    if free < needed:
        sys.exit(
            f"{many:,} messages need {needed / 1e9:.0f} GB of disk, and {folder} has"
            f" {free / 1e9:.0f} GB: with --size {free / needed * 0.9:.2g} there is room"
        )


def fill(url: str, many: int) -> int:
    """Bring an empty store to this version's tables, and to about so many delivered messages.

    Return how many they are: whole copies are made.
    """
    originals = asyncio.run(_originals(url, min(many, ORIGINALS)))
    copies = max(many // ORIGINALS - 1, 0)
    stored = originals * (copies + 1)
    if url.startswith("sqlite"):
        multiply_file(url.removeprefix("sqlite:///"), copies)
        return stored
    if copies:
        with without_indexes(url):
            multiply(url, copies)
    with psycopg.connect(url, autocommit=True) as connection:
        if not copies:
            connection.execute("VACUUM (ANALYZE, FREEZE)")
        connection.execute("CHECKPOINT")
    return stored


async def _originals(url: str, count: int) -> int:
    database = Database(url)
    await migrate.upgrade(database)
    await database.close()
    world = await opened(url)
    kept = []
    for _ in range(0, count, TOGETHER):
        some = arrivals(world, TOGETHER)
        await accept(world.gateway, some)
        await world.submit(Channel.SMS)
        kept += [one.object_id for one in some]
    moves = [
        Move(
            message_id=one,
            to=Status.DELIVERED,
            at=datetime.now(UTC),
            source="provider_status",
            changes={"due_at": None},
        )
        for one in kept
    ]
    async with world.gateway.database.transaction() as connection:
        await messages.move(connection, world.gateway.ids, moves)
    while await publish.publish(world.gateway):
        pass
    await world.gateway.database.close()
    return len(kept)


@contextmanager
def without_indexes(url: str) -> Iterator[None]:
    """Take the indexes of the large tables away, and make them anew at the end: many times faster."""
    with psycopg.connect(url, autocommit=True) as connection:
        named = [_parts(connection, table) for table in TABLES]
        for table, constraints, indexes in named:
            for name, _ in constraints:
                statement = sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}")
                connection.execute(statement.format(*map(sql.Identifier, (table, name))))
            for name, _ in indexes:
                connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(name)))
        yield
    with ThreadPoolExecutor() as threads:
        list(threads.map(lambda one: _index(url, *one), named))


def _index(
    url: str, table: str, constraints: list[tuple[str, str]], indexes: list[tuple[str, str]]
) -> None:
    """Make a table's indexes."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET maintenance_work_mem = '1GB'")
        for name, definition in constraints:
            statement = sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} {}")
            names = map(sql.Identifier, (table, name))
            connection.execute(statement.format(*names, sql.SQL(definition)))  # type: ignore[arg-type]
        for _, definition in indexes:
            connection.execute(definition.encode())


def _parts(
    connection: Connection[Any], table: str
) -> tuple[str, list[tuple[str, Any]], list[tuple[str, Any]]]:
    constraints = connection.execute(
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE conrelid = %s::regclass AND contype IN ('p', 'u')",
        (table,),
    ).fetchall()
    indexes = connection.execute(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s", (table,)
    ).fetchall()
    owned = {name for name, _ in constraints}
    return table, constraints, [one for one in indexes if one[0] not in owned]
