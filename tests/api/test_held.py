"""Many large bodies at once: they take so much memory together and no more."""

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from app.api.held import AT_ONCE
from tests.api.client import BODY_LIMIT, Api

pytestmark = pytest.mark.anyio

SMS = {"to": "+33639980001", "text": "Votre code : 1234"}


@asynccontextmanager
async def held_back(api: Api, size: int) -> Any:
    """Send a body but for its last byte, and hold the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", api.port)
    head = (
        f"POST /v1/sms HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer {api.live}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {size}\r\n\r\n"
    )
    writer.write(head.encode() + b" " * (size - 1))
    await writer.drain()
    try:
        yield reader
    finally:
        writer.close()


async def large(api: Api) -> Any:
    return await api.post("/v1/sms", body=SMS | {"text": "x" * (BODY_LIMIT - 1_000)})


async def test_beyond_the_bound_large_bodies_are_refused_and_small_ones_are_not(
    shared: Api,
) -> None:
    async with AsyncExitStack() as stack:
        readers = [
            await stack.enter_async_context(held_back(shared, BODY_LIMIT))
            for _ in range(AT_ONCE + 1)
        ]
        refusals = [asyncio.create_task(one.readline()) for one in readers]
        done, _ = await asyncio.wait(refusals, timeout=10, return_when=asyncio.FIRST_COMPLETED)
        assert [one.result() for one in done] == [b"HTTP/1.1 503 Service Unavailable\r\n"]

        refused = await large(shared)
        taken = await shared.post("/v1/sms", body=SMS)

        assert (refused.status, refused.json()["code"]) == (503, "too_busy")
        assert refused.headers["Retry-After"] == "2"
        assert taken.status == 202
        for one in refusals:
            one.cancel()

    async with asyncio.timeout(10):
        while (again := await large(shared)).json()["code"] == "too_busy":
            await asyncio.sleep(0.05)
    assert again.status == 422
