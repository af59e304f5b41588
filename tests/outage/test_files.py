"""PostgreSQL is killed at the very moment of an answer: the answered message has its file."""

import asyncio
import os
import signal
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from app.domain.identifiers import MESSAGE, read
from app.store.documents import digest
from app.store.tables import blobs, messages
from tests.api.client import email, encoded
from tests.outage.conftest import served
from tests.postgres import Postgres

pytestmark = pytest.mark.anyio

TIMES = 3
SIZE = 200_000  # bytes: in a commit of its own, before its message's


async def test_a_file_is_on_disk_when_its_message_is(own_postgres: Postgres) -> None:
    url = own_postgres.create(f"files_{uuid4().hex}")
    async with served(url) as api:
        told: dict[Any, str] = {}
        for _ in range(TIMES):
            content = os.urandom(SIZE)
            file = {"filename": "a.bin", "content_base64": encoded(content)}

            answer = await api.post("/v1/emails", email(attachments=[file]))
            await asyncio.to_thread(own_postgres.stop, signal.SIGQUIT)
            await asyncio.to_thread(own_postgres.start)

            assert answer.status == 202, answer
            told[read(MESSAGE, answer.json()["id"])] = digest(content)
            await asyncio.sleep(0.3)  # connections that rested for so long are looked at
        async with api.gateway.database.reading() as connection:
            kept = {*(await connection.execute(select(messages.c.id))).scalars()}
            digests = func.encode(func.sha256(blobs.c.content), "hex")
            found = {*(await connection.execute(select(digests))).scalars()}

    assert kept == told.keys()
    assert found == {*told.values()}
