"""A batch's fingerprint, made piece by piece, is that of its whole body in one spelling."""

import hashlib
import hmac
import json
from typing import Any

import pytest

from app.api import fingerprints
from app.api.slices import Slices

pytestmark = pytest.mark.anyio

SECRET, ADDRESS = b"secret", "POST /v1/sms/batch"


def plain(value: Any) -> Any:
    """Return a value whose whole numbers are written without a fraction."""
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def whole(value: Any) -> str:
    text = json.dumps(plain(value), sort_keys=True, separators=(",", ":"))
    return hmac.new(SECRET, f"{ADDRESS}\n{text}".encode(), hashlib.sha256).hexdigest()


@pytest.mark.parametrize(
    "value",
    [
        {"messages": [{"to": f"+336120{place:05}", "b": "é", "a": [1]} for place in range(333)]},
        {"messages": [{"text": "x" * size} for size in (1, 40_000, 3, 20_000, 5, 5, 5, 5, 70_000)]},
        {"messages": [{"n": 1.0}, {"n": 1}, {"n": {"m": [2.0, 2.5, True, None]}}], "defaults": {}},
        {"messages": [[], {}, [[]], "a", 1.0, 1e22, None], "mode": 3.0},
        {"messages": [], "b": {"z": 1.0, "a": [{"y": 1, "x": 2}]}},
        [1.0, {"b": 2.0, "a": 1}],
        {},
        "a",
        2.0,
    ],
    ids=str(list(range(9))).strip("[]").split(", "),
)
async def test_pieces_make_the_fingerprint_of_the_whole(value: Any) -> None:
    found = await fingerprints.of_many(SECRET, ADDRESS, value, Slices())

    assert found == fingerprints.of(SECRET, ADDRESS, value) == whole(value)


@pytest.mark.parametrize("n", [2.0, 2])
@pytest.mark.parametrize("many", [1, 7, 500])
@pytest.mark.parametrize("besides", [{}, {"mode": "individual", "defaults": {"a": 1.0}}])
async def test_members_that_come_some_at_a_time_make_the_fingerprint_of_the_whole(
    besides: dict[str, Any], many: int, n: float
) -> None:
    messages = [{"to": f"+336120{place:05}", "b": "é", "n": {"m": n}} for place in range(500)]
    content = {"messages": messages, **besides}
    coming = fingerprints.Coming(SECRET, ADDRESS, content, "messages")

    for place in range(0, len(messages), many):
        coming.take(messages[place : place + many], are_whole=isinstance(n, int))

    assert coming.whole() == whole(content)
