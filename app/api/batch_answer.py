"""What a client is told of a batch that was taken in: ten thousand messages, written in slices."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import islice
from json.encoder import encode_basestring as _quoted
from typing import Any, Final

from app.api import answers
from app.api.slices import Slices
from app.domain.identifiers import MESSAGE, shown

_TOGETHER: Final = 50  # messages between two looks at the time
_text: Final = json.JSONEncoder(ensure_ascii=False).encode


async def written(row: Mapping[str, Any], members: Sequence[dict[str, Any]], slices: Slices) -> str:
    """Return the answer's JSON; ten thousand messages would keep all others waiting."""
    counts = Counter(one["status"] for one in members)
    head, _, tail = _text(answers.batch(dict(row), counts, [])).partition("[]")
    texts, numbered = [], enumerate(members)
    while some := list(islice(numbered, _TOGETHER)):
        texts += [member(place, one) for place, one in some]
        await slices.pause()
    return f"{head}[{', '.join(texts)}]{tail}"


def member(place: int, row: Mapping[str, Any]) -> str:
    """Return a new message of a batch as `answers.member` shows it, as JSON."""
    public, reference = shown(MESSAGE, row["id"]), row["reference"]
    return (
        f'{{"index": {place}, "id": "{public}", "status": "{row["status"]}",'
        f' "reference": {"null" if reference is None else _quoted(reference)}, "recipient": {{"masked":'
        f' {_quoted(row["recipient"])}}}, "links": {{"self": "/v1/messages/{public}"}}}}'
    )
