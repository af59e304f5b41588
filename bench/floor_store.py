"""The store of the lean floor: one table of messages, each commit synced."""

import asyncio
import sqlite3
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any, Final, NamedTuple, Protocol

import asyncpg
import psycopg

TABLES: Final = (
    "CREATE TABLE api_keys (digest {bytes} PRIMARY KEY, client_id {uuid} NOT NULL)",
    """CREATE TABLE messages (id {uuid} PRIMARY KEY, client_id {uuid} NOT NULL,
    idem {text} NOT NULL, status {text} NOT NULL, due_at double precision,
    recipient {text} NOT NULL, content {text} NOT NULL, reference {text}, provider_id {text},
    UNIQUE (client_id, idem))""",
    "CREATE INDEX messages_due ON messages (due_at) WHERE status = 'queued'",
)
KINDS: Final = {
    "postgresql": {"bytes": "bytea", "uuid": "uuid", "text": "text"},
    "sqlite": {"bytes": "BLOB", "uuid": "BLOB", "text": "TEXT"},
}


def create(url: str, digest: bytes) -> None:
    """Make the tables, and a client whose key has a digest."""
    client = uuid.uuid4()
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as file, file:
            for statement in TABLES:
                file.execute(statement.format(**KINDS["sqlite"]))
            file.execute("INSERT INTO api_keys VALUES (?, ?)", (digest, client.bytes))
        return
    with psycopg.connect(url) as connection:
        for statement in TABLES:
            connection.execute(statement.format(**KINDS["postgresql"]))  # type: ignore[arg-type]
        connection.execute("INSERT INTO api_keys VALUES (%s, %s)", (digest, client))


class Row(NamedTuple):
    """A row of `messages`."""

    id: uuid.UUID
    client_id: uuid.UUID
    idem: str
    recipient: str
    content: str
    reference: str | None


class Store(Protocol):
    """Where messages are kept."""

    async def open(self) -> None: ...

    async def client_of(self, digest: bytes) -> uuid.UUID | None: ...

    async def add(self, rows: Sequence[Row]) -> set[uuid.UUID]:
        """Keep messages in one synced commit; return the ids of those whose key is new."""
        ...

    async def first(self, client: uuid.UUID, idem: str) -> uuid.UUID: ...


class PostgreSQL:
    """One connection and one statement for all that came; others look things up."""

    INSERT: Final = (
        "INSERT INTO messages (id, client_id, idem, status, due_at, recipient, content, reference)"
        " SELECT i, c, k, 'queued', extract(epoch FROM now()), r, t, f"
        " FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[])"
        " AS new (i, c, k, r, t, f) ON CONFLICT (client_id, idem) DO NOTHING RETURNING id"
    )

    def __init__(self, url: str) -> None:
        self._url = url
        self._writer: Any = None
        self._readers: Any = None

    async def open(self) -> None:
        self._writer = await asyncpg.connect(self._url)
        self._readers = await asyncpg.create_pool(self._url, min_size=1, max_size=4)

    async def client_of(self, digest: bytes) -> uuid.UUID | None:
        sql = "SELECT client_id FROM api_keys WHERE digest = $1"
        found: uuid.UUID | None = await self._readers.fetchval(sql, digest)
        return found

    async def add(self, rows: Sequence[Row]) -> set[uuid.UUID]:
        added = await self._writer.fetch(self.INSERT, *zip(*rows, strict=True))
        return {one["id"] for one in added}

    async def first(self, client: uuid.UUID, idem: str) -> uuid.UUID:
        sql = "SELECT id FROM messages WHERE client_id = $1 AND idem = $2"
        found: uuid.UUID = await self._readers.fetchval(sql, client, idem)
        return found


class SQLite:
    """One thread that reads and writes; every commit is synced."""

    INSERT: Final = (
        "INSERT INTO messages (id, client_id, idem, recipient, content, reference, status, due_at)"
        " VALUES (?, ?, ?, ?, ?, ?, 'queued', unixepoch('subsec')) ON CONFLICT DO NOTHING"
    )

    def __init__(self, path: str) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1)
        self._file: Any = None

    async def open(self) -> None:
        def begin() -> sqlite3.Connection:
            file = sqlite3.connect(self._path, isolation_level=None)
            file.execute("PRAGMA journal_mode=WAL")
            file.execute("PRAGMA synchronous=FULL")
            return file

        self._file = await self._do(begin)

    async def client_of(self, digest: bytes) -> uuid.UUID | None:
        sql = "SELECT client_id FROM api_keys WHERE digest = ?"
        found = await self._do(lambda: self._file.execute(sql, (digest,)).fetchone())
        return uuid.UUID(bytes=found[0]) if found else None

    async def add(self, rows: Sequence[Row]) -> set[uuid.UUID]:
        def write() -> set[uuid.UUID]:
            new = set()
            self._file.execute("BEGIN IMMEDIATE")
            for one in rows:
                values = (one.id.bytes, one.client_id.bytes, *one[2:])
                if self._file.execute(self.INSERT, values).rowcount:
                    new.add(one.id)
            self._file.execute("COMMIT")
            return new

        added: set[uuid.UUID] = await self._do(write)
        return added

    async def first(self, client: uuid.UUID, idem: str) -> uuid.UUID:
        sql = "SELECT id FROM messages WHERE client_id = ? AND idem = ?"
        found = await self._do(lambda: self._file.execute(sql, (client.bytes, idem)).fetchone())
        return uuid.UUID(bytes=found[0])

    async def _do(self, work: Callable[[], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)
