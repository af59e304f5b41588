"""A long answer that is sent in pieces is what it is in one, and others run in between."""

import asyncio
from typing import Any

import pytest
from fastapi import Response
from starlette.types import Message

from app.api import in_pieces
from app.api.slices import Slices

pytestmark = pytest.mark.anyio

HEADERS = {"Location": "/v1/batches/one", "Idempotency-Replayed": "true"}
TEXTS = {
    "nothing": "",
    "one piece": "x" * 32_768,
    "two": "x" * 32_769,
    "many, of all letters": '{"é漢😀": "\u2028"}' * 20_000,
}


async def said(response: Response) -> list[Message]:
    found: list[Message] = []

    async def send(message: Message) -> None:
        found.append(message)

    scope: Any = {"type": "http"}
    await response(scope, lambda: asyncio.sleep(0, {}), send)
    return found


@pytest.mark.parametrize("name", TEXTS)
async def test_pieces_say_together_what_one_answer_says(name: str) -> None:
    text = TEXTS[name]
    one = await said(Response(text, 202, HEADERS, media_type="application/json"))

    start, *bodies = await said(await in_pieces.answer(text, 202, HEADERS, Slices()))

    assert start == one[0]
    assert b"".join(body["body"] for body in bodies) == one[1]["body"]
    assert [body.get("more_body", False) for body in bodies] == [True] * (len(bodies) - 1) + [False]
    assert len(bodies) == max(1, -(-len(text) // 32_768))


async def test_others_run_while_pieces_are_sent() -> None:
    response = await in_pieces.answer("x" * 40 * 32_768, 202, HEADERS, Slices())
    sending, rounds = asyncio.create_task(said(response)), 0
    while not sending.done():
        await asyncio.sleep(0)
        rounds += 1

    assert rounds >= 40
