"""A client of the served API, and the bodies that it sends."""

import asyncio
import base64
import io
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import aiohttp
import pikepdf
from multidict import CIMultiDictProxy
from sqlalchemy import Table, func, select
from yarl import URL

from app.api.edge import Edge
from app.delivery.gateway import Gateway
from app.store.tables import acknowledgements, documents, events, idempotency_keys, messages
from tests.api import documented

PROBLEM = "application/problem+json"
SECRET = "callback-secret-of-these-tests"
BODY_LIMIT = 1_048_576
ATTACHMENT_LIMIT = 262_144
UNSET: Any = object()
COUNTED = (messages, events, documents, idempotency_keys, acknowledgements)


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: CIMultiDictProxy[str]
    content: bytes

    def json(self) -> Any:
        return json.loads(self.content)


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    gateway: Gateway
    edge: Edge
    port: int
    session: aiohttp.ClientSession
    live: str = ""  # the usual key
    test: str = ""  # of the same client
    other: str = ""  # of another client
    reader: str = ""  # may only read
    sender: str = ""  # may only send SMS
    before: dict[str, int] = field(default_factory=dict)  # rows of each table

    async def call(
        self,
        method: str,
        path: str,
        *,
        key: str | None = UNSET,
        body: object = UNSET,
        data: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Call the API; `body` is sent as JSON, `data` as it is, `path` is percent-encoded."""
        sent = dict(headers or {})
        key = self.live if key is UNSET else key
        if key is not None:
            sent.setdefault("Authorization", f"Bearer {key}")
        if body is not UNSET:
            data = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        if isinstance(data, bytes):
            data = io.BytesIO(data)
        url = URL(f"http://127.0.0.1:{self.port}{path}", encoded=True)
        async with self.session.request(
            method, url, data=data, headers=sent, allow_redirects=False
        ) as answer:
            content = await answer.read()
        documented.check(method, path, answer.status, answer.headers, content)
        return Answer(answer.status, answer.headers, content)

    async def get(self, path: str, **options: Any) -> Answer:
        return await self.call("GET", path, **options)

    async def post(self, path: str, body: object = UNSET, **options: Any) -> Answer:
        return await self.call("POST", path, body=body, **options)

    async def raw(self, content: bytes) -> tuple[int, bytes]:
        """Write bytes to a connection of their own; return the status and the whole answer."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(content)
            async with asyncio.timeout(5):
                await writer.drain()
                answer = await reader.read(1_000_000)
        finally:
            writer.close()
        return int(answer.split(b" ", 2)[1]), answer

    async def begin_counting(self) -> None:
        self.before.clear()
        self.before.update({table.name: await self.count(table) for table in COUNTED})

    async def count(self, table: Table) -> int:
        """Return how many rows this test wrote."""
        async with self.gateway.database.reading() as connection:
            found = await connection.execute(select(func.count()).select_from(table))
            return int(found.scalar_one()) - self.before.get(table.name, 0)


@asynccontextmanager
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(
        connector=connector, skip_auto_headers=("Content-Type", "User-Agent")
    ) as opened:
        yield opened


def problem(answer: Answer, status: int, code: str) -> dict[str, Any]:
    """Check that an answer is a whole problem, and return it."""
    assert (answer.status, answer.headers["Content-Type"]) == (status, PROBLEM), answer
    found: dict[str, Any] = answer.json()
    kinds = {
        "type": str,
        "title": str,
        "status": int,
        "detail": str,
        "code": str,
        "request_id": str,
        "retryable": bool,
        "errors": list,
    }
    assert {name: type(found.get(name)) for name in kinds} == kinds
    assert found["code"] == code, found
    assert found["status"] == status
    assert found["type"].endswith(code)
    assert found["detail"]
    assert found["request_id"] == answer.headers["X-Request-Id"]
    for error in found["errors"]:
        assert set(error) == {"pointer", "code", "detail"}
        assert all(isinstance(value, str) for value in error.values())
        assert error["pointer"] == "" or error["pointer"].startswith("/")
    return found


def wrong(answer: Answer) -> list[tuple[str, str]]:
    """Check that fields were refused; return each one's pointer and code."""
    found = problem(answer, 422, "validation_failed")
    assert found["errors"]
    return [(error["pointer"], error["code"]) for error in found["errors"]]


@cache
def pdf(pages: int = 1, password: str = "") -> bytes:
    with pikepdf.new() as made:
        for _ in range(pages):
            made.add_blank_page()
        out = io.BytesIO()
        encryption = pikepdf.Encryption(owner=password, user=password) if password else False
        made.save(out, encryption=encryption, deterministic_id=not password)
    return out.getvalue()


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


def email(**changes: object) -> dict[str, Any]:
    return {
        "from": {"address": "service@exemple.fr"},
        "to": [{"address": "marie.durand@exemple.fr"}],
        "subject": "Votre dossier",
        "text": "Bonjour",
        **changes,
    }


def sms(**changes: object) -> dict[str, Any]:
    return {"to": "+33639980001", "text": "Votre code : 1234", **changes}


def address(**changes: object) -> dict[str, Any]:
    return {"line1": "12 RUE DES LILAS", "postal_code": "75011", "city": "PARIS", **changes}


def letter(**changes: object) -> dict[str, Any]:
    return {
        "to": {"last_name": "Durand", "first_name": "Marie", "address": address()},
        "documents": [{"content_base64": encoded(pdf())}],
        **changes,
    }


def fax(**changes: object) -> dict[str, Any]:
    return {"to": "+33199000001", "document": {"content_base64": encoded(pdf())}, **changes}


BODIES = {"/v1/emails": email, "/v1/sms": sms, "/v1/letters": letter, "/v1/faxes": fax}


def changed(body: dict[str, Any], pointer: str, value: object) -> dict[str, Any]:
    """Return a copy of a body with one value set; `-` makes a list's place."""
    copy: dict[str, Any] = json.loads(json.dumps(body))
    at: Any = copy
    *way, last = pointer.lstrip("/").split("/")
    for part in way:
        at = at[int(part)] if isinstance(at, list) else at.setdefault(part, {})
    at[int(last) if isinstance(at, list) else last] = value
    return copy
