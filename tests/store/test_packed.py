"""What is packed is what it was; what was never packed is read as it is."""

import asyncio
import json
import random

import pytest

from app.store.packed import LONG, packed, unpacked

ANY = random.Random(5)
TEXTS = {
    "nothing": "",
    "an object": '{"a": 1}',
    "almost long": "x" * (LONG - 1),
    "long": "x" * LONG,
    "of all letters": json.dumps(["é漢😀\u2028", '"\\'] * LONG, ensure_ascii=False),
    "at random": "".join(ANY.choice("0123456789ABCDEFGHJKMNPQRSTVWXYZé") for _ in range(2 * LONG)),
}


@pytest.mark.anyio
@pytest.mark.parametrize("name", TEXTS)
async def test_a_text_is_read_as_it_was_kept(name: str) -> None:
    assert unpacked(await packed(TEXTS[name])) == TEXTS[name]


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_that_was_kept_before_any_was_packed_is_read(name: str) -> None:
    assert unpacked(TEXTS[name]) == TEXTS[name]


@pytest.mark.anyio
async def test_a_long_one_takes_less_room_and_can_be_kept_anywhere() -> None:
    for name in ("long", "of all letters"):
        kept = await packed(TEXTS[name])
        assert len(kept) < len(TEXTS[name]) / 3
        assert kept.isascii()
    assert await packed(TEXTS["almost long"]) is TEXTS["almost long"]


@pytest.mark.anyio
async def test_others_run_while_a_long_one_is_packed() -> None:
    packing, rounds = asyncio.create_task(packed("x" * 40 * LONG)), 0
    while not packing.done():
        await asyncio.sleep(0)
        rounds += 1

    assert rounds > 40
