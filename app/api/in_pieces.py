"""Long answers: encoded in slices, and sent piece by piece.

Each copy of two megabytes takes more than a millisecond, which all others would wait for.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

from fastapi import Response
from starlette.types import Receive, Scope, Send

from app.api.slices import Slices

_PIECE: Final = 32_768  # characters


class _InPieces(Response):
    def __init__(self, pieces: Sequence[bytes], status: int, headers: Mapping[str, str]) -> None:
        length = {"content-length": str(sum(map(len, pieces)))}
        super().__init__(None, status, {**headers, **length}, "application/json")
        self._pieces = list(reversed(pieces))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        _ = scope, receive
        start = {"type": "http.response.start", "status": self.status_code}
        await send({**start, "headers": self.raw_headers})
        while self._pieces:
            piece = self._pieces.pop()
            more = bool(self._pieces)
            await send({"type": "http.response.body", "body": piece, "more_body": more})
            await asyncio.sleep(0)


async def answer(text: str, status: int, headers: Mapping[str, str], slices: Slices) -> Response:
    """Return JSON as an answer; a long one is sent in pieces."""
    if len(text) <= _PIECE:
        return Response(text, status, dict(headers), media_type="application/json")
    pieces = []
    for place in range(0, len(text), _PIECE):
        pieces.append(text[place : place + _PIECE].encode())
        await slices.pause()
    return _InPieces(pieces, status, headers)
