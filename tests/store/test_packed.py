"""What is packed is what it was; what was never packed is read as it is."""

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


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_is_read_as_it_was_kept(name: str) -> None:
    assert unpacked(packed(TEXTS[name])) == TEXTS[name]


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_that_was_kept_before_any_was_packed_is_read(name: str) -> None:
    assert unpacked(TEXTS[name]) == TEXTS[name]


def test_a_long_one_takes_less_room_and_can_be_kept_anywhere() -> None:
    for name in ("long", "of all letters"):
        kept = packed(TEXTS[name])
        assert len(kept) < len(TEXTS[name]) / 3
        assert kept.isascii()
    assert packed(TEXTS["almost long"]) is TEXTS["almost long"]
