"""What a client is told of a batch that was taken in: ten thousand messages, written in slices."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from json.encoder import encode_basestring as _quoted
from typing import Any, Final

from app.api import answers
from app.api.slices import Slices
from app.domain.identifiers import MESSAGE, shown

_COUNTED: Final = 1_000  # messages between two looks at the time
_TOGETHER: Final = 50  # the same, where they are written
_text: Final = json.JSONEncoder(ensure_ascii=False).encode


async def written(row: Mapping[str, Any], members: Sequence[dict[str, Any]], slices: Slices) -> str:
    """Return the answer's JSON; ten thousand messages would keep all others waiting."""
    counts: Counter[str] = Counter()
    for place in range(0, len(members), _COUNTED):
        counts.update([one["status"] for one in members[place : place + _COUNTED]])
        await slices.pause()
    head, _, tail = _text(answers.batch(dict(row), counts, [])).partition("[]")
    text = f"{head}["
    for place in range(0, len(members), _TOGETHER):
        some = members[place : place + _TOGETHER]
        comma = ", " if place else ""
        # It grows where it is: two megabytes put together at the end would take 2 ms.
        text += comma + ", ".join([member(*one) for one in enumerate(some, place)])
        await slices.pause()
    text += f"]{tail}"
    return text


def member(place: int, row: Mapping[str, Any]) -> str:
    """Return a new message of a batch as `answers.member` shows it, as JSON."""
    public, reference = shown(MESSAGE, row["id"]), row["reference"]
    return (
        f'{{"index": {place}, "id": "{public}", "status": "{row["status"]}",'
        f' "reference": {"null" if reference is None else _quoted(reference)}, "recipient": {{"masked":'
        f' {_quoted(row["recipient"])}}}, "links": {{"self": "/v1/messages/{public}"}}}}'
    )
