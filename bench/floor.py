"""F: the least that a durable acceptance can cost here.

A raw ASGI endpoint that checks the key (by its hash, remembered), validates the body with pydantic,
and commits with whoever else came meanwhile: one statement, one row a message, the key's uniqueness
by the table. It has no events, recipients, quotas, logs or files. It answers 202 when the commit is
on disk, and a repeated key with its first id.
"""

import asyncio
import hashlib
import os
import sys
import uuid
from typing import Annotated, NamedTuple

import uvicorn
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from starlette.types import Receive, Scope, Send

from bench.floor_store import PostgreSQL, Row, SQLite, Store


class Sms(BaseModel):
    """A text message."""

    model_config = ConfigDict(extra="forbid")

    to: Annotated[str, Field(pattern=r"^\+[1-9][0-9]{6,14}$")]
    text: Annotated[str, Field(min_length=1, max_length=1530)]
    reference: Annotated[str, Field(max_length=200)] | None = None


class Waiting(NamedTuple):
    """A message that waits for its commit."""

    row: Row
    told: "asyncio.Future[uuid.UUID]"


class Floor:
    """The ASGI application."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._clients: dict[bytes, uuid.UUID] = {}
        self._waiting: list[Waiting] = []
        self._came = asyncio.Event()
        self._validate = TypeAdapter(Sms).validator.validate_json

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or live from the start to the end."""
        if scope["type"] == "lifespan":
            await receive()
            await self._store.open()
            committing = asyncio.create_task(self._commit())
            await send({"type": "lifespan.startup.complete"})
            await receive()
            committing.cancel()
            await send({"type": "lifespan.shutdown.complete"})
            return
        status, body = await self._answer(scope, receive)
        length = str(len(body)).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", length)]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope: Scope, receive: Receive) -> tuple[int, bytes]:
        headers = dict(scope["headers"])
        digest = hashlib.sha256(headers.get(b"authorization", b"")).digest()
        client = self._clients.get(digest) or await self._store.client_of(digest)
        if client is None:
            return 401, b"{}"
        self._clients[digest] = client
        body, more = b"", True
        while more:
            part = await receive()
            body += part.get("body", b"")
            more = part.get("more_body", False)
        try:
            sms = self._validate(body)
        except ValidationError as fault:
            return 422, fault.json().encode()
        idem = headers.get(b"idempotency-key", b"").decode() or str(uuid.uuid4())
        row = Row(_uuid7(), client, idem, sms.to, sms.text, sms.reference)
        told = asyncio.get_running_loop().create_future()
        self._waiting.append(Waiting(row, told))
        self._came.set()
        return 202, b'{"id":"%s","status":"queued"}' % str(await told).encode()

    async def _commit(self) -> None:
        while True:
            await self._came.wait()
            self._came.clear()
            waiting, self._waiting = self._waiting, []
            new = await self._store.add([one.row for one in waiting])
            for row, told in waiting:
                known = row.id in new
                told.set_result(row.id if known else await self._store.first(*row[1:3]))


def _uuid7() -> uuid.UUID:
    milliseconds = int(asyncio.get_running_loop().time() * 1000)  # any clock that rises
    drawn = int.from_bytes(os.urandom(10))
    return uuid.UUID(int=(milliseconds << 80) | (drawn & ~(0xF << 76)) | (7 << 76))


def main() -> None:
    """Serve a database on a port."""
    url, port = sys.argv[1:]
    store: Store = PostgreSQL(url)
    if url.startswith("sqlite"):
        store = SQLite(url.removeprefix("sqlite:///"))
    uvicorn.run(Floor(store), host="127.0.0.1", port=int(port), log_level="error", access_log=False)


if __name__ == "__main__":
    main()
